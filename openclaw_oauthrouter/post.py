"""The POST that asks a provider: an ``httpx.Request`` made of parts that are known to fit, at a fifth of the price."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import httpx

PORTS = {"http": 80, "https": 443}

_MOST_HEADS = 64
"""Different heads that a provider remembers."""


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


class Head:
    """What requests of one kind to one address have in common: all but the body, its length, and what a single request adds.

    :ivar fields: the headers, but for the body's length; the host is the address's, where they name none
    """

    __slots__ = ("_end", "_said", "_start", "address", "fields")

    def __init__(self, address: Address, headers: Mapping[str, str]) -> None:
        self.address = address
        named = "host" in headers or "Host" in headers
        self.fields: Mapping[str, str] = {**headers} if named else {"host": address.host, **headers}
        lines = "".join([f"\r\n{name}: {value}" for name, value in self.fields.items()])
        whole = lines.isascii() and lines.count("\r") == lines.count("\n") == len(self.fields)
        self._start = b"POST %b HTTP/1.1%b\r\ncontent-length: " % (address.target, lines.encode("ascii")) if whole else None
        # A compressed stream comes late.
        self._end = b"\r\n\r\n" if "\r\naccept-encoding:" in lines.lower() else b"\r\naccept-encoding: identity\r\n\r\n"
        self._said: tuple[Mapping[str, str], bytes] = ({}, b"")

    def before(self, body: bytes, said: Mapping[str, str] | None) -> bytes | None:
        """The whole request as it stands on the wire; ``None`` if these headers cannot be written as they are.

        :param said: what this request adds
        """
        # What a gateway adds, it adds to most requests.
        added = b"" if not said else self._said[1] if self._said[0] == said else self._written(said)
        if self._start is None or added is None:
            return None
        return b"".join((self._start, b"%d" % len(body), added, self._end, body))

    def _written(self, said: Mapping[str, str]) -> bytes | None:
        lines = "".join([f"\r\n{name}: {value}" for name, value in said.items()])
        whole = lines.isascii() and lines.count("\r") == lines.count("\n") == len(said) and said.keys().isdisjoint(self.fields)
        if not whole:
            return None
        self._said = ({**said}, lines.encode("ascii"))
        return self._said[1]


class Heads:
    """The heads that a provider's requests had of late; it is rare that one differs from the last."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Head] = {}

    def of(self, address: Address, headers: Mapping[str, str]) -> Head:
        """The head with these headers."""
        key = (address, *headers.items())
        return self.known(key) or self.keep(key, Head(address, headers))

    def known(self, key: tuple[object, ...]) -> Head | None:
        """What was kept under a key."""
        return self._known.get(key)

    def keep(self, key: tuple[object, ...], head: Head) -> Head:
        """Remember a head for a while.

        :param key: whatever it was made from
        """
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[key] = head
        return head


class Post(httpx.Request):
    """A POST of JSON."""

    def __init__(self, head: Head, body: bytes) -> None:
        # Not ``super().__init__``: it finds out what kind of body this is, parses the address, and gathers the headers four times.
        self.head = head
        self.address = head.address
        self.method = "POST"
        self.url = head.address.url
        self.extensions = {}
        self._content = body
        self._said: dict[str, str] | None = None
        self._headers: httpx.Headers | None = None

    @property
    def headers(self) -> httpx.Headers:  # type: ignore[override] # httpx has a plain attribute
        """As httpx has them: made for who asks, which costs more than writing them to the wire."""
        if self._headers is None:
            fields = {**self.head.fields, "content-length": str(len(self._content)), **(self._said or {})}
            self._headers = httpx.Headers([(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()])
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
        if self._headers is not None:
            self._headers[name] = value
        elif self._said is None:
            self._said = {name: value}
        else:
            self._said[name] = value

    def message(self) -> bytes | None:
        """All of it on the wire; ``None`` where somebody changed ``headers``, or they cannot be written as they are."""
        return self.head.before(self._content, self._said) if self._headers is None else None


def lines_of(headers: httpx.Headers) -> tuple[bytes, int]:
    """Any request's headers as they are written, with line breaks between them, and how many they are."""
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
