"""What has to stand in ``openclaw.json`` for OpenClaw to use this gateway, by each of the three routes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.edits.edit import AppendJson, Edit, PutJson
from openclaw_oauthrouter.edits.json5_text import read, value_at
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.former import DEFAULT_MODEL, PROVIDER, former_things
from openclaw_oauthrouter.openclaw.launch import CONFIG_VARIABLE, passed_on, serve_arguments
from openclaw_oauthrouter.openclaw.manifest import CONFIG_FILE_KEY, PYTHON_KEY, SHIM
from openclaw_oauthrouter.openclaw.provider_entry import PROVIDER_ID, TOKEN_VARIABLE, provider_entry

Route = Literal["linked", "copied", "local-service"]
"""``linked``: OpenClaw loads the plugin from this package. ``copied``: OpenClaw's own installer copies it. ``local-service``: no plugin."""

ROUTES: tuple[Route, ...] = ("linked", "copied", "local-service")

ENTRY = ("plugins", "entries", PROVIDER_ID)
_LOAD_PATHS = ("plugins", "load", "paths")
_SECRETS = ("secrets", "providers", PROVIDER_ID)
_READY_MS = 30_000
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Installation:
    """What to install.

    :ivar python: the interpreter that holds this package
    :ivar token_file: where the gateway keeps its local token
    :ivar default_model: make ``oauthrouter/auto`` the agents' model
    :ivar config: the file named with ``--config``
    :ivar environ: where the gateway would look for everything else
    """

    settings: Settings
    token_file: Path
    python: str = sys.executable
    default_model: bool = False
    config: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def edits(self, route: Route, document: FrozenObject) -> tuple[Edit, ...]:
        """The changes to ``openclaw.json``.

        :param document: the file as it is now
        """
        former = former_things(document, plugin=route != "local-service")
        edits = [*(edit for one in former for edit in one.edits), *_ROUTES[route](self, document)]
        if self.default_model:
            edits.append(default_model_edit(document))
        return tuple(edits)

    def plugin_config(self) -> JsonObject:
        """What the shim has to be told: the interpreter, and where the gateway differs from the usual place."""
        usual = Settings()
        config: JsonObject = {PYTHON_KEY: self.python}
        if self.settings.server.port != usual.server.port:
            config["server"] = {"port": self.settings.server.port}
        if self.settings.home != usual.home:
            config["home"] = str(self.settings.home)
        named = self.config or self.environ.get(CONFIG_VARIABLE)
        if named:
            config[CONFIG_FILE_KEY] = str(Path(named).absolute())
        return config

    def local_service(self) -> JsonObject:
        """``models.providers.oauthrouter``: OpenClaw starts the gateway at the first request; the token stays in its own file."""
        entry = provider_entry(self.settings)
        return {
            "baseUrl": entry.base_url,
            "apiKey": self._token_reference(),
            "api": entry.api,
            "timeoutSeconds": _TIMEOUT_SECONDS,
            "localService": {
                "command": self.python,
                "args": serve_arguments(self.config),
                "env": {**passed_on(self.environ), **self._where()},
                "healthUrl": f"{entry.base_url.removesuffix('/v1')}/health",
                "readyTimeoutMs": _READY_MS,
                "idleStopMs": 0,
            },
            "models": list(entry.models),
        }

    def _where(self) -> dict[str, str]:
        return {"OAUTHROUTER_HOME": str(self.settings.home.absolute()), "OAUTHROUTER_PORT": str(self.settings.server.port)}

    @property
    def token_in_file(self) -> bool:
        """Whether OpenClaw finds the local token in a file of its own; one from the environment is kept in none.

        :raises ConfigurationError: it stands among the settings, where OpenClaw cannot read it
        """
        if self.settings.server.auth_token is None:
            return True
        if self.environ.get(TOKEN_VARIABLE):
            return False
        raise ConfigurationError(
            "with --route local-service OpenClaw reads the local token itself, but cannot find server.auth_token in a configuration "
            f"file; take it out there, so that the gateway makes and keeps one, or set {TOKEN_VARIABLE} here and for OpenClaw, "
            "or use --route linked"
        )

    def _token_reference(self) -> str | JsonObject:
        return {"source": "file", "provider": PROVIDER_ID, "id": "value"} if self.token_in_file else f"${{{TOKEN_VARIABLE}}}"


def _plugin_edits(installation: Installation, document: FrozenObject) -> list[Edit]:
    edits: list[Edit] = [PutJson(path=(*ENTRY, "enabled"), value=True)]
    edits += [PutJson(path=(*ENTRY, "config", *path), value=value) for path, value in _leaves(installation.plugin_config())]
    if isinstance(value_at(document, ("plugins", "allow")), list):
        # An allow-list is exclusive: whoever is not on it is not loaded.
        edits.append(AppendJson(path=("plugins", "allow"), item=PROVIDER_ID))
    return edits


def _linked_edits(installation: Installation, document: FrozenObject) -> list[Edit]:
    return [AppendJson(path=_LOAD_PATHS, item=str(SHIM)), *_plugin_edits(installation, document)]


def _local_service_edits(installation: Installation, _document: FrozenObject) -> list[Edit]:
    edits: list[Edit] = [PutJson(path=PROVIDER, value=installation.local_service())]
    if installation.token_in_file:
        secret = {"source": "file", "path": str(installation.token_file), "mode": "singleValue"}
        edits.insert(0, PutJson(path=_SECRETS, value=secret))
    return edits


_ROUTES: Mapping[Route, Callable[[Installation, FrozenObject], list[Edit]]] = {
    "linked": _linked_edits,
    "copied": _plugin_edits,
    "local-service": _local_service_edits,
}


def _leaves(tree: JsonObject, above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in tree.items():
        found += _leaves(value, (*above, key)) if isinstance(value, dict) else [((*above, key), value)]
    return found


def default_model_edit(document: FrozenObject) -> Edit:
    """Make ``oauthrouter/auto`` the agents' model, in whichever of its two spellings the file uses."""
    path = ("agents", "defaults", "model")
    if isinstance(value_at(document, path), str):
        return PutJson(path=path, value=DEFAULT_MODEL)
    return PutJson(path=(*path, "primary"), value=DEFAULT_MODEL)


def installed_route(document: FrozenObject) -> Route | None:
    """By which route the file already leads here."""
    paths = value_at(document, _LOAD_PATHS)
    if isinstance(paths, list) and str(SHIM) in paths:
        return "linked"
    if value_at(document, (*ENTRY, "enabled")):
        return "copied"
    return "local-service" if value_at(document, (*PROVIDER, "localService")) else None


def route_in(path: Path) -> Route | None:
    """The same of a file; ``None`` also when it cannot be read."""
    try:
        return installed_route(read(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return None


def selected(document: FrozenObject) -> bool:
    """Whether ``oauthrouter/auto`` is the agents' default model."""
    model = value_at(document, ("agents", "defaults", "model"))
    return (model.get("primary") if isinstance(model, dict) else model) == DEFAULT_MODEL


def configured_python(document: FrozenObject) -> str | None:
    """The interpreter the file names, by whichever route."""
    named = value_at(document, (*ENTRY, "config", PYTHON_KEY)) or value_at(document, (*PROVIDER, "localService", "command"))
    return named if isinstance(named, str) else None
