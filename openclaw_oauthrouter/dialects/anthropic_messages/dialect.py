"""Anthropic's Messages API as a dialect: the parts of this package behind one interface."""

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
from openclaw_oauthrouter.canonical.events import StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.dialects.anthropic_messages import errors
from openclaw_oauthrouter.dialects.anthropic_messages.relay import MessagesRelayEncoder, relay_message, relay_request
from openclaw_oauthrouter.dialects.anthropic_messages.request_decoder import decode_request
from openclaw_oauthrouter.dialects.anthropic_messages.request_encoder import encode_request
from openclaw_oauthrouter.dialects.anthropic_messages.stream_decoder import MessagesEventMachine, decode_message
from openclaw_oauthrouter.dialects.anthropic_messages.stream_encoder import MessagesStreamEncoder, encode_response
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import DIALECT
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamError, UpstreamProtocolError
from openclaw_oauthrouter.interfaces import StreamDecoder, StreamEncoder
from openclaw_oauthrouter.wire.event_stream import EventStreamDecoder
from openclaw_oauthrouter.wire.known_turns import KnownTurns


class AnthropicMessages:
    """The dialect; implements ``interfaces.Dialect``.

    :param clock: reads ``retry-after`` dates
    """

    name = DIALECT
    client_paths = (
        ClientPath(
            "/v1/messages",
            "Anthropic Messages",
            object_schema({"model": TEXT, "max_tokens": LIMIT, "messages": CONVERSATION}, {"stream": STREAM}),
            object_schema(
                {"id": TEXT, "type": {"const": "message"}, "role": {"const": "assistant"}, "content": list_schema(ANY_OBJECT)}
            ),
        ),
    )
    token_headers = ("x-api-key",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: KnownTurns[Message] = KnownTurns()

    def decode_request(self, body: JsonObject, headers: Mapping[str, str], path: MatchedPath | None = None) -> ChatRequest:
        """Read a client's request.

        :raises InvalidRequestError: naming the parameter
        """
        return decode_request(body, headers, self._known)

    def encode_request(self, request: ChatRequest, info: ModelInfo) -> EncodedRequest:
        """Write a request for a model."""
        return relay_request(request, info) if request.dialect == self.name else encode_request(request, info)

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for one upstream stream."""
        return EventStreamDecoder(MessagesEventMachine())

    def decode_response(self, body: JsonObject) -> Sequence[StreamEvent]:
        """Read a whole upstream answer as the events it would have streamed.

        :raises UpstreamProtocolError: the body is not a message
        """
        if body.get("type") == "error" or (body.get("error") and "content" not in body):
            raise errors.decode_stream_error(body)
        try:
            return decode_message(body)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UpstreamProtocolError(f"the provider's answer is not a message ({type(error).__name__}: {error})") from error

    def stream_encoder(self, request: ChatRequest, model: str) -> StreamEncoder:
        """An encoder for one client stream."""
        return MessagesStreamEncoder(model, searches=_searches(request))

    def relay_encoder(self, request: ChatRequest, tool_names: FrozenObject) -> StreamEncoder:
        """An encoder that passes on a stream that came in this very dialect."""
        return MessagesRelayEncoder(tool_names)

    def encode_response(self, response: ChatResponse, request: ChatRequest, model: str) -> JsonObject:
        """Write a whole answer."""
        return encode_response(response, model, searches=_searches(request))

    def relay_response(self, body: JsonObject, tool_names: FrozenObject) -> JsonObject:
        """Pass on a whole answer that came in this very dialect."""
        return relay_message(body, tool_names)

    def encode_error(self, error: OAuthRouterError, request_id: str) -> JsonObject:
        """The error envelope."""
        return errors.encode_error(error, request_id)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """Read an upstream's refusal; any body at all."""
        return errors.decode_error(status, headers, body, self._clock())


def _searches(request: ChatRequest) -> bool:
    return any(tool.search is not None for tool in request.tools)
