"""What upstreams of this dialect say when they refuse, as our errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson

from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.refusals import MOST_QUOTED, Statement, refusal_error, words_of_page
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.wire.refusal_bodies import fault_of
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


def is_refusal(body: FrozenObject) -> bool:
    """Whether an object that came with status 200 is a refusal: it names an error, or has no choice but a reason for that."""
    if body.get("error"):
        return True
    if body.get("choices"):
        return False
    base = body.get("base_resp")  # MiniMax; 0 says that all is well
    if isinstance(base, dict) and base.get("status_code"):
        return True
    words = any(isinstance(body.get(name), str) and body[name] for name in ("message", "msg", "detail", "error_msg"))
    return body.get("object") == "error" or body.get("success") is False or (words and "id" not in body)


def decode_error_object(body: FrozenObject, now: float = 0.0) -> UpstreamError:
    """Read an error that came inside a stream; its status, if any, is in the object itself."""
    return refusal_error(_statement(fault_of(body) or body, None), now=now, otherwise_status=500)


def _read_body(status: int, body: bytes) -> Statement:
    fault = fault_of(body)
    if fault is not None:
        return replace(_statement(fault, status), status=status)
    try:
        says_nothing = not orjson.loads(body)
    except orjson.JSONDecodeError:
        says_nothing = False
    message, page, bare = words_of_page(status, b"" if says_nothing else body)
    return Statement(status, message, page=page, bare=bare)


def _statement(fault: FrozenObject, status: int | None) -> Statement:
    told = next((fault[key] for key in ("status_code", "code", "status", "statusCode") if isinstance(fault.get(key), int)), None)
    told = told if told is not None and 400 <= told <= 599 else None
    return Statement(
        told or status,
        words_of(fault.get("message") or fault, MOST_QUOTED),
        type=_word(fault, "type") or _word(fault, "status"),
        code=_word(fault, "code"),
        param=_word(fault, "param"),
        told=told,
    )


def _word(holder: FrozenObject, key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) and value else None
