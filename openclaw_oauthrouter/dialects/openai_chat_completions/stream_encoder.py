"""Canonical events -> Chat Completions for one client: chunks as they come, or their deltas joined to a whole answer.

``AnswerDeltas`` says what an event is in the protocol's words; the stream puts each delta into a chunk, the whole answer joins them as
a client's SDK would. So neither can lose what the other keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import Citation, Opaque, Part, TextPart
from openclaw_oauthrouter.canonical.error_envelope import encode_error
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartDeltas,
    PartFinished,
    PartKind,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.free_text import custom_names, unwrap_input
from openclaw_oauthrouter.canonical.glance import REASONING
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ChatResponse, unfold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions.content import encode_citation, encode_reasoning, encode_signature
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import answers_by_function_call
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import FINISH_REASONS, completion_id, encode_usage
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import encode_event, encode_texts

_DONE = b"data: [DONE]\n\n"

# ------------------------------------------------------------------ parts


class _Part:
    """A part that has begun; this one is a block only the upstream's own dialect has a word for.

    :ivar passes: ``take`` would give back whatever it is given, and need not be asked
    """

    passes = False

    def start(self) -> JsonObject | None:
        """The delta due at its beginning."""
        return None

    def take(self, text: str) -> str:
        """More of it: what of that is due now."""
        return ""

    def around(self, text: str) -> JsonObject:
        """The delta that carries a piece of its text."""
        return {"content": text}

    def finish(self, opaque: Opaque | None) -> JsonObject | None:
        """The delta due at its end."""
        return None


class _Prose(_Part):
    """Text or refusal."""

    passes = True

    def __init__(self, field: str) -> None:
        self._field = field

    def take(self, text: str) -> str:
        return text

    def around(self, text: str) -> JsonObject:
        return {self._field: text}


class _Text(_Prose):
    """Text; what its maker sealed it with belongs to the message here, and stands at its end."""

    def __init__(self, event: PartStarted, deltas: AnswerDeltas) -> None:
        super().__init__("content")
        self._opaque, self._deltas = event.opaque, deltas

    def finish(self, opaque: Opaque | None) -> JsonObject | None:
        self._deltas.signature = opaque or self._opaque or self._deltas.signature
        return None


class _Reasoning(_Prose):
    """Reasoning: words as they come, then, if its maker sealed it, the whole block for the client to send back."""

    passes = False

    def __init__(self, deltas: AnswerDeltas) -> None:
        super().__init__("reasoning_content")
        self._deltas = deltas
        self._words: list[str] = []

    def take(self, text: str) -> str:
        self._words.append(text)
        return text

    def finish(self, opaque: Opaque | None) -> JsonObject | None:
        if opaque is None:
            return None
        # SDKs join lists of deltas by the entries' index and fail on entries without one.
        return {"thinking_blocks": [{"index": self._deltas.next_block(), **encode_reasoning("".join(self._words), opaque)}]}


class _Call(_Part):
    """A tool call with JSON arguments."""

    def __init__(self, event: PartStarted, deltas: AnswerDeltas) -> None:
        self._legacy, self._opaque = deltas.legacy, event.opaque
        self._index = deltas.next_call()
        self._id, self._name = event.id or "", event.name or ""
        self._empty = True

    def start(self) -> JsonObject:
        function = {"name": self._name, "arguments": ""}
        if self._legacy:
            return {"function_call": function}
        sealed = encode_signature(seal(self._opaque)) if self._opaque else {}
        return {"tool_calls": [{"index": self._index, "id": self._id, "type": "function", "function": function, **sealed}]}

    def take(self, text: str) -> str:
        self._empty = False
        return text

    def around(self, text: str) -> JsonObject:
        if self._legacy:
            return {"function_call": {"arguments": text}}
        return {"tool_calls": [{"index": self._index, "function": {"arguments": text}}]}

    def finish(self, opaque: Opaque | None) -> JsonObject | None:
        # A call without arguments may stream none at all; "" is not JSON.
        due = self.around("{}") if self._empty else None
        if opaque is None or self._opaque is not None or self._legacy:
            return due
        due = due or {"tool_calls": [{"index": self._index}]}
        due["tool_calls"][0] |= encode_signature(seal(opaque))
        return due


class _CustomCall(_Part):
    """A call of a tool that takes free text.

    :param wrapped: the upstream only knows JSON arguments, so the text is held back until it can be taken out of them
    """

    def __init__(self, event: PartStarted, deltas: AnswerDeltas, *, wrapped: bool) -> None:
        self._wrapped = wrapped
        self._index = deltas.next_call()
        self._id, self._name = event.id or "", event.name or ""
        self._held: list[str] = []

    def start(self) -> JsonObject:
        custom = {"name": self._name, "input": ""}
        return {"tool_calls": [{"index": self._index, "id": self._id, "type": "custom", "custom": custom}]}

    def take(self, text: str) -> str:
        if not self._wrapped:
            return text
        self._held.append(text)
        return ""

    def around(self, text: str) -> JsonObject:
        return {"tool_calls": [{"index": self._index, "custom": {"input": text}}]}

    def finish(self, opaque: Opaque | None) -> JsonObject | None:
        return self.around(unwrap_input("".join(self._held))) if self._held else None


def _tool_call(event: PartStarted, deltas: AnswerDeltas) -> _Part:
    if deltas.legacy and deltas.calls:
        return _Part()  # ``function_call`` has room for one
    if event.custom or event.name in deltas.custom:
        return _CustomCall(event, deltas, wrapped=not event.custom)
    return _Call(event, deltas)


_KINDS: dict[PartKind, Callable[[PartStarted, AnswerDeltas], _Part]] = {
    "text": _Text,
    "refusal": lambda _, __: _Prose("refusal"),
    "reasoning": lambda _, deltas: _Reasoning(deltas),
    "tool_call": _tool_call,
    "native": lambda _, __: _Part(),
}

# ------------------------------------------------------------------ deltas of an answer


class AnswerDeltas:
    """What an answer's events are in Chat Completions' words.

    :param request: says which of the client's tools take free text, and whether it uses the deprecated ``functions``
    """

    def __init__(self, request: ChatRequest) -> None:
        self.custom = custom_names(request)
        self.legacy = answers_by_function_call(request)
        self.calls = 0
        self.signature: Opaque | None = None
        self._blocks = 0
        self._citations: list[Citation] = []
        self._refused = False

    def next_call(self) -> int:
        """The index of the next tool call: dense, from 0."""
        self.calls += 1
        return self.calls - 1

    def next_block(self) -> int:
        """The index of the next thinking block."""
        self._blocks += 1
        return self._blocks - 1

    def open(self, event: PartStarted) -> _Part:
        """A part begins."""
        self._refused = self._refused or event.kind == "refusal"
        return _KINDS[event.kind](event, self)

    def cite(self, citation: Citation) -> None:
        """The answer names a source."""
        self._citations.append(citation)

    def close(self, event: ResponseFinished) -> Iterator[JsonObject]:
        """The deltas due before the end."""
        if self._citations:
            yield {"annotations": [encode_citation(citation) for citation in self._citations]}
        if event.explanation and not self._refused:
            yield {"refusal": event.explanation}
        if self.signature is not None:
            yield encode_signature(seal(self.signature))

    def finish_reason(self, event: ResponseFinished) -> str:
        """The word for the end, in the deprecated spelling where the client uses that."""
        word = FINISH_REASONS[event.finish_reason]
        return "function_call" if self.legacy and word == "tool_calls" else word


# ------------------------------------------------------------------ a stream


class ChunkTemplate:
    """Everything of a chunk that is the same all through a stream, so that a delta costs one ``orjson.dumps`` of its text.

    :param id_: the answer's id
    :param created: Unix seconds
    :param null_usage: chunks say ``"usage": null``, as OpenAI's do when the client asked for a usage chunk
    """

    def __init__(self, id_: str, model: str, created: int, *, null_usage: bool = False) -> None:
        head = {"id": id_, "object": "chat.completion.chunk", "created": created, "model": model}
        self._head = b"data: " + orjson.dumps(head)[:-1] + b',"choices":['
        self._tail = (b'],"usage":null}' if null_usage else b"]}") + b"\n\n"

    def around(self, delta: JsonObject) -> tuple[bytes, bytes]:
        """What stands before and after the JSON of the one string in a delta.

        :param delta: with an empty string in that place
        """
        # Behind the head: an id or a model's name may end in a quotation mark.
        before, _, after = self.delta(delta)[len(self._head) :].partition(b'""')
        return self._head + before, after

    def delta(self, delta: JsonObject, finish_reason: str | None = None) -> bytes:
        """A chunk of any content."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self._head + orjson.dumps(choice) + self._tail

    def usage(self, usage: JsonObject) -> bytes:
        """The chunk without choices that carries the token counts."""
        return self._head + b'],"usage":' + orjson.dumps(usage) + b"}\n\n"


