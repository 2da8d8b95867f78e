"""Our errors, in OpenAI's envelope."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import OAuthRouterError


def encode_error(error: OAuthRouterError) -> JsonObject:
    """``{"error": {message, type, param, code}}``."""
    return {"error": {"message": error.message, "type": error.error_type, "param": error.param, "code": error.code}}
