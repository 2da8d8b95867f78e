"""Reads somebody else's JSON: the right type comes out, or a 400 that names the field.

Hand-written rather than a pydantic model: a 100 kB history is walked once, unknown fields are nobody's business here, and the
error names the parameter the way OpenAI's own API does (``messages[3].content``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from openclaw_oauthrouter.canonical.json import MAX_INTEGER, FrozenObject
from openclaw_oauthrouter.errors import InvalidRequestError

_T = TypeVar("_T")


def refuse(path: str, problem: str) -> NoReturn:
    """Raise the 400 for the field at ``path``."""
    raise InvalidRequestError(f"Invalid '{path}': {problem}.", param=path)


def text(holder: FrozenObject, key: str, path: str = "") -> str:
    """A string that must be there and hold something."""
    found = optional_text(holder, key, path)
    if not found:
        refuse(_join(path, key), "expected a string that is not empty" if key in holder else "it is required")
    return found


def optional_text(holder: FrozenObject, key: str, path: str = "") -> str | None:
    """A string, or nothing."""
    found: str | None = _optional(holder, key, path, str, "a string")
    return found


def optional_bool(holder: FrozenObject, key: str, path: str = "") -> bool | None:
    """A boolean, or nothing."""
    found: bool | None = _optional(holder, key, path, bool, "true or false")
    return found


def optional_number(holder: FrozenObject, key: str, path: str = "") -> float | None:
    """A number, or nothing."""
    value = holder.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(_join(path, key), f"expected a number, not {_name(value)}")
    return value


def optional_count(holder: FrozenObject, key: str, path: str = "") -> int | None:
    """A whole number from 1 up, or nothing."""
    value = optional_number(holder, key, path)
    if value is None:
        return None
    if not 1 <= value <= MAX_INTEGER or value != int(value):
        refuse(_join(path, key), f"expected a whole number from 1 to {MAX_INTEGER}")
    return int(value)


def optional_object(holder: FrozenObject, key: str, path: str = "") -> FrozenObject | None:
    """An object, or nothing."""
    found: FrozenObject | None = _optional(holder, key, path, Mapping, "an object")
    return found


def object_at(holder: FrozenObject, key: str, path: str = "") -> FrozenObject:
    """An object that must be there."""
    found = optional_object(holder, key, path)
    if found is None:
        refuse(_join(path, key), "it is required")
    return found


def objects(holder: FrozenObject, key: str, path: str = "") -> Iterator[tuple[str, FrozenObject]]:
    """The objects of a list with the path of each; none when the field is absent."""
    entries = _optional(holder, key, path, list, "a list") or []
    for position, entry in enumerate(entries):
        at = f"{_join(path, key)}[{position}]"
        if not isinstance(entry, Mapping):
            refuse(at, f"expected an object, not {_name(entry)}")
        yield at, entry


def choose(table: Mapping[str, Callable[..., _T]], word: str, path: str) -> Callable[..., _T]:
    """The row of a table that a word of the client's selects."""
    row = table.get(word)
    if row is None:
        refuse(path, f"{word[:64]!r} is not one of {', '.join(table)}")
    return row


def _optional(holder: FrozenObject, key: str, path: str, kind: type[Any], words: str) -> Any:
    value = holder.get(key)
    if value is None or isinstance(value, kind):
        return value
    refuse(_join(path, key), f"expected {words}, not {_name(value)}")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


_NAMES = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _name(value: object) -> str:
    return _NAMES.get(type(value), "null")
