"""The effective settings as rows for people: key, value, source; secrets masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.config.section import SecretStr, Section
from openclaw_oauthrouter.config.urls import MASK, without_userinfo

__all__ = ["MASK", "SettingRow", "changes", "effective_rows"]


@value(frozen=True, slots=True)
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


def changes(old: Settings, new: Settings) -> list[str]:
    """What differs between two configurations, one line a setting, secrets masked: ``spend_controls.daily_cost_budget: 5.0 -> None``."""
    before, after = dict(_walk(old, "", secrets=True)), dict(_walk(new, "", secrets=True))
    shown_before, shown_after = dict(_walk(old, "")), dict(_walk(new, ""))
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            lines.append(f"{key}: {_brief(shown_before[key])} -> gone")
        elif key not in before:
            lines.append(f"{key}: new, {_brief(shown_after[key])}")
        elif before[key] != after[key]:
            lines.append(f"{key}: {_brief(shown_before[key])} -> {_brief(shown_after[key])}")
    return lines


def _brief(value: object) -> str:
    return f"{value!r:.100}"


def _source_above(key: str, sources: Mapping[str, str]) -> str:
    while "." in key:
        key = key.rpartition(".")[0]
        if key in sources:
            return sources[key]
    return "default"


def _walk(value: object, prefix: str, *, secrets: bool = False) -> Iterator[tuple[str, object]]:
    if isinstance(value, Section):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), f"{prefix}.{name}" if prefix else name, secrets=secrets)
    elif isinstance(value, dict) and value:
        # Users put credentials into plain headers, and no list of names tells which.
        masked = prefix.rpartition(".")[2] == "headers" and not secrets
        for name, item in value.items():
            yield from _walk(MASK if masked else item, f"{prefix}.{name}", secrets=secrets)
    else:
        yield prefix, value if secrets else _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Section):
        given = value.model_fields_set  # of a list's items nobody wants to see what all of them are by default
        return {key: item for key, item in _walk(value, "") if key.partition(".")[0] in given}
    if isinstance(value, str):
        return without_userinfo(value)
    return value if isinstance(value, (int, float, bool, type(None), dict)) else str(value)
