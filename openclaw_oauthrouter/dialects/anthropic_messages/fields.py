"""Reads fields of a client's JSON; whatever has the wrong shape is a 400 that names the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar, cast

from openclaw_oauthrouter.canonical.json import MAX_INTEGER, JsonObject
from openclaw_oauthrouter.errors import InvalidRequestError

T = TypeVar("T")

_WORDS: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    dict: "an object",
    list: "a list",
}


def required(holder: JsonObject, key: str, kind: type[T], at: str = "") -> T:
    """A field that must be there.

    :param at: where ``holder`` stands, e.g. ``messages.0``
    """
    value = optional(holder, key, kind, at)
    if value is None:
        refuse(_join(at, key), "Field required")
    return value


def optional(holder: JsonObject, key: str, kind: type[T], at: str = "") -> T | None:
    """A field that may be missing or null."""
    value = holder.get(key)
    return None if value is None else checked(value, kind, _join(at, key))


def checked(value: object, kind: type[T], at: str) -> T:
    """A value of the right type; an integer is a number, a boolean is neither."""
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        refuse(at, f"Input should be {_WORDS[kind]}")
    if kind is int and abs(cast("int", value)) > MAX_INTEGER:
        refuse(at, f"Input should be at most {MAX_INTEGER}")
    return value  # type: ignore[return-value]


def objects(value: list[Any], at: str) -> Iterator[tuple[str, JsonObject]]:
    """The objects in a list, each with where it stands."""
    for position, item in enumerate(value):
        yield f"{at}.{position}", checked(item, dict, f"{at}.{position}")


def refuse(at: str, problem: str) -> NoReturn:
    """Turn the request down."""
    raise InvalidRequestError(f"{at}: {problem}", param=at)


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
