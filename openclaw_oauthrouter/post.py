"""The POST that asks a provider: an ``httpx.Request`` made of parts that are known to fit, at a fifth of the price."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import httpx

PORTS = {"http": 80, "https": 443}


class Address:
    """Where requests are posted, read once.

    :ivar shown: without its query, for traces
    :ivar origin: scheme, host and port; ``None`` where the scheme is neither http nor https
    :ivar host: the ``Host`` header's value
    :param url: absolute
    :raises httpx.InvalidURL: it is none
    """

    __slots__ = ("host", "origin", "shown", "url")

    def __init__(self, url: str) -> None:
        self.url = httpx.URL(url)
        self.shown = str(self.url).partition("?")[0]
        self.origin = origin_of(self.url)
        self.host = self.url.netloc


class Post(httpx.Request):
    """A POST of JSON.

    :param headers: all but the length of the body; the host is the address's, where they name none
    """

    def __init__(self, address: Address, headers: Mapping[str, str], body: bytes) -> None:
        # Not ``super().__init__``: it finds out what kind of body this is, parses the address, and gathers the headers four times.
        self.address = address
        self.method = "POST"
        self.url = address.url
        self.extensions = {}
        fields = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        if "host" not in headers and "Host" not in headers:
            fields.insert(0, (b"host", address.host))
        fields.append((b"content-length", b"%d" % len(body)))
        self.headers = httpx.Headers(fields)
        self.stream = httpx.ByteStream(body)
        self._content = body


@lru_cache(maxsize=256)
def address_of(url: str) -> Address:
    """Read once: that costs more than the rest of a request's head, and there are only a few."""
    return Address(url)


def origin_of(url: httpx.URL) -> tuple[str, str, int] | None:
    """Scheme, host and port."""
    port = PORTS.get(url.scheme)
    return None if port is None else (url.scheme, url.host, url.port or port)
