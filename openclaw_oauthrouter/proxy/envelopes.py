"""Errors as HTTP answers, in the dialect of the path they happened on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import orjson

from openclaw_oauthrouter.errors import CredentialError, OAuthRouterError, UpstreamAuthenticationError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.proxy.asgi import Headers, Send

_NO_RETRY = (CredentialError, UpstreamAuthenticationError)
# A 401 would make clients drop their own key; a 503 that SDKs retry would only repeat the refusal.


def openai_envelope(error: OAuthRouterError) -> dict[str, object]:
    """The error object for paths that belong to no dialect."""
    return {"error": {"message": error.message, "type": error.error_type, "param": error.param, "code": error.code}}


def json_error(error: OAuthRouterError) -> bytes:
    """``openai_envelope`` as it travels."""
    return orjson.dumps(openai_envelope(error))


def error_headers(error: OAuthRouterError) -> Headers:
    """Advice that travels in headers."""
    headers: Headers = []
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(0, math.ceil(error.retry_after))).encode()))
    if isinstance(error, _NO_RETRY):
        headers.append((b"x-should-retry", b"false"))
    return headers


async def send_error(send: Send, error: OAuthRouterError, dialect: Dialect | None, request_id: str, extra: Headers) -> None:
    """Answer with an error."""
    body = dialect.encode_error(error, request_id) if dialect else openai_envelope(error)
    await send_json(send, error.status_code, orjson.dumps(body), [*error_headers(error), *extra])


async def send_json(send: Send, status: int, body: bytes, extra: Headers) -> None:
    """Answer with a JSON body."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def encode_headers(values: Mapping[str, str]) -> Headers:
    """Header fields as ASGI wants them; line breaks and other controls cannot occur in values."""
    return [(name.lower().encode("latin-1"), _field(value)) for name, value in values.items()]


def _field(value: str) -> bytes:
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    return value.encode("latin-1", "replace")
