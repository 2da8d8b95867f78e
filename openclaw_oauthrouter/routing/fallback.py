"""The original's ``rateLimitFallback``: where a limited provider's requests go instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openclaw_oauthrouter.canonical.routing import Hop, ModelCard
from openclaw_oauthrouter.config.upstream import FallbackHopSettings, RateLimitFallbackSettings
from openclaw_oauthrouter.interfaces import Provider

DEFAULT_CHAIN: tuple[FallbackHopSettings, ...] = (
    FallbackHopSettings(
        provider="openai-codex",
        model_map={"haiku": "gpt-5.1-codex-mini", "sonnet": "gpt-5.1-codex-mini", "opus": "gpt-5.3-codex"},
        default_model="gpt-5.1-codex-mini",
    ),
    FallbackHopSettings(provider="deepseek", model_map={"opus": "deepseek-reasoner"}, default_model="deepseek-chat"),
)
"""The original's own chain and maps."""


def fallback_hops(card: ModelCard, settings: RateLimitFallbackSettings, providers: Mapping[str, Provider]) -> Iterator[Hop]:
    """The hops that follow ``card``; none unless the fallback is on and covers its provider."""
    if not settings.enabled or card.provider not in settings.from_providers:
        return
    for hop in settings.chain if settings.chain is not None else DEFAULT_CHAIN:
        provider = providers.get(hop.provider)
        model = _mapped(card, hop)
        target = provider.card(model) if provider and model and hop.provider != card.provider else None
        if target:
            yield Hop(target, reason=f"rateLimitFallback of {card.name}", only_on=settings.on_status_codes)


def _mapped(card: ModelCard, hop: FallbackHopSettings) -> str | None:
    # A key may be the full name, the id, or a family word such as "haiku".
    for key, model in hop.model_map.items():
        if key in (card.name, card.id) or key in card.id:
            return model
    return hop.default_model
