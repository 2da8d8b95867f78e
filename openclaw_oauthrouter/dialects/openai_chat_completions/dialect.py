"""Puts the translators of this package together as one ``Dialect``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.client_paths import (
    ANY_OBJECT,
    CONVERSATION,
    LIMIT,
    STREAM,
    TEXT,
    ClientPath,
    MatchedPath,
    list_schema,
    object_schema,
)
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.error_envelope import encode_error
from openclaw_oauthrouter.canonical.events import StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_chat_completions import errors, relay, request_decoder, request_encoder
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_decoder import ChatEventMachine, decode_response
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_encoder import ChatStreamEncoder, encode_response
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import DIALECT
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamError
from openclaw_oauthrouter.wire.event_stream import EventStreamDecoder
from openclaw_oauthrouter.wire.known_turns import KnownTurns


class ChatCompletions:
    """The ``openai_chat_completions`` dialect.

    :param clock: stamps ``created`` and reads ``retry-after`` dates
    """

    name = DIALECT
    client_paths = (
        ClientPath(
            "/v1/chat/completions",
            "OpenAI Chat Completions",
            object_schema({"model": TEXT, "messages": CONVERSATION}, {"stream": STREAM, "max_tokens": LIMIT}),
            object_schema(
                {
                    "id": TEXT,
                    "object": {"const": "chat.completion"},
                    "model": TEXT,
                    "choices": list_schema(ANY_OBJECT, minItems=1),
                }
            ),
        ),
    )
    token_headers = ("x-openai-api-key",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: KnownTurns[Message] = KnownTurns()

    def decode_request(self, body: JsonObject, headers: Mapping[str, str], path: MatchedPath | None = None) -> ChatRequest:
        """Read a client's request.

        :raises InvalidRequestError: naming the parameter
        """
        return request_decoder.decode_request(body, headers, self._known)

    def encode_request(self, request: ChatRequest, info: ModelInfo) -> EncodedRequest:
        """Write a request for a model.

        :raises InvalidRequestError: the request holds what Chat Completions cannot say
        """
        if request.dialect == DIALECT:
            return relay.relay_request(request, info)
        return request_encoder.encode_request(request, info)

    def stream_decoder(self) -> EventStreamDecoder:
        """A decoder for one upstream stream."""
        return EventStreamDecoder(ChatEventMachine())

    def decode_response(self, body: JsonObject) -> Sequence[StreamEvent]:
        """Read a whole upstream answer.

        :raises UpstreamError: it is an error, or not an answer
        """
        return decode_response(body)

    def stream_encoder(self, request: ChatRequest, model: str) -> ChatStreamEncoder:
        """An encoder for one client stream."""
        return ChatStreamEncoder(request, model, self._clock)

    def relay_encoder(self, request: ChatRequest, tool_names: FrozenObject) -> relay.RelayEncoder:
        """Forward an upstream stream of this dialect."""
        return relay.RelayEncoder(request, tool_names, self._clock)

    def encode_response(self, response: ChatResponse, request: ChatRequest, model: str) -> JsonObject:
        """Write a whole answer."""
        return encode_response(response, request, model, self._clock)

    def relay_response(self, body: JsonObject, tool_names: FrozenObject) -> JsonObject:
        """Forward a whole answer of this dialect."""
        return relay.relay_response(body, tool_names)

    def encode_error(self, error: OAuthRouterError, request_id: str) -> JsonObject:
        """The error envelope; OpenAI's has no room for the request id, which travels in a header."""
        return encode_error(error)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """Read an upstream's refusal."""
        return errors.decode_error(status, headers, body, self._clock())