class ChatStreamEncoder:
    """One client stream; a frame becomes one piece of bytes.

    :param model: the name the client shall see
    :param clock: stamps ``created``
    """

    content_type = "text/event-stream"

    def __init__(self, request: ChatRequest, model: str, clock: Clock) -> None:
        self._model = model
        self._created = clock()
        self._include_usage = request.include_usage
        self._deltas = AnswerDeltas(request)
        self._template: ChunkTemplate | None = None
        self._opened = False
        self._parts: dict[int, tuple[_Part, Callable[[str], str] | None, bytes, bytes]] = {}
        self._usage = Usage()
        self._over = False

    def send(self, frame: Frame) -> bytes:
        """Encode a frame; ``b""`` when it holds nothing for the client."""
        told = frame.told
        if len(told) == 1 and not self._over:
            event = told[0]
            if type(event) is not PartDelta:
                return _STEPS[type(event)](self, event)
            # A token: ``_delta`` without the call.
            _, take, before, after = self._parts[event.index]
            text = event.text if take is None else take(event.text)
            return before + orjson.dumps(text) + after if text else b""
        out: list[bytes] = []
        for event in told:
            if self._over:
                break
            out.append(_STEPS[type(event)](self, event))
        return b"".join(out)

    def keep_alive(self) -> bytes:
        """An empty delta. A comment line would not do: OpenClaw's idle timer only counts chunks."""
        return self._chunks("").delta({})

    def fail(self, error: OAuthRouterError) -> bytes:
        """An error chunk; no finish chunk and no ``[DONE]`` follow, so no client takes the answer for whole."""
        if self._over:
            return b""
        self._over = True
        return encode_event(orjson.dumps(encode_error(error)))

    def adopt(self, template: ChunkTemplate | None) -> None:
        """Go on from a stream that has begun under another encoder."""
        self._template, self._opened = template or self._template, True

    def _chunks(self, id_: str) -> ChunkTemplate:
        """The stream's template; what names the stream first, be it a keep-alive, names it for good."""
        if self._template is None:
            id_ = completion_id(id_, self._created)
            self._template = ChunkTemplate(id_, self._model, int(self._created), null_usage=self._include_usage)
        return self._template

    def _opening(self, id_: str = "") -> bytes:
        """The chunk with the role, unless it has been sent."""
        if self._opened:
            return b""
        self._opened = True
        return self._chunks(id_).delta({"role": "assistant", "content": ""})

    def _started(self, event: ResponseStarted) -> bytes:
        return self._opening(event.id)

    def _part_started(self, event: PartStarted) -> bytes:
        opening, template = self._opening(), self._chunks("")
        part = self._deltas.open(event)
        self._parts[event.index] = (part, None if part.passes else part.take, *template.around(part.around("")))
        delta = part.start()
        return opening if delta is None else opening + template.delta(delta)

    def _delta(self, event: PartDelta) -> bytes:
        _, take, before, after = self._parts[event.index]
        text = event.text if take is None else take(event.text)
        return before + orjson.dumps(text) + after if text else b""

    def _deltas_in_a_row(self, event: PartDeltas) -> bytes:
        _, take, before, after = self._parts[event.index]
        return encode_texts(before, event.texts, after) if take is None or take(event.text) else b""

    def _part_finished(self, event: PartFinished) -> bytes:
        delta = self._parts[event.index][0].finish(event.opaque)
        return b"" if delta is None else self._chunks("").delta(delta)

    def _citation(self, event: CitationAdded) -> bytes:
        self._deltas.cite(event.citation)
        return b""

    def _usage_reported(self, event: UsageReported) -> bytes:
        self._usage = event.usage
        return b""

    def _finished(self, event: ResponseFinished) -> bytes:
        opening, template = self._opening(), self._chunks("")
        self._over = True
        out = [opening, *map(template.delta, self._deltas.close(event)), template.delta({}, self._deltas.finish_reason(event))]
        if self._include_usage:
            out.append(template.usage(encode_usage(self._usage)))
        out.append(_DONE)
        return b"".join(out)

    def _failed(self, event: ResponseFailed) -> bytes:
        return self.fail(event.error)


