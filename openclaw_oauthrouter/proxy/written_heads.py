"""How the heads of answers are written, and the answers that no application gives: refusals of what never became a request."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.proxy.asgi import Headers
from openclaw_oauthrouter.proxy.envelopes import encode_headers, error_headers, json_error

_CLOSE = (b"connection", b"close")
REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


def lines_of(headers: Mapping[str, str]) -> bytes:
    """Header fields, each after a line break; line breaks and other controls cannot occur in them.

    :param headers: lower-case names; none of them tells of the connection or of framing
    """
    if not ("".join(headers).isprintable() and "".join(headers.values()).isprintable()):
        return written(encode_headers(headers))[0]
    return "\r\n".join(["", *map(": ".join, headers.items())]).encode("latin-1", "replace")


def written(headers: Headers) -> tuple[bytes, bool, bool]:
    """An application's fields, each after a line break; whether they tell the body's length, and that the connection ends.

    What tells of the connection and of framing is not among them: that is for the connection to say.

    :raises ValueError: a header would break out of its line
    """
    fields = b"".join([b"\r\n%b: %b" % field for field in headers])
    if fields.count(b"\n") != len(headers) or fields.count(b"\r") != len(headers):
        raise ValueError("a line break in a header of the answer")
    names = fields.lower()
    sized, leaves = b"\r\ncontent-length:" in names, False
    if b"\r\nconnection:" in names or b"\r\ntransfer-encoding:" in names:
        told = [(name.lower(), value) for name, value in headers]
        leaves = any(name == b"connection" and value.lower() == b"close" for name, value in told)
        kept = [(name, value) for name, value in told if name != b"transfer-encoding" and (name, value.lower()) != _CLOSE]
        fields = b"".join([b"\r\n%b: %b" % field for field in kept])
    return fields, sized, leaves


def refusal(error: OAuthRouterError) -> bytes:
    """A whole answer to a client whose request no application has seen."""
    body = json_error(error)
    head = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *error_headers(error),
    ]
    status = error.status_code
    lines = [b"HTTP/1.1 %d %b" % (status, REASONS.get(status, b"")), *(b"%b: %b" % field for field in head)]
    return b"\r\n".join((*lines, b"", body))


def too_many() -> OAuthRouterError:
    """There is no room for another connection."""
    error = OAuthRouterError("too many connections (server.max_connections)", code="too_many_connections", retry_after=1.0)
    error.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return error
