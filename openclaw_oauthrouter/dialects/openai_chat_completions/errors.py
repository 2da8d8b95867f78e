"""What upstreams of this dialect say when they refuse, as our errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson

from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.refusals import MOST_QUOTED, Statement, refusal_error, words_of_page
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.wire.retry_after import parse_retry_after


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read an upstream's refusal; any body at all.

    :param headers: lower-case names
    :param now: Unix seconds, for a ``retry-after`` that is a date
    """
    return refusal_error(
        _read_body(status, body),
        now=now,
        retry_after=parse_retry_after(headers, now),
        request_id=headers.get("x-request-id"),
    )


def decode_error_object(body: FrozenObject, now: float = 0.0) -> UpstreamError:
    """Read an error that came inside a stream; its status, if any, is in the object itself."""
    return refusal_error(_read_object(body, None), now=now, otherwise_status=500)


def _read_body(status: int, body: bytes) -> Statement:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _unreadable(status, body)
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict) and found:
        return replace(_read_object(found, status), status=status)
    return _unreadable(status, body if found else b"")


def _unreadable(status: int, body: bytes) -> Statement:
    message, page, bare = words_of_page(status, body)
    return Statement(status, message, page=page, bare=bare)


def _read_object(body: FrozenObject, status: int | None) -> Statement:
    error = body.get("error") or body.get("detail") or body
    if not isinstance(error, dict):
        # OAuth's shape, and xAI's: the message beside a word, or the other way round.
        beside = _word(body, "error_description") or _word(body, "message")
        word = _word(body, "code") or (error if isinstance(error, str) and " " not in error else None)
        return Statement(status, words_of(beside or error, MOST_QUOTED), code=word)
    message = _upstream_words(error) or error.get("message") or error.get("detail") or error
    told = next((error[key] for key in ("status_code", "code", "status") if isinstance(error.get(key), int)), None)
    return Statement(
        told if told is not None and 400 <= told <= 599 else status,
        words_of(message, MOST_QUOTED),
        type=_word(error, "type") or _word(error, "status"),
        code=_word(error, "code"),
        param=_word(error, "param"),
    )


def _upstream_words(error: FrozenObject) -> str | None:
    """What a provider behind OpenRouter said; OpenRouter's own message is only that it said something."""
    metadata = error.get("metadata")
    return _word(metadata, "raw") if isinstance(metadata, dict) else None


def _word(holder: FrozenObject, key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) and value else None
