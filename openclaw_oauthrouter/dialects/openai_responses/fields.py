"""Reads a client's JSON so that a wrong type is a 400 that names the parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from openclaw_oauthrouter.canonical.json import MAX_INTEGER, JsonObject
from openclaw_oauthrouter.errors import InvalidRequestError

T = TypeVar("T")


def string(value: object, param: str) -> str:
    """A string.

    :raises InvalidRequestError: it is something else
    """
    if not isinstance(value, str):
        raise _wrong(param, "a string")
    return value


def count(value: object, param: str) -> int:
    """A whole number from 1 up."""
    asked = number(value, param)
    if not 1 <= asked <= MAX_INTEGER or asked != int(asked):
        raise _wrong(param, f"a whole number from 1 to {MAX_INTEGER}")
    return int(asked)


def number(value: object, param: str) -> float:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(param, "a number")
    return float(value)


def boolean(value: object, param: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong(param, "a boolean")
    return value


def mapping(value: object, param: str) -> JsonObject:
    """An object."""
    if not isinstance(value, dict):
        raise _wrong(param, "an object")
    return value


def array(value: object, param: str) -> list[object]:
    """A list of anything."""
    if not isinstance(value, list):
        raise _wrong(param, "a list")
    return value


def mappings(value: object, param: str) -> list[JsonObject]:
    """A list of objects."""
    if not isinstance(value, list):
        raise _wrong(param, "a list of objects")
    for position, entry in enumerate(value):
        mapping(entry, f"{param}[{position}]")
    return cast("list[JsonObject]", value)


def optional(read: Callable[[object, str], T], body: JsonObject, name: str, within: str = "") -> T | None:
    """A field that may be absent or null.

    :param within: where ``body`` lies, as the client spelt it
    """
    value = body.get(name)
    return None if value is None else read(value, f"{within}.{name}" if within else name)


def _wrong(param: str, wanted: str) -> InvalidRequestError:
    return InvalidRequestError(f"{param!r} must be {wanted}", param=param)
