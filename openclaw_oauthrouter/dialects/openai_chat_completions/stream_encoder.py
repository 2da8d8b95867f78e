"""Canonical events -> Chat Completions chunks for one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import Citation
from openclaw_oauthrouter.canonical.error_envelope import encode_error
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
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
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions.chunks import DONE, ChunkTemplate
from openclaw_oauthrouter.dialects.openai_chat_completions.open_parts import OpenPart, Tools, open_part
from openclaw_oauthrouter.dialects.openai_chat_completions.responses import completion_id, encode_citation
from openclaw_oauthrouter.dialects.openai_chat_completions.usage import encode_usage
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import FINISH_REASONS
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import encode_event


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
        self._tools = Tools(request)
        self._template: ChunkTemplate | None = None
        self._opened = False
        self._parts: dict[int, OpenPart] = {}
        self._usage = Usage()
        self._citations: list[Citation] = []
        self._refused = False
        self._over = False

    def send(self, frame: Frame) -> bytes:
        """Encode a frame; ``b""`` when it holds nothing for the client."""
        out: list[bytes] = []
        for event in frame.events:
            if self._over:
                break
            if type(event) is PartDelta:
                out.append(self._parts[event.index].delta(event.text))
            else:
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
        opening = self._opening()
        part = self._parts[event.index] = open_part(event, self._chunks(""), self._tools)
        self._refused = self._refused or event.kind == "refusal"
        return opening + part.start()

    def _part_finished(self, event: PartFinished) -> bytes:
        return self._parts[event.index].finish(event.opaque)

    def _citation(self, event: CitationAdded) -> bytes:
        self._citations.append(event.citation)
        return b""

    def _usage_reported(self, event: UsageReported) -> bytes:
        self._usage = event.usage
        return b""

    def _finished(self, event: ResponseFinished) -> bytes:
        out = [self._opening()]
        template = self._chunks("")
        self._over = True
        if self._citations:
            out.append(template.delta({"annotations": [encode_citation(citation) for citation in self._citations]}))
        if event.explanation and not self._refused:
            out.append(template.delta({"refusal": event.explanation}))
        out.append(template.delta({}, self._tools.finish_reason(FINISH_REASONS[event.finish_reason])))
        if self._include_usage:
            out.append(template.usage(encode_usage(self._usage)))
        out.append(DONE)
        return b"".join(out)

    def _failed(self, event: ResponseFailed) -> bytes:
        return self.fail(event.error)


_STEPS: dict[type[StreamEvent], Callable[[ChatStreamEncoder, Any], bytes]] = {
    ResponseStarted: ChatStreamEncoder._started,
    PartStarted: ChatStreamEncoder._part_started,
    PartFinished: ChatStreamEncoder._part_finished,
    CitationAdded: ChatStreamEncoder._citation,
    UsageReported: ChatStreamEncoder._usage_reported,
    ResponseFinished: ChatStreamEncoder._finished,
    ResponseFailed: ChatStreamEncoder._failed,
}
