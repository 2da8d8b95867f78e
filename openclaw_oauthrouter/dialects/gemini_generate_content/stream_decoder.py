"""Gemini's chunks -> canonical events; a whole answer is one chunk.

A chunk's parts are pieces of text or thought, or whole calls. The stream has no last word: it ends with its connection, once a
``finishReason`` was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.content import Citation, Opaque, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    PartDelta,
    PartFinished,
    PartKind,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import FrozenObject, string, whole_number
from openclaw_oauthrouter.canonical.usage import Usage, is_reported
from openclaw_oauthrouter.dialects.gemini_generate_content.errors import decode_error_object
from openclaw_oauthrouter.dialects.gemini_generate_content.vocabulary import (
    AFTER_TEXT,
    BROKEN_ANSWERS,
    CANONICAL_FINISH_REASONS,
    DIALECT,
    decode_usage,
)
from openclaw_oauthrouter.errors import UpstreamProtocolError
from openclaw_oauthrouter.wire.sse import ServerSentEvent


def decode_response(body: FrozenObject) -> Sequence[StreamEvent]:
    """Read a whole answer as the events it would have streamed.

    :raises UpstreamError: the body is an error, or no answer at all
    """
    if body.get("error"):
        raise decode_error_object(body)
    machine = GeminiEventMachine()
    try:
        return [*machine.receive_chunk(body), *machine.finish()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamProtocolError(f"the provider's answer is broken: {type(error).__name__}") from error


class GeminiEventMachine:
    """One upstream stream: one part is open at a time, for calls come whole."""

    def __init__(self) -> None:
        self.done = False
        self._started = False
        self._id = ""
        self._next_index = 0
        self._open: tuple[PartKind, int] | None = None
        self._written: list[str] = []
        self._calls = 0
        self._ids: set[str] = set()
        self._searches = 0
        self._usage: Usage | None = None
        self._reason: str | None = None
        self._explanation: str | None = None

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Decode one ``data`` line.

        :raises UpstreamError: the upstream reports a failure
        """
        data = event.data.strip()
        if not data or data == b"[DONE]":
            return ()
        chunk = orjson.loads(data)
        if isinstance(chunk, list):
            chunk = chunk[0] if chunk else {}
        if chunk.get("error"):
            raise decode_error_object(chunk)
        return self.receive_chunk(chunk)

    def receive_chunk(self, chunk: FrozenObject) -> Iterator[StreamEvent]:
        """Decode one chunk."""
        if not self._started:
            self._started = True
            self._id = str(chunk.get("responseId") or "")
            yield ResponseStarted(self._id, str(chunk.get("modelVersion") or ""))
        blocked = (chunk.get("promptFeedback") or {}).get("blockReason")
        if blocked:
            self._reason = "PROHIBITED_CONTENT"
            self._explanation = f"the provider blocked the prompt: {blocked}"
        for candidate in chunk.get("candidates") or ():
            # Only the first of several candidates has a canonical meaning; the gateway never asks for more.
            if not candidate.get("index"):
                yield from self._candidate(candidate)
        usage = chunk.get("usageMetadata")
        if usage and is_reported(usage, "promptTokenCount") and is_reported(usage, "promptTokenCount", "candidatesTokenCount"):
            counted = decode_usage(usage, self._searches)
            if counted != self._usage:
                self._usage = counted
                yield UsageReported(counted)

    def finish(self) -> Iterator[StreamEvent]:
        """The connection has ended; nothing is due where the answer was cut short."""
        if self._reason is None:
            return
        self.done = True
        yield from self._close()
        reason = CANONICAL_FINISH_REASONS.get(self._reason, "stop")
        if reason == "stop" and self._calls:
            reason = "tool_call"
        yield ResponseFinished(reason, explanation=self._explanation if reason == "content_filter" else None)

    def _candidate(self, candidate: FrozenObject) -> Iterator[StreamEvent]:
        for part in (candidate.get("content") or {}).get("parts") or ():
            yield from self._part(part)
        grounding = candidate.get("groundingMetadata")
        if grounding:
            self._searches = max(self._searches, len(grounding.get("webSearchQueries") or ()))
            yield from self._ground(grounding)
        if candidate.get("urlContextMetadata"):
            yield from self._read_pages(candidate["urlContextMetadata"])
        reason = candidate.get("finishReason")
        if reason in BROKEN_ANSWERS:
            said = candidate.get("finishMessage") or "what the model wrote could not be read"
            raise UpstreamProtocolError(f"the provider ended its answer with {reason}: {said}")
        if reason:
            self._reason = string(reason)
            self._explanation = candidate.get("finishMessage") or f"the provider ended the answer: {reason}"

    def _part(self, part: FrozenObject) -> Iterator[StreamEvent]:
        signature = part.get("thoughtSignature")
        call, text = part.get("functionCall"), part.get("text")
        if call is not None:
            yield from self._call(call, _sealed(signature))
        elif text is not None:
            yield from self._say("reasoning" if part.get("thought") else "text", string(text), signature)
        else:
            kind = next((key for key in part if key not in ("thoughtSignature", "thought")), None)
            if kind is not None:
                yield from self._native(kind, part)

    def _say(self, kind: PartKind, text: str, signature: str | None) -> Iterator[StreamEvent]:
        if text or (signature and self._open is None):
            yield from self._open_part(kind)
            if text:
                yield PartDelta(self._next_index - 1, text)
                if kind == "text":
                    self._written.append(text)
        if signature:
            # A part that bears a seal is not joined with what follows it.
            yield from self._close(_sealed(signature, None if text else AFTER_TEXT))

    def _call(self, call: FrozenObject, opaque: Opaque | None) -> Iterator[StreamEvent]:
        yield from self._close()
        index = self._new_index()
        self._calls += 1
        id_ = str(call.get("id") or f"call_{self._id}_{self._calls}")
        while id_ in self._ids:
            id_ = f"{id_}_{self._calls}"
        self._ids.add(id_)
        yield PartStarted(index, "tool_call", id=id_, name=string(call["name"]), opaque=opaque)
        yield PartDelta(index, orjson.dumps(call.get("args") or {}).decode())
        yield PartFinished(index)

    def _native(self, kind: str, part: FrozenObject, search: WebSearch | None = None) -> Iterator[StreamEvent]:
        yield from self._close()
        index = self._new_index()
        yield PartStarted(index, "native", native=(DIALECT, kind, part), search=search)
        yield PartFinished(index)

    def _ground(self, grounding: FrozenObject) -> Iterator[StreamEvent]:
        """Sources of the answer: each with the piece of text it supports, or with none."""
        sources = [source.get("web") or source.get("retrievedContext") or {} for source in grounding.get("groundingChunks") or ()]
        if self._open is not None and self._open[0] == "text":
            yield from self._cite_supports(self._open[1], sources, grounding)
        queries = [query for query in grounding.get("webSearchQueries") or () if isinstance(query, str)]
        if queries:
            hits = tuple(citation for source in sources if (citation := _citation(source, 0, 0)))
            search = WebSearch(f"search_{self._id}_{self._next_index}", "; ".join(queries), hits)
            yield from self._native("groundingMetadata", {"groundingMetadata": grounding}, search)

    def _cite_supports(self, index: int, sources: Sequence[FrozenObject], grounding: FrozenObject) -> Iterator[StreamEvent]:
        written = "".join(self._written).encode()
        named: set[int] = set()
        for support in grounding.get("groundingSupports") or ():
            segment = support.get("segment") or {}
            start, end = (_characters(written, segment.get(key)) for key in ("startIndex", "endIndex"))
            for number in support.get("groundingChunkIndices") or ():
                if 0 <= number < len(sources):
                    named.add(number)
                    yield from _cite(index, sources[number], start, end)
        for number, source in enumerate(sources):
            if number not in named:
                yield from _cite(index, source, 0, 0)

    def _read_pages(self, metadata: FrozenObject) -> Iterator[StreamEvent]:
        """Pages that the provider read because the prompt names them."""
        if self._open is not None and self._open[0] == "text":
            for page in metadata.get("urlMetadata") or ():
                if str(page.get("urlRetrievalStatus")).endswith("SUCCESS"):
                    yield from _cite(self._open[1], {"uri": page.get("retrievedUrl")}, 0, 0)

    def _open_part(self, kind: PartKind) -> Iterator[StreamEvent]:
        if self._open is None or self._open[0] != kind:
            yield from self._close()
            self._open = (kind, self._new_index())
            yield PartStarted(self._open[1], kind)

    def _close(self, opaque: Opaque | None = None) -> Iterator[StreamEvent]:
        if self._open is not None:
            yield PartFinished(self._open[1], opaque)
            self._open = None

    def _new_index(self) -> int:
        self._next_index += 1
        return self._next_index - 1


def _sealed(signature: Any, place: str | None = None) -> Opaque | None:
    return Opaque("thought_signature", string(signature), item_id=place) if signature else None


def _characters(written: bytes, offset: object) -> int:
    """Google counts bytes."""
    return len(written[: whole_number(offset)].decode("utf-8", "ignore"))


def _cite(index: int, source: FrozenObject, start: int, end: int) -> Iterator[StreamEvent]:
    citation = _citation(source, start, end)
    if citation is not None:
        yield CitationAdded(index, citation)


def _citation(source: FrozenObject, start: int, end: int) -> Citation | None:
    uri, title = source.get("uri"), source.get("title")
    if not isinstance(uri, str) or not uri:
        return None
    return Citation(uri, title if isinstance(title, str) else "", start, end)
