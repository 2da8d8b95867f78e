"""The effective settings as rows for people: key, value, source; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr

from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.config.urls import MASK, without_userinfo

__all__ = ["MASK", "SettingRow", "effective_rows"]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting.

    :ivar key: dotted, snake_case
    :ivar source: ``default``, ``file …``, ``environment NAME`` or ``argument``
    """

    key: str
    value: object
    source: str


def effective_rows(loaded: LoadedSettings) -> list[SettingRow]:
    """Every setting in force."""
    return [
        SettingRow(key, value, loaded.sources.get(key) or _source_above(key, loaded.sources))
        for key, value in _walk(loaded.settings, "")
    ]


def _source_above(key: str, sources: Mapping[str, str]) -> str:
    while "." in key:
        key = key.rpartition(".")[0]
        if key in sources:
            return sources[key]
    return "default"


def _walk(value: object, prefix: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, dict) and value:
        # Users put credentials into plain headers, and no list of names tells which.
        masked = prefix.rpartition(".")[2] == "headers"
        for name, item in value.items():
            yield from _walk(MASK if masked else item, f"{prefix}.{name}")
    else:
        yield prefix, _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, BaseModel):
        return dict(_walk(value, ""))
    if isinstance(value, str):
        return without_userinfo(value)
    return value if isinstance(value, (int, float, bool, type(None), dict)) else str(value)
