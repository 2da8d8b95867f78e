"""The original's ``rateLimitFallback``: where a limited provider's requests go instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo
from openclaw_oauthrouter.config.upstream import FallbackCandidateSettings, RateLimitFallbackSettings
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.routing.default_tiers import shipped_preferences, stand_in


def fallback_candidates(
    info: ModelInfo, settings: RateLimitFallbackSettings, providers: Mapping[str, Provider], today: date | None = None
) -> Iterator[Candidate]:
    """The candidates that follow a model; none unless the fallback is on and covers its provider.

    Without a chain of the user's: at each provider of ``catalog/tiers.toml`` the model of the same class.
    """
    if not settings.enabled or info.provider not in settings.from_providers:
        return
    targets = _named(info, settings.chain, providers) if settings.chain is not None else _same_class(info, providers, today)
    for target in targets:
        yield Candidate(target, reason=f"rateLimitFallback of {info.name}", only_on=settings.on_status_codes)


def _named(info: ModelInfo, chain: Iterable[FallbackCandidateSettings], providers: Mapping[str, Provider]) -> Iterator[ModelInfo]:
    for candidate in chain:
        provider = providers.get(candidate.provider)
        model = _mapped(info, candidate)
        target = provider.model_info(model) if provider and model and candidate.provider != info.provider else None
        if target:
            yield target


def _same_class(info: ModelInfo, providers: Mapping[str, Provider], today: date | None) -> Iterator[ModelInfo]:
    for name in shipped_preferences().fallback_providers:
        provider = providers.get(name)
        target = stand_in(info.id, name, tuple(provider.models()), today) if provider and name != info.provider else None
        if target:
            yield target


def _mapped(info: ModelInfo, candidate: FallbackCandidateSettings) -> str | None:
    # A key may be the full name, the id, or a family word such as "haiku".
    for key, model in candidate.model_map.items():
        if key in (info.name, info.id) or key in info.id:
            return model
    return candidate.default_model
