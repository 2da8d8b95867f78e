"""The effective settings as rows for people: key, value, source; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr

from openclaw_oauthrouter.config.loading import LoadedSettings

MASK = "********"
_SECRET_HEADERS = ("authorization", "key", "token", "cookie", "secret")


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
        for name, item in value.items():
            yield from _walk(_mask_header(prefix, str(name), item), f"{prefix}.{name}")
    else:
        yield prefix, _plain(value)


def _mask_header(prefix: str, name: str, item: object) -> object:
    # Users put credentials into plain headers; a name that smells of one is enough to hide the value.
    if prefix.endswith(".headers") and any(word in name.lower() for word in _SECRET_HEADERS):
        return MASK
    return item


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, BaseModel):
        return dict(_walk(value, ""))
    return value if isinstance(value, (str, int, float, bool, type(None), dict)) else str(value)
