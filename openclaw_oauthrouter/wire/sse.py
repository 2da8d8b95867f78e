"""Server-sent events: bytes in, events out, whatever the chunking and the line ending.

Source: the WHATWG event-stream grammar. Only CR, LF and CRLF end a line (never U+2028, which may stand inside JSON text), one blank
after the colon is dropped, several ``data`` lines are joined by LF, a line that begins with a colon is a comment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from openclaw_oauthrouter.canonical.patterns import lazily

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""An event larger than this is a fault of the upstream, not a message."""

_BLANK_LINE = lazily(rb"\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n|\r\n\r(?!\n)|\n\r(?!\n)|\r\r\n")
_LONGEST_BLANK_LINE = 4
_LINE = lazily(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One event exceeds ``MAX_EVENT_BYTES``."""


class ServerSentEvent(NamedTuple):
    """One event.

    :ivar event: its type; ``""`` when the stream names none
    :ivar data: the joined data lines, still UTF-8 bytes
    """

    event: str
    data: bytes


class ServerSentEventDecoder:
    """Feed it bytes as they come; it gives back the whole events among them and their raw bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._started = False

    @property
    def clean(self) -> bool:
        """Whether the stream has begun and the next bytes begin an event."""
        return self._started and not self._buffer

    def feed(self, chunk: bytes) -> tuple[bytes, list[ServerSentEvent]]:
        """Decode what is complete.

        :return: the raw bytes of the complete blocks (comments included), and their events
        :raises EventTooLarge: a block grows past ``MAX_EVENT_BYTES``
        """
        raw = self.take(chunk)
        return raw, events_in(raw)

    def take(self, chunk: bytes) -> bytes:
        """The raw bytes of the blocks that are complete, comments included.

        :raises EventTooLarge: a block grows past ``MAX_EVENT_BYTES``
        """
        if not self._started:
            chunk = self._without_mark(chunk)
        # The common case first: a read that holds whole events, lines ended by LF alone.
        # A search, because ``in`` takes its bytes for a number first, at ten times the cost.
        if not self._buffer and chunk.endswith(b"\n\n") and chunk.find(b"\r") < 0:
            return chunk
        raw = self._complete(chunk)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"an event is larger than {MAX_EVENT_BYTES} bytes")
        return raw

    def finish(self) -> tuple[bytes, list[ServerSentEvent]]:
        """Decode what is left when the stream ends without a final blank line.

        The grammar discards it; providers that close right after ``data: [DONE]`` mean it, so it is taken.
        """
        raw = self.rest()
        return raw, events_in(raw)

    def rest(self) -> bytes:
        """The raw bytes of what ``finish`` takes."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        return raw

    def _complete(self, chunk: bytes) -> bytes:
        """The whole blocks that the chunk completes; what follows them is held."""
        held = self._buffer
        if not held:
            end = _end_of_last_block(chunk, 0)
            held += chunk[end:]
            return chunk[:end]
        # What is held ends no block, so only its last bytes are looked at again: an event of many reads costs no more than its size.
        start = max(0, len(held) - _LONGEST_BLANK_LINE + 1)
        held += chunk
        end = _end_of_last_block(held, start)
        raw = bytes(held[:end])
        del held[:end]
        return raw

    def _without_mark(self, chunk: bytes) -> bytes:
        """The chunk without the byte-order mark that may open the stream; nothing while that is not decided."""
        chunk = bytes(self._buffer) + chunk
        self._buffer.clear()
        if len(chunk) < len(_MARK) and _MARK.startswith(chunk):
            self._buffer += chunk
            return b""
        self._started = True
        return chunk.removeprefix(_MARK)


def raw_before(raw: bytes, count: int) -> bytes:
    """The leading bytes of ``raw`` (whole blocks) that hold its first ``count`` events."""
    end = seen = 0
    for match in _BLANK_LINE.finditer(raw):
        seen += len(events_in(raw[end : match.end()]))
        if seen > count:
            break
        end = match.end()
    return raw[:end]


def closed(raw: bytes) -> bytes:
    """The bytes with the blank line their last event may lack, so that what is said next does not become part of it."""
    return raw if not raw or raw.endswith((b"\n\n", b"\r\r", b"\n\r\n", b"\n\r")) else raw + b"\n\n"


def encode_event(data: bytes, event: str = "") -> bytes:
    """One event; ``data`` must hold no line break (JSON never does)."""
    if event:
        return b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"


def encode_texts(before: bytes, texts: Sequence[str], after: bytes) -> bytes:
    """Events that differ in one string.

    :param texts: these strings, one at least
    :param before: what stands before each of them
    """
    # Of a list that is written over several lines, only the line breaks are no part of a string.
    return before + orjson.dumps(texts, option=orjson.OPT_INDENT_2)[4:-2].replace(b",\n  ", after + before) + after


def _end_of_last_block(buffer: bytes | bytearray, start: int) -> int:
    """Where the last whole block ends; 0 if none ends after ``start``."""
    # The common case, LF only, needs no regular expression.
    if buffer.find(b"\r", start) < 0:
        at = buffer.rfind(b"\n\n", start)
        return at + 2 if at >= 0 else 0
    end = 0
    for match in _BLANK_LINE.finditer(buffer, start):
        # A final CR may be half of a CRLF whose LF is still on its way.
        if match.end() == len(buffer) and buffer.endswith(b"\r"):
            break
        end = match.end()
    return end


def events_in(raw: bytes) -> list[ServerSentEvent]:
    """The events of whole blocks."""
    if raw.find(b"\r") >= 0:
        return _events_of(_LINE.split(raw))
    events: list[ServerSentEvent] = []
    for block in raw.split(b"\n\n"):
        # One data line, with or without an event line before it, is what nearly all of them are: read without a call of our own.
        if block.startswith(b"data: "):
            name, data = "", block[6:]
        else:
            head, _, data = block.partition(b"\ndata: ")
            if not data or head.find(b"\n") >= 0 or not head.startswith(b"event: "):
                events += _events_of(block.split(b"\n"))
                continue
            name = head[7:].strip().decode("utf-8", "replace")
        if data.find(b"\n") >= 0:
            events += _events_of(block.split(b"\n"))
        else:
            events.append(ServerSentEvent(name, data))
    return events


def _events_of(lines: list[bytes]) -> list[ServerSentEvent]:
    events: list[ServerSentEvent] = []
    event = ""
    data: list[bytes] = []
    for line in lines:
        if not line:
            if data:
                events.append(ServerSentEvent(event, data[0] if len(data) == 1 else b"\n".join(data)))
                data = []
            event = ""
        elif line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            event = line[6:].strip().decode("utf-8", "replace")
    if data:
        events.append(ServerSentEvent(event, data[0] if len(data) == 1 else b"\n".join(data)))
    return events
