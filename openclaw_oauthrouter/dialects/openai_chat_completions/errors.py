"""What upstreams of this dialect say when they refuse, as our errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.errors import (
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamContextError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
)
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

_MAX_MESSAGE = 2000

_BY_WORD: dict[str, type[UpstreamError]] = {
    "insufficient_quota": UpstreamBillingError,
    "billing_hard_limit_reached": UpstreamBillingError,
    "billing_not_active": UpstreamBillingError,
    "insufficient_balance": UpstreamBillingError,
    "insufficient_credits": UpstreamBillingError,
    "rate_limit_exceeded": UpstreamRateLimitError,
    "rate_limit_error": UpstreamRateLimitError,
    "context_length_exceeded": UpstreamContextError,
    "model_not_found": UpstreamModelError,
    "model_decommissioned": UpstreamModelError,
    "invalid_api_key": UpstreamAuthenticationError,
    "authentication_error": UpstreamAuthenticationError,
    "overloaded": UpstreamOverloadedError,
    "overloaded_error": UpstreamOverloadedError,
    "engine_overloaded_error": UpstreamOverloadedError,
}
"""The ``code`` or ``type`` of an error object; says more than the status does."""

_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: UpstreamAuthenticationError,
    402: UpstreamBillingError,
    403: UpstreamAuthenticationError,
    429: UpstreamRateLimitError,
    503: UpstreamOverloadedError,
    529: UpstreamOverloadedError,
}

_CONTEXT = re.compile(
    r"context[ _](?:length|window)|prompt is too long|maximum prompt length|reduce the length of the messages", re.I
)
_MODEL = re.compile(r"\bmodel\b", re.I)
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})</title>", re.I)


@dataclass(frozen=True, slots=True)
class _Said:
    """What an error body says, whoever's shape it has."""

    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None
    status: int | None = None


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read an upstream's refusal; any body at all.

    :param headers: lower-case names
    :param now: Unix seconds, for a ``retry-after`` that is a date
    """
    said = _read_body(status, body)
    retry_after = parse_retry_after(headers, now)
    return _build(said, status, retry_after=retry_after, request_id=headers.get("x-request-id"))


def decode_error_object(body: FrozenObject) -> UpstreamError:
    """Read an error that came inside a stream; its status, if any, is in the object itself."""
    said = _read_object(body)
    return _build(said, said.status or 500)


def _build(said: _Said, status: int, *, retry_after: float | None = None, request_id: str | None = None) -> UpstreamError:
    details: dict[str, Any] = {
        "param": said.param,
        "retry_after": retry_after,
        "upstream_type": said.type or said.code,
        "request_id": request_id,
    }
    kind = _kind(said, status)
    if kind is None:
        return UpstreamStatusError(said.message, status_code=status, code=said.code, **details)
    return kind(said.message, upstream_status=status, **details)


def _kind(said: _Said, status: int) -> type[UpstreamError] | None:
    for word in (said.code, said.type):
        if word in _BY_WORD:
            return _BY_WORD[word]
    if status == 400 and _CONTEXT.search(said.message):
        return UpstreamContextError
    if status == 404 and _MODEL.search(said.message):
        return UpstreamModelError
    return _BY_STATUS.get(status)


def _read_body(status: int, body: bytes) -> _Said:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _Said(_plain_text(status, body))
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict) and found:
        return _read_object(found)
    return _Said(_plain_text(status, body if found else b""))


def _read_object(body: FrozenObject) -> _Said:
    error = body.get("error") or body.get("detail") or body
    if not isinstance(error, dict):
        return _Said(words_of(error, _MAX_MESSAGE))
    message = _upstream_words(error) or error.get("message") or error.get("detail") or error
    status = next((error[key] for key in ("status_code", "code", "status") if isinstance(error.get(key), int)), None)
    return _Said(
        words_of(message, _MAX_MESSAGE),
        type=_word(error, "type"),
        code=_word(error, "code"),
        param=_word(error, "param"),
        status=status if status is not None and 400 <= status <= 599 else None,
    )


def _upstream_words(error: FrozenObject) -> str | None:
    """What a provider behind OpenRouter said; OpenRouter's own message is only that it said something."""
    metadata = error.get("metadata")
    return _word(metadata, "raw") if isinstance(metadata, dict) else None


def _plain_text(status: int, body: bytes) -> str:
    title = _TITLE.search(body)
    text = (title[1] if title else body[:_MAX_MESSAGE]).decode("utf-8", "replace").strip()
    if not text or text.startswith("<"):
        return f"the provider answered {status} and gave no reason"
    return text


def _word(holder: FrozenObject, key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) and value else None
