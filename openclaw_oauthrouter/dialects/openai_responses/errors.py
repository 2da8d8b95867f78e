"""An upstream's refusals as our errors, and errors in the words that clients of this dialect act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.error_envelope import encode_error as error_envelope
from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.refusals import MOST_QUOTED, Statement, refusal_error, words_of_page
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT
from openclaw_oauthrouter.errors import (
    OAuthRouterError,
    UpstreamError,
)
from openclaw_oauthrouter.wire.refusal_bodies import fault_of
from openclaw_oauthrouter.wire.retry_after import parse_retry_after, wait_in_words

LONGEST_PAUSE = 60.0
"""Seconds. A longer wait is a used-up plan to a client, not a pause."""

_SHOWN = (
    "usage_limit_reached",
    "rate_limit_exceeded",
    "insufficient_quota",
    "usage_not_included",
    "billing_not_active",
    "billing_hard_limit_reached",
    "context_length_exceeded",
    "model_not_found",
    "server_is_overloaded",
    "slow_down",
    "token_expired",
    "invalid_api_key",
)
"""The vendor's words that the client's ``code`` repeats; Codex goes by some of them."""

_TOO_MANY = 429
_STATUS_IN_STREAM = {"server_error": 500, "internal_error": 500}
_CODES = {
    "rate_limit_error": "rate_limit_exceeded",
    "insufficient_quota": "insufficient_quota",
    "invalid_request_error": "invalid_prompt",
    "server_error": "server_error",
    "context_length_exceeded": "context_length_exceeded",
}
"""Type of an error -> the code a client knows it by: Codex CLI decides by it whether to try again."""

_KNOWN_CODES = frozenset({*_CODES.values(), "server_is_overloaded", "slow_down", "usage_not_included"})
"""Codes of OpenAI's own backends that are passed on as they are."""

_LONGEST_TEXT = 500


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read a refusal; any body at all.

    :param now: Unix seconds, to turn a reset time into a wait
    """
    wait, request_id = parse_retry_after(headers, now), headers.get("x-request-id")
    fault = fault_of(body)
    if fault is None:
        message, page, bare = words_of_page(status, body)
        return refusal_error(Statement(status, message, page=page, bare=bare), now=now, retry_after=wait, request_id=request_id)
    return _error_of(fault, now, status, wait, request_id)


def own_words(error: OAuthRouterError) -> JsonObject:
    """The error object of a provider of this dialect, as it wrote it; empty for any other failure."""
    refusal = error.refusal if isinstance(error, UpstreamError) else None
    if refusal is None or refusal.dialect != DIALECT:
        return {}
    said = _fault(refusal.body) or {}
    response = said.get("response")
    fault = response.get("error") if isinstance(response, dict) else said
    if not isinstance(fault, dict) or not isinstance(fault.get("message"), str):
        return {}
    # An ``error`` event is its own error object; what makes it an event is no part of that.
    is_event = fault.get("type") == "error"
    return {name: value for name, value in fault.items() if not (is_event and name in ("type", "sequence_number"))}


def encode_error(error: OAuthRouterError, now: float) -> JsonObject:
    """The error envelope.

    A used-up plan of another maker says so in the fields by which Codex CLI 0.171 (``codex-api/src/api_bridge.rs``) tells its user when to
    come back, instead of trying again: ``type``, ``resets_at``.
    """
    envelope = error_envelope(error)
    wait = error.retry_after or 0.0
    if isinstance(error, UpstreamError) and error.status_code == _TOO_MANY and wait > LONGEST_PAUSE:
        envelope["error"] |= {"type": "usage_limit_reached", "resets_at": int(now + wait), "resets_in_seconds": int(wait)}
    return envelope


def belongs_in_stream(error: OAuthRouterError, client: str) -> bool:
    """Whether the first thing a streaming client hears of a failure is the stream itself.

    So it is where the provider spoke in a stream of this dialect, and for Codex CLI wherever it acts on events only: it waits out
    ``rate_limit_exceeded`` and compacts on ``context_length_exceeded`` (``codex-api/src/sse/responses.rs``), but ends on the same as a status.
    """
    if isinstance(error, UpstreamError) and error.refusal is not None and error.refusal.dialect == DIALECT:
        return error.refusal.status is None and bool(own_words(error))
    if not client.startswith("codex"):
        return False
    if error.code == "context_length_exceeded":
        return True
    short = error.retry_after is not None and error.retry_after <= LONGEST_PAUSE
    return short and error.status_code == _TOO_MANY and isinstance(error, UpstreamError)


def encode_fault(error: OAuthRouterError) -> JsonObject:
    """The ``error`` of a failed answer; Codex CLI decides by its code and words whether and when to try again."""
    code = error.code if error.code in _KNOWN_CODES else _CODES.get(error.error_type, "server_error")
    message = error.message
    if code == "rate_limit_exceeded" and error.retry_after is not None and wait_in_words(message) is None:
        message = f"{message.rstrip('. ')}. Please try again in {error.retry_after:.3f}s."
    return {"code": code, "message": message, **own_words(error)}


def error_in_stream(fault: JsonObject, now: float) -> UpstreamError:
    """The error that an event of a stream speaks of; the HTTP status said 200, so its own counts, if it is one of an error."""
    fault = fault_of(fault) or fault
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
    message = _sentence(fault.get("message"))
    type_, code = _word(fault.get("type")), _word(fault.get("code"))
    refusal = Statement(
        status, message or "the provider gave no reason", type=type_, code=code, param=_word(fault.get("param")), bare=not message
    )
    reset = _reset(fault, now)
    return refusal_error(
        refusal,
        now=now,
        retry_after=retry_after if reset is None else reset,
        request_id=request_id,
        code=next((word for word in (code, type_) if word in _SHOWN), None),
        otherwise_status=_STATUS_IN_STREAM.get(code or type_ or "", 400 if code else 502),
    )


def _fault(body: bytes) -> JsonObject | None:
    try:
        answer = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return {"message": words_of(answer, _LONGEST_TEXT)}
    fault = answer.get("error") or answer.get("detail") or answer
    return dict(fault) if isinstance(fault, dict) else {"message": fault}


_YEAR_5138 = 100_000_000_000
"""A larger number counts milliseconds."""


def _reset(fault: JsonObject, now: float) -> float | None:
    wait, moment = fault.get("resets_in_seconds"), fault.get("resets_at")
    if isinstance(wait, (int, float)):
        return float(max(wait, 0))
    if not isinstance(moment, (int, float)):
        return None
    return max(float(moment) / (1000 if moment > _YEAR_5138 else 1) - now, 0.0)


def _sentence(value: Any) -> str:
    # FastAPI's validation errors are a list of objects; their text is better than nothing.
    if isinstance(value, str):
        return value[:MOST_QUOTED]
    return "" if value is None else words_of(value, _LONGEST_TEXT)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
