"""The same small answer, "Hello" and one tool call, as each provider would send it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

WORDS = "Hello"
ARGUMENTS = {"city": "Paris"}


@dataclass(frozen=True)
class ProviderAnswer:
    """What one provider sends.

    :ivar model: a model of it, as a client names it
    :ivar events: the stream, event by event
    :ivar error: an event that says the provider has failed
    :ivar whole: the answer in one body; ``None`` if the provider only streams
    :ivar refusal: the body of an error status
    :ivar complete_after: how many events make the answer complete
    """

    model: str
    events: tuple[bytes, ...]
    error: bytes
    whole: bytes | None
    refusal: bytes
    complete_after: int


def named(kind: str, **fields: Any) -> bytes:
    """An event of a protocol whose events have names."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _block_delta(index: int, kind: str, **fields: Any) -> bytes:
    return named("content_block_delta", index=index, delta={"type": kind, **fields})


_USAGE = {"input_tokens": 12, "output_tokens": 9}
_TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "stop_sequence": None}

ANTHROPIC = ProviderAnswer(
    model="anthropic/claude-haiku-4-5",
    events=(
        named("message_start", message={**_MESSAGE, "content": [], "stop_reason": None, "usage": {**_USAGE, "output_tokens": 1}}),
        named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        named("ping"),
        _block_delta(0, "text_delta", text="Hel"),
        _block_delta(0, "text_delta", text="lo"),
        named("content_block_stop", index=0),
        named("content_block_start", index=1, content_block=_TOOL_USE),
        _block_delta(1, "input_json_delta", partial_json='{"city": '),
        _block_delta(1, "input_json_delta", partial_json='"Paris"}'),
        named("content_block_stop", index=1),
        named("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 9}),
        named("message_stop"),
    ),
    error=named("error", error={"type": "overloaded_error", "message": "Overloaded"}),
    whole=json.dumps(
        {
            **_MESSAGE,
            "content": [{"type": "text", "text": WORDS}, {**_TOOL_USE, "input": ARGUMENTS}],
            "stop_reason": "tool_use",
            "usage": _USAGE,
        }
    ).encode(),
    refusal=json.dumps({"type": "error", "error": {"type": "api_error", "message": "scripted refusal"}}).encode(),
    complete_after=12,
)


def _response(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "gpt-5.6-sol", "status": status, "output": [], **fields}


_TEXT_ITEM = {"type": "message", "id": "item_0", "role": "assistant", "status": "completed"}
_CALL_ITEM = {"type": "function_call", "id": "item_1", "call_id": "call_1", "name": "weather"}
_CODEX_EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("created", {"response": _response("in_progress")}),
    ("in_progress", {"response": _response("in_progress")}),
    ("output_item.added", {"output_index": 0, "item": {**_TEXT_ITEM, "status": "in_progress", "content": []}}),
    (
        "content_part.added",
        {"output_index": 0, "content_index": 0, "item_id": "item_0", "part": {"type": "output_text", "text": ""}},
    ),
    ("output_text.delta", {"output_index": 0, "content_index": 0, "item_id": "item_0", "delta": "Hel"}),
    ("output_text.delta", {"output_index": 0, "content_index": 0, "item_id": "item_0", "delta": "lo"}),
    ("output_text.done", {"output_index": 0, "content_index": 0, "item_id": "item_0", "text": WORDS}),
    (
        "output_item.done",
        {"output_index": 0, "item": {**_TEXT_ITEM, "content": [{"type": "output_text", "text": WORDS, "annotations": []}]}},
    ),
    ("output_item.added", {"output_index": 1, "item": {**_CALL_ITEM, "status": "in_progress", "arguments": ""}}),
    ("function_call_arguments.delta", {"output_index": 1, "item_id": "item_1", "delta": '{"city": '}),
    ("function_call_arguments.delta", {"output_index": 1, "item_id": "item_1", "delta": '"Paris"}'}),
    ("function_call_arguments.done", {"output_index": 1, "item_id": "item_1", "arguments": json.dumps(ARGUMENTS)}),
    ("output_item.done", {"output_index": 1, "item": {**_CALL_ITEM, "status": "completed", "arguments": json.dumps(ARGUMENTS)}}),
    ("completed", {"response": _response("completed", usage={**_USAGE, "total_tokens": 21})}),
)

CODEX = ProviderAnswer(
    model="openai-codex/gpt-5.6-sol",
    events=tuple(
        named(f"response.{kind}", sequence_number=number, **fields) for number, (kind, fields) in enumerate(_CODEX_EVENTS)
    ),
    error=named("response.failed", response=_response("failed", error={"code": "server_error", "message": "scripted failure"})),
    whole=None,
    refusal=json.dumps({"detail": "scripted refusal"}).encode(),
    complete_after=len(_CODEX_EVENTS),
)


def _chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "house-model",
        "choices": choices,
        **fields,
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _call(**function: str) -> dict[str, Any]:
    identity = {"id": "call_1", "type": "function"} if "name" in function else {}
    return {"tool_calls": [{"index": 0, **identity, "function": function}]}


_CHAT_USAGE = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}

CHAT = ProviderAnswer(
    model="house/house-model",
    events=(
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"content": "Hel"}),
        _chunk({"content": "lo"}),
        _chunk(_call(name="weather", arguments="")),
        _chunk(_call(arguments='{"city": ')),
        _chunk(_call(arguments='"Paris"}')),
        _chunk({}, "tool_calls"),
        _chunk(usage=_CHAT_USAGE),
        b"data: [DONE]\n\n",
    ),
    error=b'data: {"error": {"message": "scripted failure", "type": "server_error", "code": null}}\n\n',
    whole=json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "house-model",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "message": {
                        "role": "assistant",
                        "content": WORDS,
                        "tool_calls": [
                            {
                                "id": "call_1",
                                "type": "function",
                                "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)},
                            }
                        ],
                    },
                }
            ],
            "usage": _CHAT_USAGE,
        }
    ).encode(),
    refusal=json.dumps({"error": {"message": "scripted refusal", "type": "server_error", "code": None}}).encode(),
    complete_after=7,  # with its finish reason the answer is whole; the connection may end
)

PROVIDERS = {"anthropic": ANTHROPIC, "codex": CODEX, "chat": CHAT}
