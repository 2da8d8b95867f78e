"""Passes on to the front office what came to another worker, and is no model's answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx

from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.proxy.asgi import CLIENT, Receive, Scope, Send
from openclaw_oauthrouter.proxy.client import Client
from openclaw_oauthrouter.proxy.envelopes import error_headers, json_error

_OF_ONE_CONNECTION = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer", b"date"})


class FrontOffice:
    """An ASGI application: the front office's, from afar.

    :param path: its socket
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport(uds=self._path)
        client: Client | None = scope.get("extensions", {}).get(CLIENT)
        if client is not None:
            client.watch()
        try:
            response = await self._transport.handle_async_request(_request(scope, receive))
        except (httpx.HTTPError, OSError):
            error = OAuthRouterError("the worker that answers this is being started; ask again", retry_after=1.0)
            error.status_code = 503
            body = json_error(error)
            head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *error_headers(error)]
            await send({"type": "http.response.start", "status": 503, "headers": head})
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        try:
            headers = [field for field in response.headers.raw if field[0].lower() not in _OF_ONE_CONNECTION]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            with suppress(httpx.HTTPError, OSError):
                async for chunk in response.stream:  # type: ignore[union-attr]
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        if self._transport is not None:
            await self._transport.aclose()


def _request(scope: Scope, receive: Receive) -> httpx.Request:
    path, query = scope["raw_path"], scope["query_string"]
    url = httpx.URL(scheme="http", host="office", raw_path=path + b"?" + query if query else path)
    headers = [field for field in scope["headers"] if field[0] not in _OF_ONE_CONNECTION]
    has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
    return httpx.Request(scope["method"], url, headers=headers, content=_body(receive) if has_body else None)


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise httpx.ReadError("the client left")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
