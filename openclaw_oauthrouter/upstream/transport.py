"""The HTTP transport for all upstreams: our own connections, or httpx's client where a proxy of the user's has to be obeyed."""

from __future__ import annotations

from urllib.request import getproxies

import httpx

from openclaw_oauthrouter.config.upstream import UpstreamSettings
from openclaw_oauthrouter.upstream.http_pool import HttpPool

KEEP_ALIVE_SECONDS = 15.0
"""Shorter than vendors keep idle connections, so that a request rarely meets one that was just closed."""


def create_transport(settings: UpstreamSettings) -> httpx.AsyncBaseTransport:
    """A transport for all upstreams. Opens nothing before its first request; close it with ``aclose()``."""
    if settings.trust_env and getproxies():
        return ProxiedTransport(settings)
    return HttpPool(settings.max_connections, KEEP_ALIVE_SECONDS, lambda: httpx.create_ssl_context(trust_env=settings.trust_env))


class ProxiedTransport(httpx.AsyncBaseTransport):
    """Obeys HTTP_PROXY, HTTPS_PROXY and NO_PROXY as httpx's client does; slower, but only the client knows how."""

    def __init__(self, settings: UpstreamSettings) -> None:
        limits = httpx.Limits(max_connections=settings.max_connections, keepalive_expiry=KEEP_ALIVE_SECONDS)
        self._client = httpx.AsyncClient(limits=limits, trust_env=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as it is: the client adds nothing to one that it did not build."""
        if "accept-encoding" not in request.headers:
            request.headers["accept-encoding"] = "identity"
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
