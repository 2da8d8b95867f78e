"""A whole upstream answer, read as the events it would have streamed."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.events import StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.dialects.openai_chat_completions.errors import decode_error_object
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_decoder import ChatEventMachine
from openclaw_oauthrouter.errors import UpstreamProtocolError
from openclaw_oauthrouter.wire.sse import ServerSentEvent

_DONE = ServerSentEvent("", b"[DONE]")


def decode_response(body: FrozenObject) -> Sequence[StreamEvent]:
    """Read a ``chat.completion``: one chunk whose message is its delta.

    :raises UpstreamError: the body is an error (some providers answer 200 with one), or no answer at all
    """
    if body.get("error"):
        raise decode_error_object(body)
    if not body.get("choices"):
        raise UpstreamProtocolError("the provider's answer holds no choice")
    machine = ChatEventMachine()
    try:
        return [*machine.receive_chunk(body), *machine.receive(_DONE)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamProtocolError(f"the provider's answer is broken: {type(error).__name__}") from error
