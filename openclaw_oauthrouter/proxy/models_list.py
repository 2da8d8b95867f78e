"""``GET /v1/models`` in both vendors' shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openclaw_oauthrouter.assembly import Runtime
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.routing.model_ids import PROFILES

_EPOCH = "1970-01-01T00:00:00Z"
# Neither vendor's date of a model is known here, and both shapes demand one.


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model a client may ask for.

    :ivar card: ``None`` for the automatic ones
    """

    name: str
    owner: str
    info: ModelInfo | None = None

    def openai(self) -> JsonObject:
        """The OpenAI shape; limits as extra fields."""
        entry: JsonObject = {"id": self.name, "object": "model", "created": 0, "owned_by": self.owner}
        if self.info is not None:
            entry |= {"context_window": self.info.context_window, "max_output_tokens": self.info.max_output_tokens}
        return entry

    def anthropic(self) -> JsonObject:
        """The Anthropic shape."""
        return {"type": "model", "id": self.name, "display_name": self.name, "created_at": _EPOCH}


def model_entries(runtime: Runtime) -> list[ModelEntry]:
    """The automatic models, then every listed model of a provider that can be used."""
    router = runtime.pipeline.router
    entries = [ModelEntry("auto", "oauthrouter"), *(ModelEntry(f"auto-{profile}", "oauthrouter") for profile in PROFILES)]
    entries += [ModelEntry(alias, "oauthrouter") for alias in router.settings.aliases]
    for name in runtime.usable_providers():
        entries += [ModelEntry(info.name, name, info) for info in router.providers[name].models()]
    return entries


def openai_models(entries: Sequence[ModelEntry]) -> JsonObject:
    """The whole list, OpenAI."""
    return {"object": "list", "data": [entry.openai() for entry in entries]}


def anthropic_models(entries: Sequence[ModelEntry]) -> JsonObject:
    """The whole list, Anthropic."""
    data = [entry.anthropic() for entry in entries]
    return {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
