"""Builds the settings: defaults, configuration file, environment, what a host says, arguments; remembers where each came from."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.config.section import Section
from openclaw_oauthrouter.config.spelling import snake
from openclaw_oauthrouter.config.urls import without_userinfo
from openclaw_oauthrouter.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENVIRONMENT: Mapping[str, str] = {
    "OAUTHROUTER_LISTEN_HOST": "server.listen_host",
    "OAUTHROUTER_PORT": "server.port",
    "OAUTHROUTER_LOCAL_TOKEN": "server.auth_token",
    "OAUTHROUTER_HOME": "home",
    "OAUTHROUTER_STATE_URL": "state_url",
    "OAUTHROUTER_LOG_LEVEL": "telemetry.log_level",
    "OAUTHROUTER_LOG_FORMAT": "telemetry.log_format",
    "OAUTHROUTER_DEBUG_UPSTREAM_LOG": "upstream.debug_log.enabled",
    "OAUTHROUTER_DEBUG_UPSTREAM_LOG_SECONDS": "upstream.debug_log.seconds",
    "OAUTHROUTER_DEBUG_UPSTREAM_LOG_MAX_CHARS": "upstream.debug_log.max_chars",
    "OAUTHROUTER_DEBUG_UPSTREAM_LOG_PATH": "upstream.debug_log.path",
    "OPENCLAW_STATE_DIR": "credentials.openclaw_state_dir",
}
"""Environment variable -> setting. Credentials (``ANTHROPIC_API_KEY``, …) are read by the credential sources instead."""

SHORTHANDS: Mapping[str, str] = {
    "port": "server.port",
    "listen_host": "server.listen_host",
    "auth_token": "server.auth_token",
    "proxy_auth_token": "server.auth_token",
    "routing_config": "routing",
}
"""The original's top-level spelling -> where the setting lives here."""

