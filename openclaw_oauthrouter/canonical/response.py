"""A whole answer: the event stream folded up, and what came whole as the stream it would have been; so non-streaming is no second path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import overload

from openclaw_oauthrouter.canonical.content import (
    Citation,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    FinishReason,
    Frame,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value


@value(frozen=True, slots=True)
class ChatResponse:
    """A complete answer.

    :ivar parts: text, reasoning, tool_call, refusal and native parts in order
    """

    id: str
    model: str
    parts: tuple[Part, ...]
    finish_reason: FinishReason
    usage: Usage
    stop_sequence: str | None = None
    explanation: str | None = None


@dataclass(slots=True)
class _OpenPart:
    started: PartStarted
    chunks: list[str]
    citations: list[Citation]
    opaque: Opaque | None = None

    def close(self) -> Part:
        text = "".join(self.chunks)
        match self.started.kind:
            case "text":
                return TextPart(text, citations=tuple(self.citations), opaque=self.opaque)
            case "reasoning":
                return ReasoningPart(text, self.opaque)
            case "refusal":
                return RefusalPart(text)
            case "tool_call":
                call = self.started
                return ToolCallPart(call.id or "", call.name or "", text, custom=call.custom, opaque=self.opaque)
            case "native":
                dialect, type_, value = self.started.native or ("", "", {})
                return NativePart(dialect, type_, value, search=self.started.search)


class ResponseFold:
    """Folds events into a ``ChatResponse``; give it every event, then ask for ``result()``."""

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._parts: dict[int, _OpenPart] = {}
        self._usage = Usage()
        self._finished: ResponseFinished | None = None

    def receive(self, event: StreamEvent) -> None:
        """Take the next event.

        :raises UpstreamError: the stream's own failure
        """
        match event:
            case PartDelta(index, text):
                self._parts[index].chunks.append(text)
            case PartStarted():
                self._parts[event.index] = _OpenPart(event, [], [], event.opaque)
            case PartFinished(index, opaque):
                self._parts[index].opaque = opaque or self._parts[index].opaque
            case CitationAdded(index, citation):
                self._parts[index].citations.append(citation)
            case UsageReported(usage):
                self._usage = usage
            case ResponseStarted(id_, model):
                self._id, self._model = id_, model
            case ResponseFinished():
                self._finished = event
            case ResponseFailed(error):
                raise error

    def result(self) -> ChatResponse:
        """The whole answer; call it only after a ``ResponseFinished``."""
        finished = self._finished or ResponseFinished("stop")
        return ChatResponse(
            id=self._id,
            model=self._model,
            parts=tuple(self._parts[index].close() for index in sorted(self._parts)),
            finish_reason=finished.finish_reason,
            usage=self._usage,
            stop_sequence=finished.stop_sequence,
            explanation=finished.explanation,
        )


class WholeAnswer(Sequence[StreamEvent]):
    """An answer that came whole, as the events it would have streamed; they are made when somebody asks for one of them.

    What has to know of a whole answer (its words, its usage, whether it is sealed) is asked of the answer itself.

    :ivar response: the answer
    :ivar usage: what its provider reported; ``None``: nothing
    :ivar words: texts, reasoning and arguments of its parts, those without any left out
    """

    __slots__ = ("_events", "response", "usage", "words")

    def __init__(self, response: ChatResponse, usage: Usage | None) -> None:
        self.response = response
        self.usage = usage
        self.words = [words for part in response.parts if (words := _words(part))]
        self._events: tuple[StreamEvent, ...] | None = None

    @property
    def pieces(self) -> int:
        """How many events it would have been."""
        parts = self.response.parts
        sources = sum([len(part.citations) for part in parts if type(part) is TextPart])
        return (2 if self.usage is None else 3) + 2 * len(parts) + len(self.words) + sources

    @property
    def sealed(self) -> bool:
        """Whether a part holds what only its maker can read."""
        return any([getattr(part, "opaque", None) is not None for part in self.response.parts])  # noqa: C419 - each step of a generator is a call

    @property
    def events(self) -> tuple[StreamEvent, ...]:
        """As a stream: the usage comes first."""
        if self._events is None:
            response = self.response
            usage = () if self.usage is None else (UsageReported(self.usage),)
            parts = (event for index, part in enumerate(response.parts) for event in _unfold_part(index, part))
            end = ResponseFinished(response.finish_reason, response.stop_sequence, response.explanation)
            self._events = (ResponseStarted(response.id, response.model), *usage, *parts, end)
        return self._events

    @overload
    def __getitem__(self, at: int) -> StreamEvent: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[StreamEvent]: ...
    def __getitem__(self, at: int | slice) -> StreamEvent | Sequence[StreamEvent]:
        return self.events[at]

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[StreamEvent]:
        return iter(self.events)


def _words(part: Part) -> str:
    words: str = part.arguments if type(part) is ToolCallPart else getattr(part, "text", "")
    return words


def whole(frames: Sequence[Frame], names: Mapping[str, str]) -> ChatResponse:
    """The answer that came in these frames.

    :param names: tools' names at the provider -> at the client
    :raises UpstreamError: the stream's own failure
    """
    told = frames[0].told if len(frames) == 1 else ()
    if type(told) is WholeAnswer:
        return _renamed(told.response, names) if names else told.response
    fold = ResponseFold()
    for frame in frames:
        for event in frame.events:
            fold.receive(rename_tool(event, names) if names else event)
    return fold.result()


def _renamed(response: ChatResponse, names: Mapping[str, str]) -> ChatResponse:
    parts = (
        replace(part, name=names[part.name]) if isinstance(part, ToolCallPart) and part.name in names else part
        for part in response.parts
    )
    return replace(response, parts=tuple(parts))


def unfold(response: ChatResponse) -> Iterator[StreamEvent]:
    """The events that fold up to an answer, part after part."""
    yield ResponseStarted(response.id, response.model)
    for index, part in enumerate(response.parts):
        yield from _unfold_part(index, part)
    yield UsageReported(response.usage)
    yield ResponseFinished(response.finish_reason, response.stop_sequence, response.explanation)


def _unfold_part(index: int, part: Part) -> Iterator[StreamEvent]:
    opaque: Opaque | None = None
    text = ""
    match part:
        case TextPart(text):
            yield PartStarted(index, "text", opaque=part.opaque)
        case RefusalPart(text):
            yield PartStarted(index, "refusal")
        case ReasoningPart(text, opaque):
            yield PartStarted(index, "reasoning")
        case ToolCallPart(id, name, text, custom):
            yield PartStarted(index, "tool_call", id, name, custom, opaque=part.opaque)
        case NativePart(dialect, type, value):
            yield PartStarted(index, "native", native=(dialect, type, value), search=part.search)
        case _:
            return
    if text:
        yield PartDelta(index, text)
    if isinstance(part, TextPart):
        yield from (CitationAdded(index, citation) for citation in part.citations)
    yield PartFinished(index, opaque)


def rename_tool(event: StreamEvent, names: Mapping[str, str]) -> StreamEvent:
    """Give a tool call the name its client knows; any other event passes unchanged."""
    if isinstance(event, PartStarted) and event.kind == "tool_call" and event.name is not None and event.name in names:
        return replace(event, name=names[event.name])
    return event
