"""An upstream's refusals, in a body or in a stream, as our errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import (
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

_BY_CODE: dict[str, type[UpstreamError]] = {
    "usage_limit_reached": UpstreamRateLimitError,
    "rate_limit_exceeded": UpstreamRateLimitError,
    "insufficient_quota": UpstreamBillingError,
    "usage_not_included": UpstreamBillingError,
    "billing_not_active": UpstreamBillingError,
    "billing_hard_limit_reached": UpstreamBillingError,
    "context_length_exceeded": UpstreamContextError,
    "model_not_found": UpstreamModelError,
    "server_is_overloaded": UpstreamOverloadedError,
    "slow_down": UpstreamOverloadedError,
    "token_expired": UpstreamAuthenticationError,
    "invalid_api_key": UpstreamAuthenticationError,
}
_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: UpstreamAuthenticationError,
    402: UpstreamBillingError,
    403: UpstreamAuthenticationError,
    408: UpstreamTimeout,
    429: UpstreamRateLimitError,
    503: UpstreamOverloadedError,
    504: UpstreamTimeout,
    529: UpstreamOverloadedError,
}
_STATUS_IN_STREAM = {"server_error": 500, "internal_error": 500}
_UNKNOWN_MODEL = re.compile(r"\bmodel\b.*(?:not supported|not exist|not found|no longer available)", re.IGNORECASE | re.DOTALL)
_TOO_LONG = re.compile(r"context (?:window|length)|input (?:is )?too long", re.IGNORECASE)
_LONGEST_TEXT = 500


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read a refusal; any body at all.

    :param now: Unix seconds, to turn a reset time into a wait
    """
    return _error_of(_fault(body, status), now, status, parse_retry_after(headers, now), headers.get("x-request-id"))


def error_in_stream(fault: JsonObject, now: float) -> UpstreamError:
    """The error that an event of a stream speaks of; the HTTP status said 200, so its own counts, if it is one of an error."""
    status = fault.get("status")
    return _error_of(fault, now, status if isinstance(status, int) and 400 <= status <= 599 else None)


def _error_of(
    fault: JsonObject,
    now: float,
    status: int | None,
    retry_after: float | None = None,
    request_id: str | None = None,
) -> UpstreamError:
    """The error that an ``error`` object speaks of.

    :param fault: OpenAI's ``message``, ``type``, ``code``, ``param``; the ChatGPT backend adds ``resets_in_seconds`` and ``resets_at``
    """
    message = _sentence(fault.get("message")) or "the provider gave no reason"
    type_, code = _word(fault.get("type")), _word(fault.get("code"))
    kind = _kind(message, type_, code, status)
    reason = next((word for word in (code, type_) if word in _BY_CODE), code)
    details: dict[str, Any] = {
        "param": _word(fault.get("param")),
        "retry_after": _reset(fault, now) if _reset(fault, now) is not None else retry_after,
        "upstream_type": type_,
        "request_id": request_id,
    }
    if kind is None:
        status = status or _STATUS_IN_STREAM.get(code or type_ or "", 400 if code else 502)
        return UpstreamStatusError(message, status_code=status, code=reason, **details)
    return kind(message, code=reason, upstream_status=status, **details)


def _kind(message: str, type_: str | None, code: str | None, status: int | None) -> type[UpstreamError] | None:
    for word in (code, type_):
        if word in _BY_CODE:
            return _BY_CODE[word]
    if status in (None, 400, 404) and _UNKNOWN_MODEL.search(message):
        return UpstreamModelError
    if status in (None, 400) and _TOO_LONG.search(message):
        return UpstreamContextError
    return _BY_STATUS.get(status or 0)


def _fault(body: bytes, status: int) -> JsonObject:
    try:
        answer = orjson.loads(body)
    except ValueError:
        text = body.decode("utf-8", "replace").strip()
        readable = text[:_LONGEST_TEXT] if text and not text.startswith("<") else f"the provider answered with status {status}"
        return {"message": readable}
    if not isinstance(answer, dict):
        return {"message": words_of(answer, _LONGEST_TEXT)}
    fault = answer.get("error") or answer.get("detail") or answer
    return dict(fault) if isinstance(fault, dict) else {"message": fault}


def _reset(fault: JsonObject, now: float) -> float | None:
    wait, moment = fault.get("resets_in_seconds"), fault.get("resets_at")
    if isinstance(wait, (int, float)):
        return float(max(wait, 0))
    return max(float(moment) - now, 0.0) if isinstance(moment, (int, float)) else None


def _sentence(value: Any) -> str:
    # FastAPI's validation errors are a list of objects; their text is better than nothing.
    if isinstance(value, str):
        return value
    return "" if value is None else words_of(value, _LONGEST_TEXT)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
