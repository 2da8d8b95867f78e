"""What a Chat client sees of an answer that came in any dialect."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.events import StreamEvent
from openclaw_oauthrouter.canonical.response import ResponseFold
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.interfaces import Dialect
from tests.wire.chat_sdk import Answer, read_chat_completion

CHAT = ChatCompletions(lambda: 1_700_000_000.0)
ASKED = {
    "model": "m",
    "stream": True,
    "stream_options": {"include_usage": True},
    "reasoning_effort": "high",
    "messages": [{"role": "user", "content": "x"}],
}
REQUEST = CHAT.decode_request(ASKED, {})


def translate(source: Dialect, wire: bytes, sizes: list[int] | None = None) -> bytes:
    """A stream decoded and encoded as a Chat stream, received in pieces of the given sizes (repeated)."""
    decoder, encoder = source.stream_decoder(), CHAT.stream_encoder(REQUEST, "m")
    out, turn = b"", 0
    while wire:
        size = sizes[turn % len(sizes)] if sizes else len(wire)
        out += encoder.send(decoder.receive(wire[:size]))
        wire, turn = wire[size:], turn + 1
    return out + encoder.send(decoder.finish())


def decoded(source: Dialect, wire: bytes) -> list[StreamEvent]:
    """What a stream means."""
    decoder = source.stream_decoder()
    return [*decoder.receive(wire).events, *decoder.finish().events]


def whole(events: list[StreamEvent]) -> Answer:
    """The events as one Chat answer."""
    folded = ResponseFold()
    for event in events:
        folded.receive(event)
    return read_chat_completion(CHAT.encode_response(folded.result(), REQUEST, "m"))
