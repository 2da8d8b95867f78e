"""The input of a tool call that has come as text."""

from __future__ import annotations

from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject

_SAFE_DEPTH = 200
"""orjson writes 254 levels, reads four times as many, and some are needed for what stands around the input."""


def read_input(arguments: str) -> JsonObject:
    """The arguments as an object; text that is none (an answer cut short) is kept under a name of its own."""
    try:
        value = parsed(arguments)
    except ValueError:
        return {"_raw": arguments}
    return value if isinstance(value, dict) else {"_raw": arguments}


def parsed(arguments: str) -> Any:
    """The arguments as JSON; none at all are an empty object.

    :raises ValueError: they are not JSON, or nested more deeply than can be written again
    """
    value = orjson.loads(arguments) if arguments.strip() else {}
    if arguments.count("[") + arguments.count("{") > _SAFE_DEPTH:
        try:
            orjson.dumps([[[[[[[[value]]]]]]]])
        except orjson.JSONEncodeError as error:
            raise ValueError("nested too deeply") from error
    return value
