"""Answers of the paths that Quart serves."""

from __future__ import annotations

import orjson
from quart import Response, g

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.proxy.envelopes import error_headers, openai_envelope
from openclaw_oauthrouter.runtime import new_id


def json_response(value: JsonObject, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status, content_type="application/json")


def error_response(error: OAuthRouterError, dialect: Dialect | None = None) -> Response:
    """A refusal with its advice.

    :param dialect: what the client speaks, where that is known; the OpenAI shape otherwise
    """
    request_id = g.get("request_id") or new_id()
    body = dialect.encode_error(error, request_id) if dialect else openai_envelope(error)
    response = json_response(body, error.status_code)
    response.headers["x-request-id"] = request_id
    response.headers["cache-control"] = "no-store"
    for name, value in error_headers(error):
        response.headers[name.decode()] = value.decode()
    return response
