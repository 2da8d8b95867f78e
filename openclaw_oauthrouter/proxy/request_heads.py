"""What httptools leaves to us in the head of a request: nothing in it may be read in two ways."""

from __future__ import annotations

from http import HTTPStatus

from openclaw_oauthrouter.errors import HttpProtocolError
from openclaw_oauthrouter.proxy.asgi import Headers

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 200


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