_STEPS: dict[type[StreamEvent | PartDeltas], Callable[[ChatStreamEncoder, Any], bytes]] = {
    PartDelta: ChatStreamEncoder._delta,
    PartDeltas: ChatStreamEncoder._deltas_in_a_row,
    ResponseStarted: ChatStreamEncoder._started,
    PartStarted: ChatStreamEncoder._part_started,
    PartFinished: ChatStreamEncoder._part_finished,
    CitationAdded: ChatStreamEncoder._citation,
    UsageReported: ChatStreamEncoder._usage_reported,
    ResponseFinished: ChatStreamEncoder._finished,
    ResponseFailed: ChatStreamEncoder._failed,
}

# ------------------------------------------------------------------ a whole answer


def encode_response(response: ChatResponse, request: ChatRequest, model: str, clock: Clock) -> JsonObject:
    """Write a whole answer.

    :param model: the name the client shall see
    :param clock: stamps ``created``
    """
    now = clock()
    message: JsonObject = {"role": "assistant", "content": None, "refusal": None}
    if not response.explanation and all(map(_is_plain, response.parts)):
        # Words and nothing else, as most answers are: what joining their deltas comes to.
        message["content"] = "".join([part.text for part in response.parts if isinstance(part, TextPart)]) or None
    else:
        for delta in _all_deltas(response, AnswerDeltas(request), shows_reasoning=_knows_of_reasoning(request)):
            _join(message, delta)
        for entry in (*message.get("tool_calls", ()), *message.get("thinking_blocks", ())):
            del entry["index"]
    finish_reason = FINISH_REASONS[response.finish_reason]
    if finish_reason == "tool_calls" and answers_by_function_call(request):
        finish_reason = "function_call"
    out: JsonObject = {
        "id": completion_id(response.id, now),
        "object": "chat.completion",
        "created": int(now),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "usage": encode_usage(response.usage),
    }
    if response.usage.service_tier:
        out["service_tier"] = response.usage.service_tier
    return out


