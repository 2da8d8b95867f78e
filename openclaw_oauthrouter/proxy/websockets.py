"""WebSockets pass the same gate as everything else: web pages may open them to any address without asking."""

from __future__ import annotations

from openclaw_oauthrouter.errors import OAuthRouterError, RequestError
from openclaw_oauthrouter.proxy.asgi import Scope, Send, headers_of
from openclaw_oauthrouter.proxy.envelopes import json_error
from openclaw_oauthrouter.proxy.gate import Gate

_HTTP_ANSWER = "websocket.http.response"
"""ASGI extension: a refusal may be a whole HTTP answer."""


class NoWebSocketError(RequestError):
    """No WebSocket is spoken on this path; Codex CLI goes over to HTTP at once on this status, and on no other."""

    status_code = 426
    default_code = "no_websocket"


def refusal_of(scope: Scope, gate: Gate) -> OAuthRouterError:
    """Why a WebSocket is not opened: the gate's own reason for strangers, else that there is none on this path."""
    headers = headers_of(scope)
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
    try:
        gate.check_source(headers, scheme)
        gate.identify(headers)
    except OAuthRouterError as error:
        return error
    return NoWebSocketError(f"no WebSocket is spoken on {scope['path']!r}: send the request over HTTP")


async def refuse_websocket(scope: Scope, send: Send, error: OAuthRouterError) -> None:
    """Close before it is open; nothing is logged, for strangers could fill the log."""
    if _HTTP_ANSWER not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json_error(error)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if error.status_code == NoWebSocketError.status_code:
        headers.append((b"upgrade", b"HTTP/1.1"))
    await send({"type": f"{_HTTP_ANSWER}.start", "status": error.status_code, "headers": headers})
    await send({"type": f"{_HTTP_ANSWER}.body", "body": body})
