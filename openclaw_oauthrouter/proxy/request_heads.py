"""What httptools leaves to us in the head of a request: nothing in it may be read in two ways."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from openclaw_oauthrouter.errors import HttpProtocolError
from openclaw_oauthrouter.proxy.asgi import Headers, headers_of

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 200

_LENGTH = b"content-length"
_LONGEST_LENGTH = 20
_REMEMBERED_BYTES = 8 * 1024


class Head:
    """The fields of a request's head, and what follows from them alone, which is found out once.

    :ivar fields: with their names in lower case
    :ivar size: their bytes
    :ivar named: the same as the rest of the gateway reads them, ``content-length`` left out
    :ivar gate: who has let its sender in; ``None``: nobody yet
    :ivar client: as whom
    :ivar forwarded: of ``named``, what rooms behind the proxy may see
    """

    __slots__ = ("client", "fields", "forwarded", "gate", "named", "size")

    def __init__(self, fields: Headers, size: int = 0) -> None:
        self.fields = fields
        self.size = size
        self.named = headers_of(fields)
        self.named.pop("content-length", None)
        self.gate: object = None
        self.client = ""
        self.forwarded: Mapping[str, str] = {}


class Heads:
    """Reads the heads of one connection: a client's next request mostly has the same one, but for the length of its body.

    One is remembered for as long as the connection lives, which its bytes would anyway. It is found again by a hash of all of it: a
    comparison would take the longer the more of a token was right, and behind a proxy the one before may have been another client's.
    """

    __slots__ = ("_at", "_expects", "_key", "_known", "_number")

    def __init__(self) -> None:
        self._known: Head | None = None
        self._key: dict[bytes, str] = {}
        self._number = self._at = 0
        self._expects = False

    def read(self, version: str, raw: list[bytes]) -> tuple[Head, Headers, bool]:
        """The head, the fields of this very request, and whether the client waits for ``100 Continue``.

        :param raw: names and values in turn
        :raises HttpProtocolError: the head can be read in two ways, or not at all, or has more than ``MAX_HEAD_BYTES``
        """
        known, at = self._known, self._at
        if known is not None and len(raw) == self._number:
            length = b""
            if at:
                length, raw[at] = raw[at], b""
            if self._key.get(b"\n".join(raw)) == version and len(length) <= _LONGEST_LENGTH:
                fields = known.fields.copy()
                if at:
                    fields[at >> 1] = (_LENGTH, length.strip())
                return known, fields, self._expects
            if at:
                raw[at] = length
        return self._first(version, raw)

    def _first(self, version: str, raw: list[bytes]) -> tuple[Head, Headers, bool]:
        fields, size = tidied(list(zip(raw[::2], raw[1::2], strict=True)))
        expects = check_head(version, fields)
        head = Head(fields, size)
        at = next((2 * at + 1 for at, (name, _) in enumerate(fields) if name == _LENGTH), 0)
        key = b"\n".join([b"" if at and place == at else part for place, part in enumerate(raw)])
        if size <= _REMEMBERED_BYTES and key.count(b"\n") == len(raw) - 1:
            self._known, self._key, self._expects = head, {key: version}, expects
            self._number, self._at = len(raw), at
        return head, fields, expects


def tidied(fields: Headers) -> tuple[Headers, int]:
    """Fields with their names in lower case and no blanks around their values, and how many bytes they are.

    :raises HttpProtocolError: more than ``MAX_HEAD_BYTES``
    """
    if not fields:
        return [], 0
    # All names at once: a call for each would cost more than the rest of a head.
    names = b"\n".join([name for name, _ in fields]).lower()
    values = b"\n".join([value for _, value in fields])
    size = len(names) + len(values)
    if size > MAX_HEAD_BYTES:
        raise head_too_large()
    apart = names.split(b"\n")
    if (
        b" \n" in values
        or b"\t\n" in values
        or values[-1:] in _BLANKS
        or values[:1] in _BLANKS
        or b"\n " in values
        or b"\n\t" in values
    ):
        return [(name, value.strip()) for name, (_, value) in zip(apart, fields, strict=True)], size
    return [(name, value) for name, (_, value) in zip(apart, fields, strict=True)], size


_BLANKS = (b" ", b"\t")


def check_head(version: str, headers: Headers) -> bool:
    """Refuse what is ambiguous. Returns whether the client waits for ``100 Continue``.

    :raises HttpProtocolError: the head can be read in two ways, or not at all
    """
    if version not in ("1.1", "1.0"):
        raise HttpProtocolError(f"HTTP/{version} is not spoken here")
    hosts = codings = 0
    expects = False
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding":
            codings += 1
            if value.lower() != b"chunked" or version == "1.0":
                raise HttpProtocolError("the only transfer-encoding spoken here is 'chunked'")
        elif name == b"expect":
            expects = value.lower() == b"100-continue"
    if hosts > 1 or (version == "1.1" and hosts == 0) or codings > 1:
        raise HttpProtocolError("a request names exactly one Host, and its coding once")
    return expects


def own_target(target: bytes, headers: Headers) -> bytes:
    """The target's path; a whole address is taken if it names the Host (RFC 9112, 3.2.2: a server must accept it).

    :raises HttpProtocolError: it names somebody else, or is no path at all
    """
    if target.startswith(b"/") or target == b"*":
        return target
    scheme, mark, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if not mark or scheme.lower() not in (b"http", b"https") or authority.lower() != dict(headers).get(b"host", b"").lower():
        raise HttpProtocolError("the request's target is neither a path nor an address of the Host it names")
    return slash + path if slash else b"/"


def head_too_large() -> HttpProtocolError:
    """The refusal of a head beyond its bounds."""
    error = HttpProtocolError(f"the request's head is larger than {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} headers")
    error.status_code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return error
