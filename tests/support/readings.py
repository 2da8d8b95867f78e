"""What a client of each dialect understands of an answer, whole or streamed; written from the vendors' formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from tests.support.conversations import CHAT, MESSAGES, RESPONSES, Call, Json


@dataclass(frozen=True)
class Reading:
    """A client's view.

    :ivar finish: why it ended, in the dialect's own word; ``""`` when it broke off
    :ivar usage: input and output tokens
    :ivar error: the HTTP status and the dialect's word for the error; status 200 for an error within a stream
    :ivar seals: what the client would send back as sealed thinking
    :ivar turn: the assistant's turn as the client keeps it for its next request: messages or items
    """

    words: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = ""
    usage: tuple[int, int] | None = None
    error: tuple[int, str] | None = None
    seals: tuple[str, ...] = ()
    turn: tuple[Any, ...] = ()


def read(dialect: str, answer: httpx.Response) -> Reading:
    """Understand an answer."""
    if answer.status_code != 200:
        return Reading(error=(answer.status_code, _word(dialect, answer.json())))
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return _WHOLE[dialect](answer.json())
    return _STREAM[dialect](list(_events(answer.text)))


def _word(dialect: str, body: Json) -> str:
    error = body["error"]
    return str(error["type"] if dialect == MESSAGES else error.get("code") or error["type"])


def _events(text: str) -> Iterator[Json]:
    for block in text.split("\n\n"):
        for line in block.split("\n"):
            if line.startswith("data: ") and line != "data: [DONE]":
                yield json.loads(line.removeprefix("data: "))


# ------------------------------------------------------------------ Chat Completions


def _chat_whole(body: Json) -> Reading:
    [choice] = body["choices"]
    message = choice["message"]
    calls = message.get("tool_calls") or ()
    return Reading(
        words=message.get("content") or "",
        thinking=message.get("reasoning_content") or "",
        refusal=message.get("refusal") or "",
        calls=tuple(Call.of(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls),
        finish=choice["finish_reason"],
        usage=(body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]),
        seals=tuple(block.get("signature") or block.get("data") for block in message.get("thinking_blocks") or ()),
        turn=(message,),
    )


def _chat_stream(events: list[Json]) -> Reading:
    text: dict[str, str] = {"content": "", "reasoning_content": "", "refusal": ""}
    calls: dict[int, Json] = {}
    blocks: list[Json] = []
    extras: Json = {}
    whole: Json = {"usage": {"prompt_tokens": 0, "completion_tokens": 0}}
    finish = ""
    for chunk in events:
        if "error" in chunk:
            return Reading(words=text["content"], error=(200, _word(CHAT, chunk)))
        whole["usage"] = chunk.get("usage") or whole["usage"]
        for choice in chunk["choices"]:
            finish = choice.get("finish_reason") or finish
            delta = choice["delta"]
            for key in text:
                text[key] += delta.get(key) or ""
            blocks += [{k: v for k, v in block.items() if k != "index"} for block in delta.get("thinking_blocks") or ()]
            if "reasoning_details" in delta:
                extras["reasoning_details"] = [*extras.get("reasoning_details", ()), *delta["reasoning_details"]]
            extras |= {"extra_content": delta["extra_content"]} if "extra_content" in delta else {}
            for piece in delta.get("tool_calls") or ():
                call = calls.setdefault(piece["index"], {"function": {"name": "", "arguments": ""}})
                call |= {key: piece[key] for key in ("id", "type", "extra_content") if key in piece}
                call["function"]["name"] += piece["function"].get("name") or ""
                call["function"]["arguments"] += piece["function"].get("arguments") or ""
    message: Json = {"role": "assistant", **text, **extras, "tool_calls": [calls[index] for index in sorted(calls)]}
    if not calls:
        del message["tool_calls"]
    if blocks:
        message["thinking_blocks"] = blocks
    return _chat_whole({**whole, "choices": [{"message": message, "finish_reason": finish}]})


# ------------------------------------------------------------------ Messages


def _messages_whole(body: Json) -> Reading:
    blocks = body["content"]

    def joined(kind: str, key: str) -> str:
        return "".join(block[key] for block in blocks if block["type"] == kind)

    calls = (block for block in blocks if block["type"] == "tool_use")
    sealed = [block.get("signature") or block.get("data") for block in blocks if "thinking" in block["type"]]
    return Reading(
        words=joined("text", "text"),
        thinking=joined("thinking", "thinking"),
        refusal=(body.get("stop_details") or {}).get("explanation") or "",
        calls=tuple(Call.of(block["id"], block["name"], block["input"]) for block in calls),
        finish=body["stop_reason"],
        usage=(body["usage"]["input_tokens"], body["usage"]["output_tokens"]),
        seals=tuple(seal for seal in sealed if seal),
        turn=({"role": "assistant", "content": blocks},),
    )


_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature", "input_json_delta": "partial_json"}


def _messages_stream(events: list[Json]) -> Reading:
    message: Json = {}
    blocks: list[Json] = []
    for event in events:
        match event["type"]:
            case "error":
                words = "".join(block.get("text", "") for block in blocks)
                return Reading(words=words, error=(200, _word(MESSAGES, event)))
            case "message_start":
                message = event["message"]
            case "content_block_start":
                blocks.append(dict(event["content_block"]))
            case "content_block_delta":
                key = _DELTAS[event["delta"]["type"]]
                blocks[event["index"]][key] = blocks[event["index"]].get(key, "") + event["delta"][key]
            case "message_delta":
                message = {**message, **event["delta"], "usage": {**message["usage"], **event["usage"]}}
    for block in blocks:
        if "partial_json" in block:
            block["input"] = json.loads(block.pop("partial_json"))
    return _messages_whole({**message, "content": blocks})


# ------------------------------------------------------------------ Responses


def _responses_whole(body: Json) -> Reading:
    items = body["output"]
    contents = [part for item in items if item["type"] == "message" for part in item["content"]]
    summaries = [part for item in items if item["type"] == "reasoning" for part in item["summary"]]
    calls = (item for item in items if item["type"] == "function_call")
    reason = (body.get("incomplete_details") or {}).get("reason")
    return Reading(
        words="".join(part["text"] for part in contents if part["type"] == "output_text"),
        thinking="".join(part["text"] for part in summaries),
        refusal="".join(part["refusal"] for part in contents if part["type"] == "refusal"),
        calls=tuple(Call.of(item["call_id"], item["name"], item["arguments"]) for item in calls),
        finish=f"{body['status']}: {reason}" if reason else body["status"],
        usage=(body["usage"]["input_tokens"], body["usage"]["output_tokens"]),
        seals=tuple(item["encrypted_content"] for item in items if item.get("encrypted_content")),
        turn=tuple(items),
    )


_RESPONSE_DELTAS = {
    "response.output_text.delta": "words",
    "response.reasoning_summary_text.delta": "thinking",
    "response.refusal.delta": "refusal",
}


def _responses_stream(events: list[Json]) -> Reading:
    heard = {"words": "", "thinking": "", "refusal": ""}
    for event in events:
        if event["type"] in _RESPONSE_DELTAS:
            heard[_RESPONSE_DELTAS[event["type"]]] += event["delta"]
        elif event["type"] in ("response.failed", "error"):
            error = event["response"]["error"] if "response" in event else event
            return Reading(words=heard["words"], error=(200, error["code"]))
        elif event["type"] in ("response.completed", "response.incomplete"):
            whole = _responses_whole(event["response"])
            assert replace(whole, **heard) == whole, "the deltas and the final response differ"
            return whole
    raise AssertionError("the stream has no end")


_WHOLE: Mapping[str, Callable[[Json], Reading]] = {CHAT: _chat_whole, MESSAGES: _messages_whole, RESPONSES: _responses_whole}
_STREAM: Mapping[str, Callable[[list[Json]], Reading]] = {
    CHAT: _chat_stream,
    MESSAGES: _messages_stream,
    RESPONSES: _responses_stream,
}
