"""Refusals, both ways: Anthropic's error envelope to our error tree and back."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import (
    OAuthRouterError,
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamContextError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

# Anthropic says several different things with a plain 400; only the words tell them apart.
_BY_WORDS: tuple[tuple[re.Pattern[str], type[UpstreamError]], ...] = (
    (re.compile(r"out of extra usage|credit balance is too low", re.IGNORECASE), UpstreamBillingError),
    (re.compile(r"prompt is too long|exceed(?:s|ed)? (?:the )?context|context window", re.IGNORECASE), UpstreamContextError),
    (re.compile(r"only authorized for use with Claude Code", re.IGNORECASE), UpstreamAuthenticationError),
)
_BY_TYPE: dict[str, type[UpstreamError]] = {
    "authentication_error": UpstreamAuthenticationError,
    "permission_error": UpstreamAuthenticationError,
    "billing_error": UpstreamBillingError,
    "rate_limit_error": UpstreamRateLimitError,
    "overloaded_error": UpstreamOverloadedError,
    "timeout_error": UpstreamTimeout,
}
_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: UpstreamAuthenticationError,
    402: UpstreamBillingError,
    403: UpstreamAuthenticationError,
    429: UpstreamRateLimitError,
    503: UpstreamOverloadedError,
    504: UpstreamTimeout,
    529: UpstreamOverloadedError,
}
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
}
_TYPE_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_CODE_OF_STATUS = {403: "upstream_permission", 413: "request_too_large"}
_MAX_QUOTED = 500


def encode_error(error: OAuthRouterError, request_id: str) -> JsonObject:
    """The error envelope of the Messages API."""
    return {
        "type": "error",
        "error": {"type": _error_type(error), "message": error.message},
        "request_id": request_id,
    }


def _error_type(error: OAuthRouterError) -> str:
    if isinstance(error, UpstreamOverloadedError):
        return "overloaded_error"
    fallback = "invalid_request_error" if error.status_code < 500 else "api_error"
    return _TYPE_OF_STATUS.get(error.status_code, fallback)


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read a refusal that came instead of an answer; the body may be anything at all.

    :param now: Unix seconds, for a ``retry-after`` that is a date
    """
    envelope = _parse(body)
    lower = {name.lower(): value for name, value in headers.items()}
    fault = envelope.get("error")
    kind, message = _kind_and_message(fault if isinstance(fault, dict) else envelope)
    request_id = lower.get("request-id") or envelope.get("request_id")
    return _build(
        status,
        kind,
        message or _quote(body) or f"the provider answered {status} without a word",
        retry_after=parse_retry_after(lower, now),
        request_id=request_id if isinstance(request_id, str) else None,
    )


def decode_stream_error(event: JsonObject) -> UpstreamError:
    """Read an ``error`` event of a stream that had begun well."""
    fault = event.get("error")
    kind, message = _kind_and_message(fault if isinstance(fault, dict) else event)
    request_id = event.get("request_id")
    return _build(
        _STATUS_OF_TYPE.get(kind or "", 500),
        kind,
        message or "the provider broke off its answer with an error",
        retry_after=None,
        request_id=request_id if isinstance(request_id, str) else None,
    )


def _build(status: int, kind: str | None, message: str, *, retry_after: float | None, request_id: str | None) -> UpstreamError:
    cls = _class_of(status, kind, message)
    if cls is UpstreamStatusError:
        return UpstreamStatusError(
            message,
            status_code=status,
            code=_CODE_OF_STATUS.get(status),
            retry_after=retry_after,
            upstream_type=kind,
            request_id=request_id,
        )
    return cls(
        message,
        code=_CODE_OF_STATUS.get(status),
        retry_after=retry_after,
        upstream_status=status,
        upstream_type=kind,
        request_id=request_id,
    )


def _class_of(status: int, kind: str | None, message: str) -> type[UpstreamError]:
    if status in (400, 403, 429):
        for words, cls in _BY_WORDS:
            if words.search(message):
                return cls
    if status == 404:
        return UpstreamModelError if "model" in message.lower() else UpstreamStatusError
    return _BY_STATUS.get(status) or _BY_TYPE.get(kind or "") or UpstreamStatusError


def _kind_and_message(fault: JsonObject) -> tuple[str | None, str]:
    kind, message = fault.get("type"), fault.get("message") or fault.get("detail")
    return (kind if isinstance(kind, str) else None), (message if isinstance(message, str) else "")


def _parse(body: bytes) -> JsonObject:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _quote(body: bytes) -> str:
    return body[:_MAX_QUOTED].decode("utf-8", "replace").strip()
