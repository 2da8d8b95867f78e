"""Answers that no application gives: refusals of what never became a request."""

from __future__ import annotations

from http import HTTPStatus

from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.proxy.envelopes import error_headers, json_error

REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


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
