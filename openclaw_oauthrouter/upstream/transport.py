"""The HTTP transport: httpx's interface over aiohttp's connection pool.

httpx's own pool scans every connection on each request, which at 32 concurrent streams costs more than all our work together.
"""

from __future__ import annotations

from urllib.request import getproxies

import httpx

from openclaw_oauthrouter.config.upstream import UpstreamSettings

KEEP_ALIVE_SECONDS = 15.0
"""Shorter than vendors keep idle connections, so that a request rarely meets one that was just closed."""


def create_transport(settings: UpstreamSettings) -> httpx.AsyncBaseTransport:
    """A transport for all upstreams. Opens nothing before its first request; close it with ``aclose()``."""
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    class Transport(AiohttpTransport):
        """Also translates what the library lets through: answers that are not HTTP."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return await super().handle_async_request(request)
            except aiohttp.ClientError as error:
                # Not its words: they quote the bytes that came.
                raise httpx.RemoteProtocolError(f"its answer is not HTTP ({type(error).__name__})") from error

    def open_session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=settings.max_connections,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=httpx.create_ssl_context(trust_env=settings.trust_env),
        )
        # Without the dummy jar one client's cookies would travel with the next client's request. Without a proxy to obey, trust_env
        # would only make aiohttp look for one in a thread, twice a request.
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=settings.trust_env and bool(getproxies()),
            read_bufsize=2**18,
            skip_auto_headers=("user-agent",),
        )

    # The session brings its own, verifying context; "False" only keeps the library from loading the certificates a second time.
    return Transport(verify=False, client=open_session)
