"""Everything that can go wrong with one answer on its way, as plays of a scripted upstream."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import chain

from tests.faults.answers import ProviderAnswer
from tests.support.upstream import CUT, STALL, Piece, Play

GARBAGE = {
    "broken JSON": b"event: content_block_delta\ndata: {not json\n\n",
    "a list": b"data: [1, 2]\n\n",
    "null": b"data: null\n\n",
    "a number": b"data: 7\n\n",
    "binary": b"\x00\xff\xfe\n\n",
    "half a character": b'data: {"type": "caf\xc3"}\n\n',
    "HTML": b"<html><body>502 Bad Gateway</body></html>\n\n",
    "wrong shapes": b'event: message_start\ndata: {"type": "message_start", "message": 3, "choices": "x", "response": []}\n\n',
}
STATUSES = (302, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 520, 529)


def stream_damage(answer: ProviderAnswer, *, thorough: bool) -> Iterator[tuple[str, Play]]:
    """Plays of a stream that goes wrong at each of its points.

    :param thorough: every kind of garbage at every point, and every byte of every event as a cut
    """
    for at in range(len(answer.events) + 1):
        before, after = answer.events[:at], answer.events[at:]
        yield f"cut after {at}", Play([*before, CUT])
        yield f"stall after {at}", Play([*before, STALL])
        yield f"end after {at}", Play(before)
        yield f"error after {at}", Play([*before, answer.error])
        if thorough or at == 4:
            yield f"error and more after {at}", Play([*before, answer.error, *after])
        for name, garbage in GARBAGE.items() if thorough or at == 4 else [_rotated(at)]:
            yield f"{name} after {at}", Play([*before, garbage, *after])
    for at, event in enumerate(answer.events):
        half: list[Piece] = [*answer.events[:at], event[: len(event) // 2]]
        yield f"cut within {at}", Play([*half, CUT])
        yield f"stall within {at}", Play([*half, STALL])
        for within in range(1, len(event)) if thorough else (3, len(event) // 2, len(event) - 1):
            yield f"end at byte {within} of {at}", Play([*answer.events[:at], event[:within]])


def whole_damage(body: bytes, *, thorough: bool) -> Iterator[tuple[str, Play]]:
    """Plays of a body in one piece that goes wrong."""
    kind = "application/json"
    for within in range(len(body)) if thorough else (0, 1, len(body) // 3, len(body) // 2, len(body) - 1):
        for name, end in (("cut", [CUT]), ("stall", [STALL]), ("end", [])):
            yield f"{name} at byte {within} of the body", Play([body[:within], *end], content_type=kind)
    for name, other in (("a list", b"[]"), ("null", b"null"), ("{}", b"{}"), ("HTML", b"<html>"), ("deep", b"[" * 5000)):
        yield f"{name} for a body", Play([other], content_type=kind)
    yield "a stream nobody asked for", Play([b"data: "], content_type="text/event-stream")


def head_damage(answer: ProviderAnswer, *, thorough: bool) -> Iterator[tuple[str, Play]]:
    """Plays that go wrong before the answer, or refuse to give one."""
    yield "no head", Play([STALL], status=0)
    yield "cut before the head", Play([CUT], status=0)
    yield "not HTTP", Play(raw=b"SSH-2.0-OpenSSH_9.0\r\n\r\n")
    yield "half a head", Play(raw=b"HTTP/1.1 200 OK\r\ncontent-ty")
    yield "a huge head", Play(raw=b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * 200_000 + b"\r\n\r\n")
    yield "a bad chunk size", Play(raw=_head(b"transfer-encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n")
    yield "less than announced", Play(raw=_head(b"content-length: 5000") + b'{"a":')
    yield "damaged gzip", Play(raw=_head(b"content-encoding: gzip", b"content-length: 9") + gzip.compress(b"hello", mtime=0)[:9])
    for status in STATUSES:
        bodies = (
            ("HTML", [b"<html>no</html>"]),
            ("nothing", []),
            ("a list", [b"[]"]),
            ("half of it", [answer.refusal[:9], STALL]),
        )
        yield f"{status} in its own words", Play([answer.refusal], status=status, content_type="application/json")
        for name, body in bodies if thorough or status in (400, 429, 500) else ():
            yield f"{status} with {name}", Play(body, status=status, content_type="application/json")


def plays(answer: ProviderAnswer, *, stream: bool, thorough: bool) -> Iterator[tuple[str, Play]]:
    """All damage that a request of one kind can meet, and first none."""
    if stream or answer.whole is None:
        undamaged = Play(answer.events)
        damaged = stream_damage(answer, thorough=thorough)
    else:
        undamaged = Play([answer.whole], content_type="application/json")
        damaged = whole_damage(answer.whole, thorough=thorough)
    return chain([("nothing", undamaged)], damaged, head_damage(answer, thorough=thorough))


def _rotated(at: int) -> tuple[str, bytes]:
    return list(GARBAGE.items())[at % len(GARBAGE)]


def _head(*fields: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", b"content-type: application/json", *fields, b"", b""))
