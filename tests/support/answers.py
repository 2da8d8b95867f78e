"""Small answers as each vendor would send them, whole and streamed; written from the vendors' formats, not with our encoders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.conversations import CHAT, MESSAGES, RESPONSES, Call, Json
from tests.support.upstream import Play

SEAL = "c2VhbGVkLWJ5LWl0cy1tYWtlcg=="
INPUT_TOKENS, OUTPUT_TOKENS = 12, 5


@dataclass(frozen=True)
class Answer:
    """What a provider says.

    :ivar seal: how its thinking is sealed; ``""`` leaves it open
    :ivar redacted: the thinking's words are left out
    :ivar finish: ``stop``, ``tool_call``, ``length`` or ``refusal``
    :ivar refusal: the words of a refusal
    :ivar breaks: the stream ends in an error event after the words
    """

    words: str = ""
    thinking: str = ""
    seal: str = SEAL
    redacted: bool = False
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    refusal: str = ""
    breaks: bool = False


def play(dialect: str, answer: Answer, *, stream: bool) -> Play:
    """The answer as HTTP."""
    if not stream:
        return Play.json(_WHOLE[dialect](answer))
    return Play(list(_STREAM[dialect](answer)))


def refusal(dialect: str, status: int, kind: str, message: str) -> Play:
    """An HTTP error in a vendor's own shape.

    :param kind: the vendor's word for it
    """
    error: Json = {"type": kind, "message": message}
    if dialect == MESSAGES:
        return Play.json({"type": "error", "error": error, "request_id": "req_1"}, status)
    return Play.json({"error": {**error, "param": None, "code": None}}, status)


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


# ------------------------------------------------------------------ Chat Completions

_CHAT_FINISH = {"stop": "stop", "tool_call": "tool_calls", "length": "length", "refusal": "stop"}
_CHAT_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


def _chat_calls(answer: Answer) -> list[Json]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in answer.calls
    ]


def _chat_whole(answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": answer.words or None, "refusal": answer.refusal or None}
    if answer.thinking:
        message["reasoning_content"] = answer.thinking
    if answer.calls:
        message["tool_calls"] = _chat_calls(answer)
    choice = {"index": 0, "message": message, "finish_reason": _CHAT_FINISH[answer.finish], "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "some-model"}
    return {**head, "choices": [choice], "usage": _CHAT_USAGE}


def _chat_deltas(answer: Answer) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    if answer.thinking:
        yield from ({"reasoning_content": half} for half in _halves(answer.thinking))
    if answer.words:
        yield from ({"content": half} for half in _halves(answer.words))
    if answer.refusal:
        yield {"refusal": answer.refusal}
    for index, call in enumerate(_chat_calls(answer)):
        arguments = call["function"].pop("arguments")
        yield {"tool_calls": [{"index": index, **call, "function": {**call["function"], "arguments": ""}}]}
        yield from ({"tool_calls": [{"index": index, "function": {"arguments": half}}]} for half in _halves(arguments))


def _chat_stream(answer: Answer) -> Iterator[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "some-model"}

    def chunk(**fields: Any) -> bytes:
        return f"data: {json.dumps({**head, **fields})}\n\n".encode()

    for delta in _chat_deltas(answer):
        yield chunk(choices=[{"index": 0, "delta": delta, "finish_reason": None}])
    if answer.breaks:
        error = {"message": "The server is overloaded", "type": "server_error", "code": "overloaded"}
        yield f"data: {json.dumps({'error': error})}\n\n".encode()
        return
    yield chunk(choices=[{"index": 0, "delta": {}, "finish_reason": _CHAT_FINISH[answer.finish]}])
    yield chunk(choices=[], usage=_CHAT_USAGE)
    yield b"data: [DONE]\n\n"


# ------------------------------------------------------------------ Messages

_MESSAGES_FINISH = {"stop": "end_turn", "tool_call": "tool_use", "length": "max_tokens", "refusal": "refusal"}


def _messages_blocks(answer: Answer) -> list[Json]:
    blocks: list[Json] = []
    if answer.redacted:
        blocks.append({"type": "redacted_thinking", "data": answer.seal})
    elif answer.thinking:
        blocks.append({"type": "thinking", "thinking": answer.thinking, "signature": answer.seal})
    if answer.words:
        blocks.append({"type": "text", "text": answer.words})
    return blocks + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)} for call in answer.calls
    ]


def _messages_end(answer: Answer) -> Json:
    details = {"stop_details": {"type": "refusal", "category": None, "explanation": answer.refusal}} if answer.refusal else {}
    return {"stop_reason": _MESSAGES_FINISH[answer.finish], "stop_sequence": None, **details}


_MESSAGES_HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "some-model"}


def _messages_whole(answer: Answer) -> Json:
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    return {**_MESSAGES_HEAD, "content": _messages_blocks(answer), **_messages_end(answer), "usage": usage}


def _messages_deltas(block: Json) -> tuple[Json, list[Json]]:
    """How a block begins, and its deltas."""
    match block["type"]:
        case "thinking":
            words = [{"type": "thinking_delta", "thinking": half} for half in _halves(block["thinking"])]
            seal = [{"type": "signature_delta", "signature": block["signature"]}] if block["signature"] else []
            return {"type": "thinking", "thinking": "", "signature": ""}, [*words, *seal]
        case "redacted_thinking":
            return block, []
        case "text":
            return {"type": "text", "text": ""}, [{"type": "text_delta", "text": half} for half in _halves(block["text"])]
        case _:
            halves = _halves(json.dumps(block["input"]))
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": half} for half in halves]


def _messages_stream(answer: Answer) -> Iterator[bytes]:
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
    yield _event("message_start", message={**_MESSAGES_HEAD, "content": [], "stop_reason": None, "usage": usage})
    for index, block in enumerate(_messages_blocks(answer)):
        start, deltas = _messages_deltas(block)
        yield _event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        if not answer.breaks:
            yield _event("content_block_stop", index=index)
    if answer.breaks:
        yield _event("error", error={"type": "overloaded_error", "message": "Overloaded"})
        return
    yield _event("message_delta", delta=_messages_end(answer), usage={"output_tokens": OUTPUT_TOKENS})
    yield _event("message_stop")


# ------------------------------------------------------------------ Responses


def _responses_items(answer: Answer) -> list[Json]:
    items: list[Json] = []
    if answer.thinking or answer.redacted:
        summary = [] if answer.redacted else [{"type": "summary_text", "text": answer.thinking}]
        items.append({"id": "rs_1", "type": "reasoning", "summary": summary, "encrypted_content": answer.seal})
    content: list[Json] = []
    if answer.words:
        content.append({"type": "output_text", "text": answer.words, "annotations": []})
    if answer.refusal:
        content.append({"type": "refusal", "refusal": answer.refusal})
    if content:
        items.append({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content})
    for number, call in enumerate(answer.calls):
        named = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
        items.append({"id": f"fc_{number}", "type": "function_call", "status": "completed", **named})
    return items


def _responses_whole(answer: Answer) -> Json:
    incomplete = answer.finish == "length"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "incomplete" if incomplete else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if incomplete else None,
        "model": "some-model",
        "output": _responses_items(answer),
        "error": None,
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "output_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _responses_item(index: int, item: Json, *, breaks: bool) -> Iterator[bytes]:
    where = {"item_id": item["id"], "output_index": index}
    empty: dict[str, Json] = {
        "reasoning": {"summary": [], "encrypted_content": None},
        "message": {"content": [], "status": "in_progress"},
        "function_call": {"arguments": "", "status": "in_progress"},
    }
    yield _event("response.output_item.added", output_index=index, item={**item, **empty[item["type"]]})
    if item["type"] == "function_call":
        for half in _halves(item["arguments"]):
            yield _event("response.function_call_arguments.delta", **where, delta=half)
        yield _event("response.function_call_arguments.done", **where, arguments=item["arguments"])
    kinds = {"summary_text": "reasoning_summary", "output_text": "output", "refusal": "refusal"}
    for at, part in enumerate(item.get("summary") or item.get("content") or ()):
        spot = {**where, "summary_index" if part["type"] == "summary_text" else "content_index": at}
        name = "response.refusal" if part["type"] == "refusal" else f"response.{kinds[part['type']]}_text"
        group = "response.reasoning_summary_part" if part["type"] == "summary_text" else "response.content_part"
        key = "refusal" if part["type"] == "refusal" else "text"
        yield _event(f"{group}.added", **spot, part={**part, key: ""})
        for half in _halves(part[key]):
            yield _event(f"{name}.delta", **spot, delta=half)
        if breaks:
            return
        yield _event(f"{name}.done", **spot, **{key: part[key]})
        yield _event(f"{group}.done", **spot, part=part)
    yield _event("response.output_item.done", output_index=index, item=item)


def _responses_stream(answer: Answer) -> Iterator[bytes]:
    whole = _responses_whole(answer)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield _event("response.created", response=begun)
    for index, item in enumerate(whole["output"]):
        yield from _responses_item(index, item, breaks=answer.breaks)
    if answer.breaks:
        error = {"code": "server_is_overloaded", "message": "Our servers are currently overloaded"}
        yield _event("response.failed", response={**begun, "status": "failed", "error": error})
        return
    yield _event(f"response.{whole['status']}", response=whole)


_WHOLE: Mapping[str, Callable[[Answer], Json]] = {
    CHAT: _chat_whole,
    MESSAGES: _messages_whole,
    RESPONSES: _responses_whole,
}
_STREAM: Mapping[str, Callable[[Answer], Iterator[bytes]]] = {
    CHAT: _chat_stream,
    MESSAGES: _messages_stream,
    RESPONSES: _responses_stream,
}
