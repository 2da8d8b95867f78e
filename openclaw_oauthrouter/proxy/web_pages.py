"""Web pages that the operator allowed (``server.allowed_origins``): what their browsers ask before a request, and must read on answers."""

from __future__ import annotations

from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.proxy.asgi import Headers, Message, Scope, Send, headers_of
from openclaw_oauthrouter.proxy.envelopes import send_error
from openclaw_oauthrouter.proxy.gate import Gate

_METHODS = b"GET, POST, DELETE, OPTIONS"
_EXPOSED = b"*"
_REMEMBER_SECONDS = b"600"


def listed_origin(scope: Scope, origins: frozenset[str]) -> bytes | None:
    """The page that a request comes from, if it is one of those allowed."""
    for name, value in scope["headers"]:
        if name == b"origin":
            return bytes(value) if value.decode("latin-1") in origins else None
    return None


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if it may ask."""
    return scope["method"] == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in scope["headers"])


async def answer_preflight(scope: Scope, send: Send, gate: Gate, origin: bytes) -> None:
    """Allow it, without a token, which browsers do not send along."""
    headers = headers_of(scope["headers"])
    try:
        gate.check_source(headers, scope.get("scheme", "http"))
    except OAuthRouterError as error:
        await send_error(send, error)
        return
    wanted = headers.get("access-control-request-headers", "")
    fields: Headers = [
        *_allowing(origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-max-age", _REMEMBER_SECONDS),
    ]
    if wanted:
        fields.append((b"access-control-allow-headers", wanted.encode("latin-1")))
    if headers.get("access-control-request-private-network") == "true":
        fields.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": fields})
    await send({"type": "http.response.body", "body": b""})


def allowing(send: Send, origin: bytes) -> Send:
    """``send``, with what lets a page's script read the answer, an error included."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                *_allowing(origin),
                (b"access-control-expose-headers", _EXPOSED),
            ]
        await send(message)

    return sending


def _allowing(origin: bytes) -> Headers:
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