def _is_plain(part: Part) -> bool:
    return type(part) is TextPart and bool(part.text) and not part.citations and part.opaque is None


def _all_deltas(response: ChatResponse, deltas: AnswerDeltas, *, shows_reasoning: bool) -> Iterator[JsonObject]:
    parts: dict[int, _Part] = {}
    for event in unfold(response):
        if isinstance(event, PartStarted):
            hidden = event.kind == "reasoning" and not shows_reasoning
            part = parts[event.index] = _Part() if hidden else deltas.open(event)
            yield part.start() or {}
        elif isinstance(event, PartDelta):
            part = parts[event.index]
            text = part.take(event.text)
            if text:
                yield part.around(text)
        elif isinstance(event, PartFinished):
            yield parts[event.index].finish(event.opaque) or {}
        elif isinstance(event, CitationAdded):
            deltas.cite(event.citation)
        elif isinstance(event, ResponseFinished):
            yield from deltas.close(event)


def _knows_of_reasoning(request: ChatRequest) -> bool:
    """The client asked for reasoning or has sent some back.

    Others get a whole answer in OpenAI's own fields only; a stream shows reasoning to all, for it is a sign of life.
    """
    return request.reasoning is not None or bool(request.overview.holds & REASONING)


def _join(holder: JsonObject, delta: JsonObject) -> None:
    """Add a delta to what came before, as a client's SDK does: words are appended, entries of lists found by their index."""
    for key, value in delta.items():
        before = holder.get(key)
        if before is None:
            holder[key] = value
        elif isinstance(value, str):
            holder[key] = before + value
        elif isinstance(value, dict):
            _join(before, value)
        else:
            for entry in value:
                if entry.get("index", len(before)) < len(before):
                    _join(before[entry["index"]], {name: more for name, more in entry.items() if name != "index"})
                else:
                    before.append(entry)
