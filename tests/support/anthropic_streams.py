"""Small Anthropic answers, written for tests."""

from __future__ import annotations

import json
from typing import Any


def event(kind: str, **fields: Any) -> bytes:
    """One server-sent event."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    },
)
TEXT_START = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
TEXT_STOP = event("content_block_stop", index=0)
END = event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 5}) + event(
    "message_stop"
)
ERROR = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


def text(words: str) -> bytes:
    """A text delta."""
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": words})


WHOLE_STREAM = [START, TEXT_START, text("Hel"), text("lo"), TEXT_STOP, END]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 5},
}
