"""Canonical events, as the Responses events a client sees; a whole answer is what the last of them carries."""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.events import (
    PartDelta,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_responses.output_writer import OutputWriter
from openclaw_oauthrouter.dialects.openai_responses.response_object import ResponseObject
from openclaw_oauthrouter.errors import OAuthRouterError


class ResponseWriter:
    """One answer in the API's own order: created, in progress, items one after the other, the end; nothing after that."""

    def __init__(self, request: ChatRequest, model: str, clock: Clock, new_id: NewId) -> None:
        self._answer = ResponseObject(request.body, model, clock, new_id)
        self._output = OutputWriter(request, new_id)
        self._usage = Usage()
        self._number = 0
        self._refused = False
        self._over = False

    def receive(self, event: StreamEvent) -> Iterator[JsonObject]:
        """The wire events that follow from a canonical one."""
        if self._over:
            return
        match event:
            case ResponseFailed(error):
                yield from self.fail(error)
            case ResponseStarted():
                if not self._number and event.id.startswith("resp_"):
                    self._answer.identify(event.id)
                yield from self._start()
            case UsageReported(usage):
                self._usage = usage
            case ResponseFinished():
                yield from self._finish(event)
            case _:
                self._refused |= isinstance(event, PartStarted) and event.kind == "refusal"
                yield from self._start()
                yield from map(self._numbered, self._output.receive(event))

    def wait(self) -> Iterator[JsonObject]:
        """A sign of life: what the client knows already; nothing before the beginning and after the end."""
        if self._number and not self._over:
            yield self._stage("in_progress", self._answer.in_progress())

    def fail(self, error: OAuthRouterError) -> Iterator[JsonObject]:
        """The answer breaks off; a second call says nothing.

        Before the beginning, too, it is ``response.failed`` rather than ``error``, which Codex CLI and the SDK's accumulator pass over.
        """
        if self._over:
            return
        yield from self._start()
        self._over = True
        yield self._stage("failed", self._answer.failed(error))

    def _start(self) -> Iterator[JsonObject]:
        if not self._number:
            yield self._stage("created", self._answer.in_progress())
            yield self._stage("in_progress", self._answer.in_progress())

    def _finish(self, event: ResponseFinished) -> Iterator[JsonObject]:
        yield from self._start()
        yield from map(self._numbered, self._output.close(cut=event.finish_reason == "length"))
        if event.finish_reason == "content_filter" and event.explanation and not self._refused:
            yield from self._refuse(event.explanation)
        self._over = True
        response = self._answer.finished(event, self._output.items, self._usage)
        yield self._stage(response["status"], response)

    def _refuse(self, explanation: str) -> Iterator[JsonObject]:
        for event in (PartStarted(_LAST, "refusal"), PartDelta(_LAST, explanation)):
            yield from map(self._numbered, self._output.receive(event))
        yield from map(self._numbered, self._output.close(cut=False))

    def _stage(self, name: str, response: JsonObject) -> JsonObject:
        return self._numbered({"type": f"response.{name}", "response": response})

    def _numbered(self, event: JsonObject) -> JsonObject:
        event["sequence_number"] = self._number
        self._number += 1
        return event


_LAST = 1 << 30
"""Index of a part of our own, after all of the provider's."""
