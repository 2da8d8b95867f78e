"""The error envelope that OpenAI's dialects share, and words for what an upstream put in the place of a message."""

from __future__ import annotations

import json

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import OAuthRouterError


def encode_error(error: OAuthRouterError) -> JsonObject:
    """``{"error": {message, type, param, code}}``, all four always there."""
    return {"error": {"message": error.message, "type": error.error_type, "param": error.param, "code": error.code}}


def words_of(value: object, most: int) -> str:
    """Text as it is, any other JSON as JSON, cut to ``most`` characters."""
    if isinstance(value, str):
        return value[:most]
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:most]
    except RecursionError:
        return "the provider's reason is nested too deeply to be shown"
