"""What OpenClaw's file says about this gateway: the settings that the gateway it starts runs with, for our commands to start from too."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.edits.json5_text import read, value_at
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.former import PROVIDER
from openclaw_oauthrouter.openclaw.installation import ENTRY, Route, installed_route
from openclaw_oauthrouter.openclaw.launch import CONFIG_VARIABLE
from openclaw_oauthrouter.openclaw.manifest import CONFIG_FILE_KEY, PYTHON_KEY

_REFERENCE = lazily(r"\$\{([A-Z_][A-Z0-9_]*)\}")


@value(frozen=True, slots=True)
class HostSettings:
    """Where and how OpenClaw starts this gateway.

    :ivar file: OpenClaw's configuration file
    :ivar layer: the plugin's configuration; it wins over our own file and the environment
    :ivar config: the configuration file the gateway is started with, where that is said
    :ivar environ: variables that OpenClaw sets for it
    """

    file: Path
    route: Route
    layer: JsonObject
    config: Path | None
    environ: Mapping[str, str]


def host_settings(path: Path, environ: Mapping[str, str]) -> HostSettings | None:
    """What the file says; ``None`` where it does not lead here, or cannot be read.

    :param path: ``openclaw.json``
    :param environ: of this process, for ``${NAME}`` in the file
    """
    try:
        document = read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return None
    route = installed_route(document)
    if route is None:
        return None
    if route == "local-service":
        return _local_service(path, document)
    variables = _variables(document)
    plugin = value_at(document, (*ENTRY, "config"), {})
    layer = _resolved(plugin if isinstance(plugin, dict) else {}, {**variables, **environ})
    named = layer.pop(CONFIG_FILE_KEY, None)
    layer.pop(PYTHON_KEY, None)
    return HostSettings(path, route, layer, Path(named) if isinstance(named, str) else None, variables)


def _local_service(path: Path, document: FrozenObject) -> HostSettings:
    service = value_at(document, (*PROVIDER, "localService"), {})
    given = service.get("env")
    variables = {name: text for name, text in (given if isinstance(given, dict) else {}).items() if isinstance(text, str)}
    words = service.get("args")
    words = words if isinstance(words, list) else []
    named = next((after for word, after in pairwise(words) if word == "--config"), None)
    config = named or variables.get(CONFIG_VARIABLE)
    return HostSettings(path, "local-service", {}, Path(config) if config else None, variables)


def _variables(document: FrozenObject) -> dict[str, str]:
    """``env`` of the file: names beside ``vars`` and below it."""
    env = value_at(document, ("env",), {})
    if not isinstance(env, dict):
        return {}
    nested = env.get("vars")
    return {
        name: text
        for name, text in {**env, **(nested if isinstance(nested, dict) else {})}.items()
        if isinstance(text, str) and text
    }


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:
    """The value with ``${NAME}`` filled in, as OpenClaw does before it hands the plugin its configuration."""
    if isinstance(value, dict):
        return {key: _resolved(item, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, environ) for item in value]
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: environ.get(found[1], found[0]), value)
    return value
