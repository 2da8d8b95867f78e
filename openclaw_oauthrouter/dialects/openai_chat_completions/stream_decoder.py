"""Chat Completions chunks of any provider -> canonical events.

The protocol has one kind of event, so its table is over the fields of a delta (``_FIELDS``), in the order in which they mean
something when several stand in one chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.content import Citation, Opaque
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    FinishReason,
    PartDelta,
    PartFinished,
    PartKind,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject, string
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.usage import is_reported
from openclaw_oauthrouter.dialects.openai_chat_completions.content import (
    decode_annotation,
    join_details,
    prose,
    sealed_details,
    signature_of,
    words_of_details,
)
from openclaw_oauthrouter.dialects.openai_chat_completions.errors import decode_error_object, is_refusal
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import UpstreamCalls
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import BROKEN_OFF, CANONICAL_FINISH_REASONS, decode_usage
from openclaw_oauthrouter.errors import UpstreamError, UpstreamOverloadedError, UpstreamProtocolError
from openclaw_oauthrouter.wire.event_stream import LITERAL
from openclaw_oauthrouter.wire.sse import ServerSentEvent

_DONE = ServerSentEvent("", b"[DONE]")


def decode_response(body: FrozenObject) -> Sequence[StreamEvent]:
    """Read a ``chat.completion``: one chunk whose message is its delta.

    :raises UpstreamError: the body is an error (some providers answer 200 with one), or no answer at all
    """
    if is_refusal(body):
        raise decode_error_object(body)
    if not body.get("choices"):
        raise UpstreamProtocolError("the provider's answer holds no choice")
    machine = ChatEventMachine()
    try:
        return [*machine.receive_chunk(body, whole=True), *machine.receive(_DONE)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamProtocolError(f"the provider's answer is broken: {type(error).__name__}") from error


_SCALAR = rb'(?:"[^"\\\n]*+"|\d++|null)'
_IDLE = (
    rb'(?:logprobs|finish_reason|stop_reason|content|refusal|reasoning|reasoning_content|tool_calls|function_call|audio)": ?+null'
)
_DELTA = lazily(
    rb'(data: (\{(?:"\w++": ?+' + _SCALAR + rb', ?+)*+)"choices": ?+\[\{"(?:index": ?+0, ?+")?+(?:' + _IDLE + rb', ?+")*+delta": ?+\{"'
    rb'(?:role": ?+"assistant", ?+")?+(?:' + _IDLE + rb', ?+")*+'
    rb'(?:(content|reasoning_content|reasoning)|tool_calls": ?+\[\{"index": ?+(0|[1-9]\d{0,5}+), ?+"(?:type": ?+"function", ?+")?+'
    rb'function": ?+\{"arguments)": ?+' + LITERAL + rb'(?(4)\}\}\])(?:, ?+"role": ?+"assistant")?+(?:, ?+"' + _IDLE + rb')*+\}'
    rb'(?:, ?+"(?:index": ?+0|' + _IDLE + rb'))*+\}\]'
    rb'(?:, ?+"(?:(?:obfuscation|id|object|model|system_fingerprint|created)": ?+' + _SCALAR + rb'|(?:usage|service_tier)": ?+null))*+\}\n\n)'
)  # fmt: skip
"""A chunk that brings words, thoughts or arguments and nothing else: all other fields say nothing, or what the last chunk said too."""

_PROSE: dict[bytes, PartKind] = {b"content": "text", b"reasoning_content": "reasoning", b"reasoning": "reasoning"}


class ChatEventMachine:
    """One upstream stream; an ``EventMachine`` that ``GrowsInRuns``.

    Text, reasoning and refusal are one open part at a time; tool calls stay open until the answer ends, because their fragments
    may interleave. The end is ``[DONE]``, or the end of the connection once a finish reason was seen.
    """

    deltas = _DELTA
    steady = True

    def __init__(self) -> None:
        self.done = False
        self._head = b""
        self._started = False
        self._id = ""
        self._next_index = 0
        self._prose: tuple[PartKind, int] | None = None
        self._citations: list[Citation] = []
        self._details: list[JsonObject] = []
        self._signature: Opaque | None = None
        self._calls = UpstreamCalls()
        self._whole = False
        self._finish: FinishReason | None = None
        self._service_tier: str | None = None

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Decode one ``data`` line.

        :raises UpstreamError: the upstream reports a failure
        """
        data = event.data.strip()
        if data == b"[DONE]":
            return self._terminate()
        if not data:
            return ()
        chunk = orjson.loads(data)
        self._head = data[: data.find(b'"choices"')]
        if event.event == "error" or is_refusal(chunk):
            raise decode_error_object(chunk)
        return self.receive_chunk(chunk)

    def extend(self, place: tuple[bytes, ...], text: str) -> int | None:
        """More of the open part, or of a call."""
        head, field, number = place
        if head != self._head or not self._started:
            return None
        if number:
            return self._calls.extend(int(number), text)
        if self._prose is None or self._prose[0] != _PROSE[field] or self._citations:
            return None
        return self._prose[1]

    def receive_chunk(self, chunk: FrozenObject, *, whole: bool = False) -> Iterator[StreamEvent]:
        """Decode one chunk.

        :param whole: it is a whole answer, which counts as a chunk whose message is its delta
        """
        self._whole = whole
        tier = chunk.get("service_tier")
        if tier and isinstance(tier, str):
            self._service_tier = tier
        choices = chunk.get("choices") or ()
        # Azure opens with a chunk of filter results that has neither id nor choices.
        if not self._started and (chunk.get("id") or choices):
            self._started = True
            self._id = chunk.get("id") or ""
            yield ResponseStarted(str(self._id), str(chunk.get("model") or ""))
        usage = chunk.get("usage")
        for choice in choices:
            # Only the first of n choices has a canonical meaning; the transparent lane forwards the others unread.
            if not choice.get("index"):
                yield from self._choice(choice)
                usage = usage or choice.get("usage")  # Moonshot puts it here, Groq below
        if "x_groq" in chunk:
            usage = usage or (chunk["x_groq"] or {}).get("usage")
        if usage and is_reported(usage, "prompt_tokens", "completion_tokens"):
            yield UsageReported(decode_usage(usage, self._service_tier))

    def finish(self) -> Iterable[StreamEvent]:
        """The connection has ended."""
        return self._terminate() if self._finish and not self._calls.nameless() else ()

    def _choice(self, choice: FrozenObject) -> Iterator[StreamEvent]:
        delta = choice.get("delta") or choice.get("message") or {}
        # Two spellings of one thing; a provider that sends both means it once.
        details = delta.get("reasoning_details")
        details = details if isinstance(details, list) else None
        reasoning = delta.get("reasoning_content") or delta.get("reasoning") or (words_of_details(details) if details else None)
        if reasoning:
            yield from self._reasoning(reasoning)
        if details:
            yield from self._sealed_reasoning(details)
        for field, step in _FIELDS:
            value = delta.get(field)
            if value:
                yield from step(self, value)
        reason = choice.get("finish_reason")
        if not reason:
            return
        word = string(reason).lower()
        if word in BROKEN_OFF:
            raise _broken_off(choice, word)
        self._finish = CANONICAL_FINISH_REASONS.get(word, "stop")

    def _sealed_reasoning(self, details: list[object]) -> Iterator[StreamEvent]:
        """OpenRouter's list, which its maker wants back; it may come without words, and after everything else."""
        if self._prose is None or self._prose[0] != "reasoning":
            yield from self._open_prose("reasoning")
        join_details(self._details, details)

    def _reasoning(self, value: object) -> Iterable[StreamEvent]:
        return self._say("reasoning", value) if isinstance(value, str) else ()

    def _content(self, value: object) -> Iterable[StreamEvent]:
        if isinstance(value, str):
            return self._say("text", value)
        return (event for kind, text in prose(value) for event in self._say(kind, text))

    def _refusal(self, value: object) -> Iterable[StreamEvent]:
        return self._say("refusal", string(value))

    def _say(self, kind: PartKind, text: str) -> Iterator[StreamEvent]:
        if self._prose is None or self._prose[0] != kind:
            yield from self._open_prose(kind)
            index = self._next_index - 1
        else:
            index = self._prose[1]
        yield PartDelta(index, text)
        if self._citations and kind == "text":
            yield from self._cite(index)

    def _open_prose(self, kind: PartKind) -> Iterator[StreamEvent]:
        yield from self._close_prose()
        self._prose = (kind, self._new_index())
        yield PartStarted(self._prose[1], kind)

    def _extra_content(self, value: object) -> Iterable[StreamEvent]:
        """Gemini's seal on a text; on a call it stands in the call."""
        self._signature = signature_of({"extra_content": value}) or self._signature
        return ()

    def _tool_calls(self, fragments: list[JsonObject]) -> Iterator[StreamEvent]:
        seen: set[object] = set()
        for fragment in fragments:
            key = self._calls.key(fragment)
            # Entries of one list are different calls, whatever their ids and numbers; so is each one of a whole answer.
            call = None if self._whole or key in seen else self._calls.find(fragment)
            seen.add(key)
            if call is None:
                yield from self._close_prose()
                index = self._new_index()
                call = self._calls.add(fragment, index, f"call_{self._id}_{index}")
            yield from call.receive(fragment)

    def _function_call(self, function: JsonObject) -> Iterable[StreamEvent]:
        return self._tool_calls([{"index": "function_call", "function": function}])

    def _annotations(self, annotations: list[JsonObject]) -> Iterator[StreamEvent]:
        """Sources, at once or, where no text is open, with the next: a part that has closed takes none."""
        self._citations += filter(None, map(decode_annotation, annotations))
        if self._prose is not None and self._prose[0] == "text":
            yield from self._cite(self._prose[1])

    def _cite(self, index: int) -> Iterator[StreamEvent]:
        citations, self._citations = self._citations, []
        for citation in citations:
            yield CitationAdded(index, citation)

    def _terminate(self) -> Iterator[StreamEvent]:
        if not self._started:
            raise ValueError("the stream holds no answer")
        if self._calls.nameless():
            raise ValueError("a tool call has no name")
        self.done = True
        yield from self._close_prose()
        started = [call for call in self._calls if call.started]
        for call in started:
            yield PartFinished(call.index, call.opaque)
        finish = self._finish or "stop"
        # OpenAI says "stop" after the call of a tool that was demanded by name; others announce a call and make none.
        if finish in ("stop", "tool_call"):
            finish = "tool_call" if started else "stop"
        yield ResponseFinished(finish)

    def _close_prose(self) -> Iterator[StreamEvent]:
        if self._prose is None:
            return
        kind, index = self._prose
        opaque: Opaque | None = None
        if kind == "reasoning" and self._details:
            opaque, self._details = sealed_details(self._details), []
        elif kind == "text":
            opaque, self._signature = self._signature, None
        yield PartFinished(index, opaque)
        self._prose = None

    def _new_index(self) -> int:
        self._next_index += 1
        return self._next_index - 1


def _broken_off(choice: FrozenObject, word: str) -> UpstreamError:
    if choice.get("error"):
        return decode_error_object(choice)
    return UpstreamOverloadedError(f"the provider broke its answer off ({word})")


_FIELDS: tuple[tuple[str, Callable[[ChatEventMachine, Any], Iterable[StreamEvent]]], ...] = (
    ("content", ChatEventMachine._content),
    ("annotations", ChatEventMachine._annotations),
    ("refusal", ChatEventMachine._refusal),
    ("extra_content", ChatEventMachine._extra_content),
    ("tool_calls", ChatEventMachine._tool_calls),
    ("function_call", ChatEventMachine._function_call),
)
