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
    :ivar target: path and query, as the first line of a request has them
    :param url: absolute
    :raises httpx.InvalidURL: it is none
    """

    __slots__ = ("host", "origin", "shown", "target", "url")

    def __init__(self, url: str) -> None:
        self.url = httpx.URL(url)
        self.shown = str(self.url).partition("?")[0]
        self.origin = origin_of(self.url)
        self.host = self.url.netloc.decode("ascii")
        self.target = self.url.raw_path


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
        self._content = body
        named = "host" in headers or "Host" in headers
        self._fields = {**headers} if named else {"host": address.host, **headers}
        self._fields["content-length"] = str(len(body))
        self._headers: httpx.Headers | None = None

    @property
    def headers(self) -> httpx.Headers:  # type: ignore[override] # httpx has a plain attribute
        """As httpx has them: made for who asks, which costs more than writing them to the wire."""
        if self._headers is None:
            self._headers = httpx.Headers([(name.encode("ascii"), value.encode("ascii")) for name, value in self._fields.items()])
        return self._headers

    @property
    def content(self) -> bytes:
        """The body."""
        return self._content

    @property
    def stream(self) -> httpx.ByteStream:  # type: ignore[override] # as above
        """The body, for a transport of httpx's own."""
        return httpx.ByteStream(self._content)

    def say(self, name: str, value: str) -> None:
        """Set a header."""
        if self._headers is None:
            self._fields[name] = value
        else:
            self._headers[name] = value

    def lines(self) -> tuple[bytes, int]:
        """The headers as they are written, with line breaks between them, and how many they are.

        :raises UnicodeEncodeError: one is not ASCII
        """
        if self._headers is not None:
            return lines_of(self._headers)
        written = [f"{name}: {value}" for name, value in self._fields.items()]
        return "\r\n".join(written).encode("ascii"), len(written)


def lines_of(headers: httpx.Headers) -> tuple[bytes, int]:
    """The same of any request's headers."""
    written = [b"%b: %b" % field for field in headers.raw]
    return b"\r\n".join(written), len(written)


@lru_cache(maxsize=256)
def address_of(url: str) -> Address:
    """Read once: that costs more than the rest of a request's head, and there are only a few."""
    return Address(url)


def origin_of(url: httpx.URL) -> tuple[str, str, int] | None:
    """Scheme, host and port."""
    port = PORTS.get(url.scheme)
    return None if port is None else (url.scheme, url.host, url.port or port)
