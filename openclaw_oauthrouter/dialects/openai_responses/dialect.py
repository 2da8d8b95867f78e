"""The dialect: OpenAI's Responses API, spoken by Codex CLI and the ``openai`` SDKs, and by OpenAI's and the ChatGPT backend's upstreams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from openclaw_oauthrouter.canonical.client_paths import (
    ANY_OBJECT,
    STREAM,
    TEXT,
    ClientPath,
    MatchedPath,
    list_schema,
    object_schema,
)
from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.events import StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_responses.errors import decode_error, encode_error
from openclaw_oauthrouter.dialects.openai_responses.relay import (
    RelayEncoder,
    input_items,
    relay_request,
    rename_tools,
    speaks_natively,
    whole_answer,
    without_ids,
)
from openclaw_oauthrouter.dialects.openai_responses.request_decoder import Item, decode_request
from openclaw_oauthrouter.dialects.openai_responses.request_encoder import encode_request
from openclaw_oauthrouter.dialects.openai_responses.stream_decoder import ResponsesMachine, decode_response
from openclaw_oauthrouter.dialects.openai_responses.stream_encoder import (
    ResponsesStreamEncoder,
    ResponseWriter,
    encode_response,
)
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, ResponseObject
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamError
from openclaw_oauthrouter.wire.event_stream import EventStreamDecoder
from openclaw_oauthrouter.wire.known_turns import KnownTurns

__all__ = ["OpenAIResponses"]


class OpenAIResponses:
    """The dialect; see ``interfaces.Dialect``.

    :param clock: for ``created_at`` and for waits that a provider gives as a time of day
    :param new_id: for the ids of answers and items
    """

    name = DIALECT
    client_paths = (
        ClientPath(
            "/v1/responses",
            "OpenAI Responses",
            object_schema({"model": TEXT, "input": TEXT}, {"stream": STREAM, "instructions": TEXT}),
            object_schema({"id": TEXT, "object": {"const": "response"}, "status": TEXT, "output": list_schema(ANY_OBJECT)}),
        ),
    )
    token_headers = ("x-openai-api-key",)

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id
        self._known: KnownTurns[Item] = KnownTurns()

    def decode_request(self, body: JsonObject, headers: Mapping[str, str], path: MatchedPath | None = None) -> ChatRequest:
        """Read a client's request.

        :raises InvalidRequestError: naming the parameter
        """
        return decode_request(body, headers, self._known)

    def encode_request(self, request: ChatRequest, info: ModelInfo) -> EncodedRequest:
        """Write a request for a model; a client of this dialect keeps its own body."""
        if request.dialect != DIALECT:
            return encode_request(request, info)
        if speaks_natively(request, info):
            return relay_request(request, info)
        return replace(encode_request(request, info), translated=True)

    def stream_decoder(self) -> EventStreamDecoder:
        """A decoder for one upstream stream."""
        return EventStreamDecoder(ResponsesMachine(self._clock))

    def decode_response(self, body: JsonObject) -> Sequence[StreamEvent]:
        """Read a whole upstream answer as the events it would have streamed."""
        return decode_response(body, self._clock)

    def stream_encoder(self, request: ChatRequest, model: str) -> ResponsesStreamEncoder:
        """An encoder for one client stream."""
        client = str(request.headers.get("originator") or "")
        return ResponsesStreamEncoder(ResponseWriter(request, model, self._clock, self._new_id), client)

    def relay_encoder(self, request: ChatRequest, tool_names: FrozenObject) -> RelayEncoder:
        """An encoder for a stream that comes in this very dialect."""
        return RelayEncoder(ResponseObject(request.body, request.model, self._clock, self._new_id), tool_names)

    def encode_response(self, response: ChatResponse, request: ChatRequest, model: str) -> JsonObject:
        """Write a whole answer."""
        return encode_response(response, ResponseWriter(request, model, self._clock, self._new_id))

    def relay_response(self, body: JsonObject, tool_names: FrozenObject) -> JsonObject:
        """Pass on a whole answer that came in this very dialect."""
        return rename_tools(body, tool_names)

    def whole_answer(self, stream: bytes) -> JsonObject:
        """The whole answer that a relayed stream spells; see ``interfaces.FoldsStreams``."""
        return whole_answer(stream)

    def earlier(self, body: JsonObject) -> str | None:
        """The response that a request goes on from."""
        id_ = body.get("previous_response_id")
        return id_ if isinstance(id_, str) and id_ else None

    def with_earlier(self, body: JsonObject, turns: Sequence[JsonObject]) -> JsonObject:
        """The whole conversation as input; instructions and tools are those of this request only, as OpenAI has it."""
        earlier = [item for turn in turns for item in (*turn["input"], *without_ids(turn["response"].get("output") or ()))]
        rest = {name: value for name, value in body.items() if name != "previous_response_id"}
        return {**rest, "input": [*earlier, *input_items(body)]}

    def turn(self, body: JsonObject, answer: JsonObject) -> tuple[str, JsonObject] | None:
        """What is kept of an answer that came to its end, unless the client said ``store: false``."""
        id_ = answer.get("id")
        if body.get("store") is False or not isinstance(id_, str) or answer.get("status") not in ("completed", "incomplete"):
            return None
        return id_, {"input": input_items(body), "response": answer}

    def encode_error(self, error: OAuthRouterError, request_id: str) -> JsonObject:
        """The error envelope; the request id travels in a header, as OpenAI's does."""
        return encode_error(error, self._clock())

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """Read an upstream's refusal; any body at all."""
        return decode_error(status, headers, body, self._clock())
