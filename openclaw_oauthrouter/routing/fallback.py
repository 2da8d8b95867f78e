"""The original's ``rateLimitFallback``: where a limited provider's requests go instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo
from openclaw_oauthrouter.config.upstream import FallbackCandidateSettings, RateLimitFallbackSettings
from openclaw_oauthrouter.interfaces import Provider

DEFAULT_CHAIN: tuple[FallbackCandidateSettings, ...] = (
    FallbackCandidateSettings(
        provider="openai-codex",
        model_map={"haiku": "gpt-5.1-codex-mini", "sonnet": "gpt-5.1-codex-mini", "opus": "gpt-5.3-codex"},
        default_model="gpt-5.1-codex-mini",
    ),
    FallbackCandidateSettings(provider="deepseek", model_map={"opus": "deepseek-reasoner"}, default_model="deepseek-chat"),
)
"""The original's own chain and maps."""


def fallback_candidates(
    info: ModelInfo, settings: RateLimitFallbackSettings, providers: Mapping[str, Provider]
) -> Iterator[Candidate]:
    """The hops that follow ``card``; none unless the fallback is on and covers its provider."""
    if not settings.enabled or info.provider not in settings.from_providers:
        return
    for candidate in settings.chain if settings.chain is not None else DEFAULT_CHAIN:
        provider = providers.get(candidate.provider)
        model = _mapped(info, candidate)
        target = provider.model_info(model) if provider and model and candidate.provider != info.provider else None
        if target:
            yield Candidate(target, reason=f"rateLimitFallback of {info.name}", only_on=settings.on_status_codes)


def _mapped(info: ModelInfo, candidate: FallbackCandidateSettings) -> str | None:
    # A key may be the full name, the id, or a family word such as "haiku".
    for key, model in candidate.model_map.items():
        if key in (info.name, info.id) or key in info.id:
            return model
    return candidate.default_model
