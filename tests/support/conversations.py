"""One conversation, said in each client's dialect and read back from what each provider was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHAT, MESSAGES, RESPONSES = "openai_chat_completions", "anthropic_messages", "openai_responses"
DIALECTS = (CHAT, MESSAGES, RESPONSES)
PATHS = {CHAT: "/v1/chat/completions", MESSAGES: "/v1/messages", RESPONSES: "/v1/responses"}

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA: Mapping[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool call, in a conversation or in an answer.

    :ivar arguments: JSON without blanks
    """

    id: str
    name: str
    arguments: str

    @classmethod
    def of(cls, id: str, name: str, arguments: str | Json) -> Call:
        """A call as it was found, its arguments as text or as an object."""
        value = json.loads(arguments) if isinstance(arguments, str) else arguments
        return cls(id, name, json.dumps(value, separators=(",", ":")))


@dataclass(frozen=True)
class Conversation:
    """What a client says.

    :ivar calls: the assistant's earlier calls
    :ivar results: what the tools answered, one for each call
    """

    words: str = "hi"
    system: str = "Be brief."
    image: bool = False
    calls: tuple[Call, ...] = ()
    results: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    thinks: bool = False
    max_tokens: int = 4000


def say(dialect: str, conversation: Conversation, model: str, *, stream: bool) -> Json:
    """A client's request body."""
    return {**_SAY[dialect](conversation), "model": model, "stream": stream}


def hear(dialect: str, body: Json) -> Conversation:
    """What a provider was asked, in the same terms; ``thinks`` and ``max_tokens`` are not read."""
    return _HEAR[dialect](body)


def go_on(dialect: str, body: Json, turn: Sequence[Any], results: Mapping[str, str]) -> Json:
    """The client's next request: its last one, the assistant's turn as it kept it, and what the tools answered (by call id)."""
    key = "input" if dialect == RESPONSES else "messages"
    answered: list[Json]
    if dialect == CHAT:
        answered = [{"role": "tool", "tool_call_id": id, "content": result} for id, result in results.items()]
    elif dialect == RESPONSES:
        answered = [{"type": "function_call_output", "call_id": id, "output": result} for id, result in results.items()]
    else:
        content = [{"type": "tool_result", "tool_use_id": id, "content": result} for id, result in results.items()]
        answered = [{"role": "user", "content": content}]
    return {**body, key: [*body[key], *turn, *answered]}


# ------------------------------------------------------------------ Chat Completions


def _say_chat(said: Conversation) -> Json:
    content: Any = said.words
    if said.image:
        url = f"data:image/png;base64,{PIXEL}"
        content = [{"type": "text", "text": said.words}, {"type": "image_url", "image_url": {"url": url}}]
    messages: list[Json] = [{"role": "system", "content": said.system}, {"role": "user", "content": content}]
    if said.calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in said.calls
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        pairs = zip(said.calls, said.results, strict=True)
        messages += [{"role": "tool", "tool_call_id": call.id, "content": result} for call, result in pairs]
    body: Json = {"messages": messages, "max_completion_tokens": said.max_tokens, "stream_options": {"include_usage": True}}
    if said.tools:
        body["tools"] = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in said.tools]
    if said.thinks:
        body["reasoning_effort"] = "medium"
    return body


def _hear_chat(body: Json) -> Conversation:
    said: list[str] = []
    image = False
    calls: list[Call] = []
    results: list[str] = []
    system = ""
    for message in body["messages"]:
        content = message.get("content") or ""
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        words = "".join(part.get("text", "") for part in parts)
        image = image or any(part["type"] == "image_url" and PIXEL in part["image_url"]["url"] for part in parts)
        if message["role"] == "system":
            system += words
        elif message["role"] == "tool":
            results.append(words)
        elif message["role"] == "user":
            said.append(words)
        for call in message.get("tool_calls") or ():
            calls.append(Call.of(call["id"], call["function"]["name"], call["function"]["arguments"]))
    tools = tuple(tool["function"]["name"] for tool in body.get("tools") or ())
    return Conversation("".join(said), system, image, tuple(calls), tuple(results), tools)


# ------------------------------------------------------------------ Messages


def _say_messages(said: Conversation) -> Json:
    content: list[Json] = [{"type": "text", "text": said.words}]
    if said.image:
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}})
    messages: list[Json] = [{"role": "user", "content": content}]
    if said.calls:
        calls = [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)} for call in said.calls
        ]
        pairs = zip(said.calls, said.results, strict=True)
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": result} for call, result in pairs]
        messages += [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
    body: Json = {"system": said.system, "messages": messages, "max_tokens": said.max_tokens}
    if said.tools:
        body["tools"] = [{"name": name, "input_schema": SCHEMA} for name in said.tools]
    if said.thinks:
        body["thinking"] = {"type": "enabled", "budget_tokens": 2048}
    return body


def _hear_messages(body: Json) -> Conversation:
    said: list[str] = []
    image = False
    calls: list[Call] = []
    results: list[str] = []
    for message in body["messages"]:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if block["type"] == "text" and message["role"] == "user":
                said.append(block["text"])
            elif block["type"] == "image":
                image = image or block["source"].get("data") == PIXEL
            elif block["type"] == "tool_use":
                calls.append(Call.of(block["id"], block["name"], block["input"]))
            elif block["type"] == "tool_result":
                results.append(block["content"] if isinstance(block["content"], str) else block["content"][0]["text"])
    system = body.get("system") or ""
    words = system if isinstance(system, str) else "".join(block["text"] for block in system)
    tools = tuple(tool["name"] for tool in body.get("tools") or ())
    return Conversation("".join(said), words, image, tuple(calls), tuple(results), tools)


# ------------------------------------------------------------------ Responses


def _say_responses(said: Conversation) -> Json:
    content: list[Json] = [{"type": "input_text", "text": said.words}]
    if said.image:
        content.append({"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"})
    items: list[Json] = [{"role": "user", "content": content}]
    items += [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments} for call in said.calls
    ]
    pairs = zip(said.calls, said.results, strict=True)
    items += [{"type": "function_call_output", "call_id": call.id, "output": result} for call, result in pairs]
    body: Json = {"instructions": said.system, "input": items, "max_output_tokens": said.max_tokens, "store": False}
    if said.tools:
        body["tools"] = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in said.tools]
    if said.thinks:
        body["reasoning"] = {"effort": "medium", "summary": "auto"}
    return body


def _hear_responses(body: Json) -> Conversation:
    said: list[str] = []
    image = False
    calls: list[Call] = []
    results: list[str] = []
    for item in body["input"]:
        if item.get("type") == "function_call":
            calls.append(Call.of(item["call_id"], item["name"], item["arguments"]))
        elif item.get("type") == "function_call_output":
            results.append(item["output"])
        elif item.get("role") != "assistant":
            content = item.get("content") or ()
            parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
            said += [part["text"] for part in parts if part["type"] == "input_text"]
            image = image or any(part["type"] == "input_image" and PIXEL in part["image_url"] for part in parts)
    tools = tuple(tool["name"] for tool in body.get("tools") or ())
    return Conversation("".join(said), body.get("instructions") or "", image, tuple(calls), tuple(results), tools)


_SAY: Mapping[str, Callable[[Conversation], Json]] = {CHAT: _say_chat, MESSAGES: _say_messages, RESPONSES: _say_responses}
_HEAR: Mapping[str, Callable[[Json], Conversation]] = {CHAT: _hear_chat, MESSAGES: _hear_messages, RESPONSES: _hear_responses}
