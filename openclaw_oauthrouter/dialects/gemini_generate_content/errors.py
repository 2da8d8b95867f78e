"""What Gemini says when it refuses, as our errors: Google's ``error`` object with ``status`` and typed ``details``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openclaw_oauthrouter.canonical.error_envelope import words_of
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.refusals import MOST_QUOTED, Statement, refusal_error, words_of_page
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.wire.refusal_bodies import fault_of
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

_DELAY = lazily(r"(\d+(?:\.\d+)?)s")


def decode_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> UpstreamError:
    """Read an upstream's refusal; any body at all.

    :param headers: lower-case names
    :param now: Unix seconds, for a ``retry-after`` that is a date
    """
    error = fault_of(body)
    if error is None:
        message, page, bare = words_of_page(status, body)
        return refusal_error(
            Statement(status, message, page=page, bare=bare), now=now, retry_after=parse_retry_after(headers, now)
        )
    retry_after = parse_retry_after(headers, now)
    return refusal_error(_statement(error, status), now=now, retry_after=_delay(error) if retry_after is None else retry_after)


def decode_error_object(body: FrozenObject, now: float = 0.0) -> UpstreamError:
    """Read an error that came inside a stream."""
    error = fault_of(body) or {"message": words_of(body.get("error"), MOST_QUOTED)}
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code <= 599 else None
    return refusal_error(_statement(error, status), now=now, retry_after=_delay(error), otherwise_status=500)


def _statement(error: FrozenObject, status: int | None) -> Statement:
    reasons = [detail["reason"] for detail in _details(error) if isinstance(detail.get("reason"), str)]
    word = error.get("status")
    return Statement(
        status,
        words_of(error.get("message") or error, MOST_QUOTED),
        type=word if isinstance(word, str) else None,
        code=reasons[0].lower() if reasons else None,
    )


def _delay(error: FrozenObject) -> float | None:
    """``RetryInfo``: seconds as ``"13s"``."""
    for detail in _details(error):
        found = _DELAY.fullmatch(str(detail.get("retryDelay")))
        if found:
            return float(found[1])
    return None


def _details(error: FrozenObject) -> Iterator[FrozenObject]:
    details = error.get("details")
    return (detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else iter(())
