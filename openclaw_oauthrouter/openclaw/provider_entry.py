"""How OpenClaw lists this gateway: one provider, its address and its models."""

from __future__ import annotations

from typing import Any

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.server import local_address
from openclaw_oauthrouter.openclaw.names import LABEL, PROVIDER_ID, TOKEN_VARIABLE
from openclaw_oauthrouter.routing.model_ids import PROFILES

__all__ = ["LABEL", "PROVIDER_ID", "TOKEN_VARIABLE", "ProviderEntry", "provider_entry"]

API = "openai-completions"

CONTEXT_WINDOW = 200_000
MAX_TOKENS = 128_000
"""What the original's runbook declares for ``auto``; the gateway cuts a request down to the routed model's own limits."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Levels of thinking that an automatic model can be asked for; the gateway takes the nearest that the routed model has."""


@value(frozen=True, slots=True)
class ProviderEntry:
    """A row of the host's provider list.

    :ivar base_url: where OpenAI-style clients send to, ``/v1`` included
    :ivar api: the host's name of the wire protocol
    :ivar models: rows as the host's model catalog takes them
    """

    id: str
    label: str
    base_url: str
    api: str
    models: tuple[dict[str, Any], ...]


def provider_entry(settings: Settings) -> ProviderEntry:
    """The entry of a gateway with these settings."""
    profiles = (model_row(f"auto-{profile}", f"{LABEL} auto, {profile}") for profile in PROFILES)
    return ProviderEntry(PROVIDER_ID, LABEL, base_url(settings), API, (model_row("auto", f"{LABEL} auto"), *profiles))


def base_url(settings: Settings) -> str:
    """The address local clients use; a gateway bound to every interface is still reached on loopback."""
    return f"{local_address(settings.server.listen_host, settings.server.port)}/v1"


def model_row(model: str, name: str) -> dict[str, Any]:
    """One model, in the keys that both the plugin manifest and ``models.providers`` take."""
    return {
        "id": model,
        "name": name,
        "reasoning": True,
        "compat": {"supportsReasoningEffort": True, "supportedReasoningEfforts": list(EFFORTS)},
        "input": ["text", "image"],
        "contextWindow": CONTEXT_WINDOW,
        "maxTokens": MAX_TOKENS,
    }
