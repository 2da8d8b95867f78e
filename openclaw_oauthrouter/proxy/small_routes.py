"""Paths that clients try before they ask a model: the root, and Ollama's list of models, read only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quart import Blueprint, Response, request

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import InvalidRequestError, ModelNotFoundError
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.proxy.answers import json_response
from openclaw_oauthrouter.proxy.models_list import ModelEntry, named_entry

Entries = Callable[[], Sequence[ModelEntry]]

_FAMILY = "oauthrouter"


def small_blueprint(entries: Entries) -> Blueprint:
    """The routes, as a blueprint without a prefix.

    :param entries: the models that can be asked for now
    """
    routes = Blueprint("small", __name__)
    small = _SmallRoutes(entries)
    routes.add_url_rule("/", "root", small.root)
    routes.add_url_rule("/api/version", "ollama_version", small.version)
    routes.add_url_rule("/api/tags", "ollama_tags", small.tags)
    routes.add_url_rule("/api/show", "ollama_show", small.show, methods=["POST"])
    return routes


def is_browser_at_root(path: str, accept: str) -> bool:
    """Whether somebody has typed our address into a browser; it is led to the dashboard, where it has to sign in."""
    return path == "/" and "text/html" in accept


class _SmallRoutes:
    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    async def root(self) -> Response:
        """A browser goes on to the dashboard; a program is told what this is."""
        if is_browser_at_root(request.path, request.headers.get("accept", "")):
            return Response(b"", 303, headers={"location": "debug/dashboard", "cache-control": "no-store"})
        return json_response(
            {"name": "openclaw-oauthrouter", "version": __version__, "models": "/v1/models", "api": "/openapi.json"}
        )

    async def version(self) -> Response:
        """What Ollama's clients ask to see whether a server is there."""
        return json_response({"version": f"0.0.0-oauthrouter-{__version__}"})

    async def tags(self) -> Response:
        """The models as Ollama lists them. They are asked through ``/v1``; Ollama's own chat is not spoken here."""
        return json_response({"models": [_tag(entry) for entry in self._entries()]})

    async def show(self) -> Response:
        """One model as Ollama describes it."""
        body = parse_body(await request.get_data(as_text=False))  # type: ignore[arg-type]
        name = body.get("model") or body.get("name")
        if not isinstance(name, str):
            raise InvalidRequestError("model: say which, as a text", param="model")
        entry = named_entry(self._entries(), name)
        if entry is None:
            raise ModelNotFoundError(f"no configured provider serves the model {name[:80]!r}", param="model")
        return json_response(_shown(entry))


def _tag(entry: ModelEntry) -> JsonObject:
    return {
        "name": entry.name,
        "model": entry.name,
        "modified_at": _released(entry),
        "size": 0,
        "digest": "",
        "details": _details(entry),
    }


def _released(entry: ModelEntry) -> str:
    return f"{entry.released.isoformat() if entry.released else '1970-01-01'}T00:00:00Z"


def _details(entry: ModelEntry) -> JsonObject:
    return {"format": _FAMILY, "family": entry.owner, "families": [entry.owner], "parameter_size": "", "quantization_level": ""}


def _shown(entry: ModelEntry) -> JsonObject:
    abilities = ["completion"]
    abilities += ["tools"] if entry.tools else []
    abilities += ["vision"] if "image" in entry.inputs else []
    abilities += ["thinking"] if entry.efforts else []
    facts: JsonObject = {"general.architecture": _FAMILY, "general.basename": entry.display_name}
    if entry.context_window:
        facts[f"{_FAMILY}.context_length"] = entry.context_window
    return {"details": _details(entry), "model_info": facts, "capabilities": abilities, "modified_at": _released(entry)}
