"""The HTTP transport for all upstreams: our own connections, and httpx's for the few proxies that are not plain HTTP."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import httpx

from openclaw_oauthrouter.config.upstream import UpstreamSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.upstream.certificates import create_context, extra_files
from openclaw_oauthrouter.upstream.http_pool import HttpPool
from openclaw_oauthrouter.upstream.proxies import Proxies, Proxy

KEEP_ALIVE_SECONDS = 15.0
"""Shorter than vendors keep idle connections, so that a request rarely meets one that was just closed."""

_PORTS = {"http": 80, "https": 443}


def create_transport(settings: UpstreamSettings) -> httpx.AsyncBaseTransport:
    """A transport for all upstreams. Opens nothing before its first request; close it with ``aclose()``.

    :raises ConfigurationError: a proxy or a file of certificates that is named cannot be used
    """
    environ = os.environ if settings.trust_env else {}
    extra = extra_files(settings.ca_file, environ)
    proxies = Proxies.read(getproxies(), _bypassed) if settings.trust_env else Proxies({})
    pool = HttpPool(
        settings.max_connections, KEEP_ALIVE_SECONDS, lambda: create_context(extra, environ.get("SSL_CERT_DIR")), proxies
    )
    odd = {proxy.url: _through(proxy, settings) for proxy in proxies.by_scheme.values() if not proxy.is_plain}
    return ProxiedTransport(pool, proxies, odd) if odd else pool


class ProxiedTransport(httpx.AsyncBaseTransport):
    """Hands requests that go through a SOCKS proxy, or one behind TLS, to httpx.

    :param direct: for all the others
    :param odd: by the proxy's address
    """

    def __init__(self, direct: HttpPool, proxies: Proxies, odd: Mapping[str, httpx.AsyncBaseTransport]) -> None:
        self._direct = direct
        self._proxies = proxies
        self._odd = odd

    def in_use(self) -> dict[str, int]:
        """See ``HttpPool.in_use``."""
        return self._direct.in_use()

    def waiting(self) -> dict[str, int]:
        """See ``HttpPool.waiting``."""
        return self._direct.waiting()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, by the way its host is reached."""
        url = request.url
        proxy = self._proxies.before(url.scheme, url.host, url.port or _PORTS.get(url.scheme, 0))
        if proxy is None or proxy.is_plain:
            return await self._direct.handle_async_request(request)
        if "accept-encoding" not in request.headers:
            request.headers["accept-encoding"] = "identity"
        try:
            response = await self._odd[proxy.url].handle_async_request(request)
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise httpx.ProxyError(f"through the proxy {proxy.shown}: {str(error) or type(error).__name__}") from error
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in (self._direct, *self._odd.values()):
            await transport.aclose()


def _bypassed(host: str) -> bool:
    # Where the environment names proxies, NO_PROXY alone excepts hosts, and that is read by ``Proxies``.
    return not any(name.lower().endswith("_proxy") for name in os.environ) and bool(proxy_bypass(host))


def _through(proxy: Proxy, settings: UpstreamSettings) -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(max_connections=settings.max_connections, keepalive_expiry=KEEP_ALIVE_SECONDS)
    try:
        return httpx.AsyncHTTPTransport(proxy=proxy.url, limits=limits, trust_env=True)
    except ImportError as error:
        raise ConfigurationError(
            f"the proxy {proxy.shown} needs the extra 'socks': pip install 'openclaw-oauthrouter[socks]'; "
            "or set upstream.trust_env to false to send without it"
        ) from error
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"the proxy {proxy.shown} cannot be used ({error})") from error
