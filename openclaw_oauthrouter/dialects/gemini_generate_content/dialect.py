"""Puts the translators of this package together as one ``Dialect`` of upstreams: no client speaks it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.events import StreamEvent
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.dialects.gemini_generate_content import errors, request_encoder
from openclaw_oauthrouter.dialects.gemini_generate_content.stream_decoder import GeminiEventMachine, decode_response
from openclaw_oauthrouter.dialects.gemini_generate_content.vocabulary import DIALECT
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.wire.event_stream import EventStreamDecoder


class GeminiGenerateContent:
    """The ``gemini_generate_content`` dialect.

    :param clock: reads ``retry-after`` dates
    """

    name = DIALECT

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def encode_request(self, request: ChatRequest, info: ModelInfo) -> EncodedRequest:
        """Write a request for a model.

        :raises InvalidRequestError: the request holds what Gemini cannot be told
        """
        return request_encoder.encode_request(request, info)

    def stream_decoder(self) -> EventStreamDecoder:
        """A decoder for one upstream stream."""
        return EventStreamDecoder(GeminiEventMachine())

    def decode_response(self, body: JsonObject) -> Sequence[StreamEvent]:
        """Read a whole upstream answer.

        :raises UpstreamError: it is an error, or not an answer
        """
        return decode_response(body)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """Read an upstream's refusal."""
        return errors.decode_error(status, headers, body, self._clock())
