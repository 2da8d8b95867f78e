"""The HTTP transport for all upstreams: our own connections, and httpx's where a proxy of the user's has to be obeyed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import httpx

from openclaw_oauthrouter.config.upstream import UpstreamSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.upstream.http_pool import HttpPool

KEEP_ALIVE_SECONDS = 15.0
"""Shorter than vendors keep idle connections, so that a request rarely meets one that was just closed."""

_SCHEMES = ("http", "https")


def create_transport(settings: UpstreamSettings) -> httpx.AsyncBaseTransport:
    """A transport for all upstreams. Opens nothing before its first request; close it with ``aclose()``.

    :raises ConfigurationError: the environment names a proxy that cannot be used
    """
    direct = HttpPool(
        settings.max_connections, KEEP_ALIVE_SECONDS, lambda: httpx.create_ssl_context(trust_env=settings.trust_env)
    )
    named = getproxies() if settings.trust_env else {}
    proxies = {scheme: _through(scheme, named[scheme], settings) for scheme in _SCHEMES if named.get(scheme)}
    return ProxiedTransport(direct, proxies) if proxies else direct


class ProxiedTransport(httpx.AsyncBaseTransport):
    """Obeys HTTP_PROXY, HTTPS_PROXY and NO_PROXY, or what the system says instead.

    :param direct: for hosts that no proxy stands before
    :param proxied: by the scheme of the address
    """

    def __init__(self, direct: httpx.AsyncBaseTransport, proxied: Mapping[str, httpx.AsyncBaseTransport]) -> None:
        self._direct = direct
        self._proxied = proxied
        self._bypassed: dict[str, bool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, by the way its host is reached."""
        transport = self._proxied.get(request.url.scheme)
        if transport is None or self._bypasses(request.url.host):
            return await self._direct.handle_async_request(request)
        if "accept-encoding" not in request.headers:
            request.headers["accept-encoding"] = "identity"
        response = await transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in (self._direct, *self._proxied.values()):
            await transport.aclose()

    def _bypasses(self, host: str) -> bool:
        # Asked once a host: some systems look names up to answer. There are only as many hosts as providers.
        if host not in self._bypassed:
            self._bypassed[host] = bool(proxy_bypass(host))
        return self._bypassed[host]


def _through(scheme: str, proxy: str, settings: UpstreamSettings) -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(max_connections=settings.max_connections, keepalive_expiry=KEEP_ALIVE_SECONDS)
    try:
        return httpx.AsyncHTTPTransport(proxy=proxy, limits=limits, trust_env=True)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(
            f"the {scheme} proxy that the environment names cannot be used ({error}); "
            f"correct {scheme.upper()}_PROXY, or set upstream.trust_env to false to send without it"
        ) from error
