"""Refusals, both ways: Anthropic's error envelope to our error tree and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson

from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.refusals import MOST_QUOTED, Statement, refusal_error, words_of_page
from openclaw_oauthrouter.errors import InvalidRequestError, OAuthRouterError, UpstreamError, UpstreamOverloadedError
from openclaw_oauthrouter.wire.refusal_bodies import fault_of
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

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
_FULL, _TOO_LONG = "context_length_exceeded", "prompt is too long"
"""A full context, and the words by which clients of this dialect know it: Claude Code (2.1.332) compacts the conversation upon them."""
_CODE_OF_STATUS = {413: "request_too_large"}


def encode_error(error: OAuthRouterError, request_id: str) -> JsonObject:
    """The error envelope of the Messages API."""
    message = error.message
    if error.code == _FULL and _TOO_LONG not in message.lower():
        message = f"{_TOO_LONG}: {message}"
    fault: JsonObject = {"type": _error_type(error), "message": message}
    if isinstance(error, InvalidRequestError) and error.details is not None:
        fault["details"] = dict(error.details)
    return {"type": "error", "error": fault, "request_id": request_id}


def _error_type(error: OAuthRouterError) -> str:
    if isinstance(error, UpstreamOverloadedError):
        return "overloaded_error"
    fallback = "invalid_request_error" if error.status_code < 500 else "api_error"
    return _TYPE_OF_STATUS.get(error.status_code, fallback)


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read a refusal that came instead of an answer; the body may be anything at all.

    :param now: Unix seconds, for a ``retry-after`` that is a date
    """
    fault = fault_of(body) or {}
    lower = {name.lower(): value for name, value in headers.items()}
    request_id = lower.get("request-id") or _request_id(body)
    refusal = _refusal(status, fault)
    if not refusal.message:
        message, page, bare = words_of_page(status, body)
        refusal = replace(refusal, message=message, page=page, bare=bare)
    return refusal_error(
        refusal,
        now=now,
        retry_after=parse_retry_after(lower, now),
        request_id=request_id,
        code=_CODE_OF_STATUS.get(status),
    )


def decode_stream_error(event: JsonObject, now: float = 0.0) -> UpstreamError:
    """Read an ``error`` event of a stream that had begun well."""
    refusal = _refusal(None, fault_of(event) or {})
    request_id = event.get("request_id")
    return refusal_error(
        replace(
            refusal,
            status=_STATUS_OF_TYPE.get(refusal.type or "", 500),
            message=refusal.message or "the provider broke off its answer with an error",
        ),
        now=now,
        request_id=request_id if isinstance(request_id, str) else None,
    )


def _request_id(body: bytes) -> str | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return _word(parsed, "request_id") if isinstance(parsed, dict) else None


def _refusal(status: int | None, fault: JsonObject) -> Statement:
    message = fault.get("message") or ""
    return Statement(status, words_of(message, MOST_QUOTED), type=_word(fault, "type"), code=_word(fault, "code"))


def _word(holder: JsonObject, key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) and value else None
