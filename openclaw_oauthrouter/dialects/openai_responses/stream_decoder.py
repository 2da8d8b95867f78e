"""An upstream's Responses events, as canonical ones.

The whole protocol is in ``STEPS``; events that are not in it mean nothing to us and are passed over. Items are told apart by
``output_index``, because some upstreams change item ids on the way; and every text is taken from wherever it comes first, because the
ChatGPT backend ends with an empty ``output`` and does not always send deltas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.events import (
    FinishReason,
    PartKind,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.dialects.openai_responses.error_decoder import error_in_stream
from openclaw_oauthrouter.dialects.openai_responses.output_items import OutputItems
from openclaw_oauthrouter.dialects.openai_responses.usage import decode_usage
from openclaw_oauthrouter.errors import UpstreamProtocolError
from openclaw_oauthrouter.wire.sse import ServerSentEvent

_UNFINISHED = frozenset({"failed", "cancelled", "queued", "in_progress"})


class ResponsesMachine:
    """One answer; an ``EventMachine``.

    :ivar items: what the answer consists of so far
    """

    def __init__(self, clock: Clock) -> None:
        self.done = False
        self.items = OutputItems()
        self._clock = clock
        self._started = False
        self._latest = 0

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Turn one wire event into canonical ones.

        :raises UpstreamError: the upstream says that it failed
        """
        if event.data == b"[DONE]":
            return ()
        data = orjson.loads(event.data)
        kind = data.setdefault("type", event.event or ("error" if "error" in data else ""))
        step = STEPS.get(kind)
        return () if step is None else step(self, data)

    def finish(self) -> Iterable[StreamEvent]:
        """Nothing is due: only a terminal event completes an answer."""
        return ()

    def start(self, data: JsonObject) -> Sequence[StreamEvent]:
        """Say once that the answer exists, whichever event comes first."""
        if self._started:
            return ()
        self._started = True
        response = data.get("response") or {}
        return (ResponseStarted(str(response.get("id") or ""), str(response.get("model") or "")),)

    def end(self, data: JsonObject) -> Iterator[StreamEvent]:
        """The answer is over; the event's type says how, or the status where the type does not.

        :raises UpstreamError: it failed
        """
        response = data["response"]
        kind = data["type"].removeprefix("response.")
        status = (response.get("status") or kind) if kind == "done" else kind
        yield from self.start(data)
        if response.get("usage"):
            tier = response.get("service_tier")
            yield UsageReported(decode_usage(response["usage"], tier if isinstance(tier, str) else None))
        if status in _UNFINISHED:
            raise error_in_stream(response.get("error") or {"message": f"the answer ended as {status!r}"}, self._clock())
        yield from self.items.closed(response.get("output") or [])
        self.done = True
        yield ResponseFinished(self._finish_reason(status, response))

    def fail(self, data: JsonObject) -> Iterator[StreamEvent]:
        """The upstream gives up.

        :raises UpstreamError: always
        """
        raise error_in_stream(data.get("error") or data, self._clock())

    def locate(self, data: JsonObject) -> int:
        """The position of the item an event speaks of; the latest one where it does not say."""
        position = data.get("output_index")
        if isinstance(position, int):
            self._latest = position
        return self._latest

    def _finish_reason(self, status: str, response: JsonObject) -> FinishReason:
        if status == "incomplete":
            reason = (response.get("incomplete_details") or {}).get("reason")
            return "content_filter" if reason == "content_filter" else "length"
        return "tool_call" if self.items.called_tool else "stop"


def decode_response(body: JsonObject, clock: Clock) -> Sequence[StreamEvent]:
    """Read a whole answer as the events it would have streamed.

    :raises UpstreamError: the answer failed, or is none
    """
    if not isinstance(body.get("output"), list) and not body.get("error"):
        raise UpstreamProtocolError("the provider's answer holds no 'output'")
    machine = ResponsesMachine(clock)
    status = body.get("status") or ("failed" if body.get("error") else "completed")
    try:
        return tuple(machine.end({"type": "response.done", "response": {**body, "status": status}}))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamProtocolError(f"the provider's answer is broken: {type(error).__name__}") from error


Step = Callable[[ResponsesMachine, JsonObject], Iterable[StreamEvent]]


def _item(machine: ResponsesMachine, data: JsonObject) -> Iterator[StreamEvent]:
    yield from machine.start({})
    items, at = machine.items, machine.locate(data)
    yield from (items.opened if data["type"] == "response.output_item.added" else items.finished)(at, data["item"])


def _words(kind: PartKind, field: str, whole: bool) -> Step:
    def step(machine: ResponsesMachine, data: JsonObject) -> Sequence[StreamEvent]:
        content = data.get("content_index") or 0
        words = machine.items.wrote(machine.locate(data), content, kind, _text(data.get(field)), whole=whole)
        return (*machine.start({}), *words)

    return step


def _reasoning(section: str, field: str, whole: bool) -> Step:
    def step(machine: ResponsesMachine, data: JsonObject) -> Sequence[StreamEvent]:
        position = data.get(f"{section}_index") or 0
        words = machine.items.reasoned(machine.locate(data), section, position, _text(data.get(field)), whole=whole)
        return (*machine.start({}), *words)

    return step


def _arguments(field: str, whole: bool) -> Step:
    def step(machine: ResponsesMachine, data: JsonObject) -> Sequence[StreamEvent]:
        return machine.items.argued(machine.locate(data), _text(data.get(field)), whole=whole)

    return step


def _annotation(machine: ResponsesMachine, data: JsonObject) -> Iterator[StreamEvent]:
    return machine.items.cited(machine.locate(data), data.get("content_index") or 0, data["annotation"])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # The ChatGPT backend has been seen to wrap a delta in an object.
    if isinstance(value, dict):
        value = next((value[name] for name in ("partial_json", "delta", "arguments", "text") if name in value), "")
    return value if isinstance(value, str) else ""


STEPS: dict[str, Step] = {
    "response.created": ResponsesMachine.start,
    "response.queued": ResponsesMachine.start,
    "response.in_progress": ResponsesMachine.start,
    "response.output_item.added": _item,
    "response.output_item.done": _item,
    "response.output_text.delta": _words("text", "delta", whole=False),
    "response.output_text.done": _words("text", "text", whole=True),
    "response.output_text.annotation.added": _annotation,
    "response.refusal.delta": _words("refusal", "delta", whole=False),
    "response.refusal.done": _words("refusal", "refusal", whole=True),
    "response.reasoning_summary_text.delta": _reasoning("summary", "delta", whole=False),
    "response.reasoning_summary_text.done": _reasoning("summary", "text", whole=True),
    "response.reasoning_text.delta": _reasoning("content", "delta", whole=False),
    "response.reasoning_text.done": _reasoning("content", "text", whole=True),
    "response.function_call_arguments.delta": _arguments("delta", whole=False),
    "response.function_call_arguments.done": _arguments("arguments", whole=True),
    "response.custom_tool_call_input.delta": _arguments("delta", whole=False),
    "response.custom_tool_call_input.done": _arguments("input", whole=True),
    "response.completed": ResponsesMachine.end,
    "response.incomplete": ResponsesMachine.end,
    "response.failed": ResponsesMachine.end,
    "response.cancelled": ResponsesMachine.end,
    "response.done": ResponsesMachine.end,
    "error": ResponsesMachine.fail,
}
"""Wire event -> what it means."""
