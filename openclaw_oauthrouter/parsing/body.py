"""A request's body as JSON: strict, and nothing that could not be written again."""

from __future__ import annotations

import json

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.errors import InvalidRequestError


def parse_body(body: bytes) -> JsonObject:
    """A request's body as a JSON object.

    :raises InvalidRequestError: it is something else
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRequestError(f"the body must be a JSON object, not {type(value).__name__}")
    if len(body) > _LEAST_DEEP:
        try:
            # More can be read than written again. The lists leave room for the levels that a translation adds.
            orjson.dumps([[[[[[[[value]]]]]]]])
        except orjson.JSONEncodeError:
            raise InvalidRequestError("the body is nested too deeply") from None
    if _has_long_number(body):
        exact: JsonObject = json.loads(body, parse_int=_exactly)
        return exact
    return value


_LEAST_DEEP = 2 * 240
"""Bytes of a body that holds more levels than can be written: each of them takes two."""

_LONG = lazily(rb"\d{19}")
"""May begin a whole number beyond 64 bits, which the fast parser turns into a float."""
_STRIDE, _IN_A_ROW = 6, 3
"""Of 19 digits in a row, every sixth byte hits three at least."""
_DIGIT_OR_NOT = bytes(48 <= byte <= 57 for byte in range(256))


def _has_long_number(body: bytes) -> bool:
    # A regular expression over all of a long prompt takes five times as long as parsing it; this takes a third.
    sampled = body[::_STRIDE].translate(_DIGIT_OR_NOT)
    at = sampled.find(b"\x01" * _IN_A_ROW)
    while at >= 0:
        end = sampled.find(b"\x00", at)
        end = len(sampled) if end < 0 else end
        found = _LONG.search(body, max(0, (at - 1) * _STRIDE), (end + 1) * _STRIDE)
        if found is not None and _stands_alone(body, found.start()):
            return True
        at = sampled.find(b"\x01" * _IN_A_ROW, end)
    return False


def _stands_alone(body: bytes, at: int) -> bool:
    """Whether digits come where a number may, rather than within a word."""
    at -= 1 + (body[at - 1 : at] == b"-")
    while at >= 0 and body[at] in b" \t\r\n":
        at -= 1
    return at >= 0 and body[at] in b":[,"


def _exactly(digits: str) -> int | orjson.Fragment:
    """A whole number; one that no 64 bits hold is written again as it came."""
    number = int(digits) if len(digits) <= 20 else 2**64
    return number if -(2**63) <= number < 2**64 else orjson.Fragment(digits)