_BYTE_ORDER_MARK = "\ufeff"
_FILE_NAMES = ("config.toml", "config.json")


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, with their provenance.

    :ivar sources: dotted key -> ``file …``, ``environment NAME``, the host's file or ``argument``; keys not listed have their default
    :ivar environ: the environment they were read from
    :ivar path: the configuration file, if there is one
    :ivar host: the host's file whose settings are laid over ours, if one leads here
    """

    settings: Settings
    sources: Mapping[str, str]
    environ: Mapping[str, str]
    path: Path | None
    host: str | None = None


def load_settings(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    host: tuple[str, Mapping[str, object]] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """Read all sources.

    :param path: configuration file; ``OAUTHROUTER_CONFIG``, else ``config.toml`` or ``config.json`` in the state folder, when absent
    :param environ: the process's own when absent
    :param host: a host's file, and what it says
    :param overrides: arguments: nested mappings, camelCase or snake_case, shorthands of the original included
    :raises ConfigurationError: naming the key, the value and what is allowed
    """
    environ = process_environment() if environ is None else environ
    found = _find_file(path, environ)
    tree: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = [
        (f"file {found}", _read_file(found) if found else {}),
        *((f"environment {name}", layer) for name, layer in _environment_layers(environ)),
        *([(host[0], dict(host[1]))] if host else []),
        ("argument", dict(overrides or {})),
    ]
    for source, layer in layers:
        normal = _expand_shorthands(snake_keys(layer))
        _merge(tree, normal)
        sources |= dict.fromkeys(_leaves(normal), source)
    return LoadedSettings(_validate(tree, sources), sources, environ, found, host[0] if host else None)


def check_settings(tree: Mapping[str, object]) -> Settings:
    """Whether settings by themselves are right, spelt either way.

    :raises ConfigurationError: naming the key, the value and what is allowed
    """
    return _validate(_expand_shorthands(snake_keys(tree)), {})


def _find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(environ["OAUTHROUTER_CONFIG"]) if environ.get("OAUTHROUTER_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigurationError(
                f"configuration file {str(named)!r} does not exist", advice=f"openclaw-oauthrouter config init --config {named}"
            )
        return named
    home = environ.get("OAUTHROUTER_HOME")
    folder = Path(home) if home else Path.home() / ".openclaw" / "oauthrouter"
    return next((folder / name for name in _FILE_NAMES if (folder / name).is_file()), None)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith(_BYTE_ORDER_MARK):
            raise ValueError("it begins with a byte order mark; save it as UTF-8 without one")
        tree = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigurationError(f"configuration file {str(path)!r} cannot be read: {error}") from error
    except RecursionError:
        raise ConfigurationError(f"configuration file {str(path)!r} cannot be read: it is nested too deeply") from None
    if not isinstance(tree, dict):
        raise ConfigurationError(
            f"configuration file {str(path)!r} must hold one object at its top", advice="openclaw-oauthrouter config edit"
        )
    return tree


def _environment_layers(environ: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, key in ENVIRONMENT.items():
        if environ.get(name):
            yield name, _nest(key, environ[name])


def _nest(key: str, value: object) -> dict[str, Any]:
    head, _, rest = key.partition(".")
    return {head: _nest(rest, value) if rest else value}


NAMED_BY_THE_USER = frozenset({"providers", "tiers", "aliases", "headers", "model_map", "client_keys"})
"""Below these the keys are names the user made up (or wire names): they keep their spelling."""


def snake_keys(tree: Mapping[str, Any], *, verbatim: bool = False) -> dict[str, Any]:
    """Settings in snake_case, however they are spelt; names that the user has given stay.

    :param verbatim: the keys of the top are such names
    """
    out: dict[str, Any] = {}
    for key, value in tree.items():
        name = key if verbatim else snake(str(key))
        out[name] = _snake_value(value, verbatim=not verbatim and name in NAMED_BY_THE_USER)
    return out


def _snake_value(value: object, *, verbatim: bool) -> object:
    if isinstance(value, Section):
        return snake_keys(value.model_dump(exclude_unset=True), verbatim=verbatim)
    if isinstance(value, Mapping):
        return snake_keys(value, verbatim=verbatim)
    if isinstance(value, (list, tuple)):
        return [_snake_value(item, verbatim=False) for item in value]
    return value


def _expand_shorthands(tree: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in tree.items():
        _merge(out, _nest(SHORTHANDS[key], value) if key in SHORTHANDS else {key: value})
    return out


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        present = into.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            _merge(present, value)
        else:
            into[key] = value


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{name}.")
        else:
            yield name


def _validate(tree: dict[str, Any], sources: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(tree)
    except ValueError as error:
        from pydantic import ValidationError

        if not isinstance(error, ValidationError):
            raise
        lines = [_describe(detail, sources) for detail in error.errors(include_url=False)]
        raise ConfigurationError(
            "the configuration is wrong:\n  " + "\n  ".join(lines), advice="openclaw-oauthrouter config edit"
        ) from None


def _describe(detail: ErrorDetails, sources: Mapping[str, str]) -> str:
    key = ".".join(snake(part) if isinstance(part, str) else str(part) for part in detail["loc"])
    source = next((where for leaf, where in sources.items() if leaf == key or leaf.startswith(f"{key}.")), "")
    where = f" ({source})" if source else ""
    if detail["type"] == "extra_forbidden":
        return f"{key}{where}: no such setting{_suggest(detail['loc'])}"
    meant = _choice_meant(detail)
    if detail["loc"][-1] == "[key]":
        # What stands before a value, not the value: the name of a tier, and no secret.
        table, name = ".".join(key.split(".")[:-2]), detail["loc"][-2]
        return f"{table}{where}: there is no {str(name)[:80]!r} here{meant} ({detail['msg']})"
    return f"{key}{where}: {detail['msg']}, got {_shown(key, detail['input'])}{meant}"


def _choice_meant(detail: ErrorDetails) -> str:
    """What was probably meant, where only certain words are allowed."""
    expected = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
    given = detail["loc"][-2] if detail["loc"][-1] == "[key]" else detail["input"]
    if not isinstance(given, str):
        return ""
    by_lower = {word.lower(): word for word in expected}
    close = get_close_matches(given.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def _shown(key: str, value: object) -> str:
    # A key or token often stands where a table should be: below these nothing is repeated, whatever it is called.
    words = ("token", "key", "value", "secret", "header")
    if key.partition(".")[0] == "providers" or any(word in key for word in words):
        return f"a value of type {type(value).__name__!r}"
    return f"{without_userinfo(repr(value)):.80}"


def _suggest(location: tuple[int | str, ...]) -> str:
    names = names_at(location[:-1])
    close = get_close_matches(snake(str(location[-1])), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} (known here: {', '.join(sorted(names))})" if names else hint


def names_at(location: tuple[int | str, ...]) -> list[str]:
    """The settings there are at a place."""
    model: Any = Settings
    for part in location:
        model = _step(model, str(part))
        if model is None:
            return []
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, Section) else []


def _step(model: Any, part: str) -> Any:
    if isinstance(model, type) and issubclass(model, Section):
        info = model.model_fields.get(snake(part))
        return info.annotation if info else None
    # A container: its last type argument is what it holds.
    arguments = [item for item in getattr(model, "__args__", ()) if item not in (type(None), Ellipsis)]
    inner = arguments[-1] if arguments else None
    return _step(inner, part) if inner is not None and getattr(inner, "__args__", None) else inner
