"""The input of a tool call that has come as text."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject


def read_input(arguments: str) -> JsonObject:
    """The arguments as an object; text that is none (an answer cut short) is kept under a name of its own."""
    try:
        value = orjson.loads(arguments) if arguments.strip() else {}
    except orjson.JSONDecodeError:
        return {"_raw": arguments}
    return value if isinstance(value, dict) else {"_raw": arguments}
