"""A client of each dialect: what it sends, and what it makes of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.answers import ARGUMENTS, WORDS

_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}


@dataclass(frozen=True)
class Reading:
    """What a client understood.

    :ivar end: ``complete``, ``error``, or ``none`` if the answer just stopped
    """

    words: str
    arguments: str
    end: str

    @property
    def is_right(self) -> bool:
        """Whether this is the answer, all of it."""
        return self.end == "complete" and self.words == WORDS and json.loads(self.arguments or "null") == ARGUMENTS


@dataclass(frozen=True)
class Client:
    """One dialect.

    :ivar body: (model, what the user says) -> request body
    :ivar stream: events -> reading
    :ivar whole: body -> reading
    :ivar is_error: whether a body is this dialect's error
    """

    path: str
    body: Callable[[str, str], dict[str, Any]]
    stream: Callable[[list[dict[str, Any]], bool], Reading]
    whole: Callable[[dict[str, Any]], Reading]
    is_error: Callable[[dict[str, Any]], bool]


def read_stream(client: Client, text: str) -> Reading:
    """Read a stream as a strict client does: every event is a JSON object, up to ``[DONE]``.

    :raises ValueError: one is not
    """
    data = list(_data(text))
    done = "[DONE]" in data
    events = [json.loads(item) for item in (data[: data.index("[DONE]")] if done else data)]
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("an event is not an object")
    return client.stream(events, done)


def _data(text: str) -> Iterator[str]:
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if lines:
            yield "\n".join(lines)


def _user(says: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": says}]


def _chat_body(model: str, says: str) -> dict[str, Any]:
    tool = {"type": "function", "function": {"name": "weather", "parameters": _PARAMETERS}}
    return {"model": model, "messages": _user(says), "tools": [tool]}


def _chat_stream(events: list[dict[str, Any]], done: bool) -> Reading:
    words = arguments = ""
    end = "none"
    for event in events:
        if event.get("error"):
            return Reading(words, arguments, "both" if done else "error")
        for choice in event["choices"]:
            words += choice["delta"].get("content") or ""
            arguments += "".join(call["function"].get("arguments") or "" for call in choice["delta"].get("tool_calls") or ())
            end = "complete" if choice["finish_reason"] else end
    return Reading(words, arguments, end)


def _chat_whole(body: dict[str, Any]) -> Reading:
    message = body["choices"][0]["message"]
    calls = "".join(call["function"]["arguments"] for call in message.get("tool_calls") or ())
    return Reading(message["content"] or "", calls, "complete")


def _messages_body(model: str, says: str) -> dict[str, Any]:
    tool = {"name": "weather", "input_schema": _PARAMETERS}
    return {"model": model, "max_tokens": 50, "messages": _user(says), "tools": [tool]}


def _messages_stream(events: list[dict[str, Any]], _: bool) -> Reading:
    words = arguments = ""
    ends = [event["type"] for event in events if event["type"] in ("message_stop", "error")]
    for event in events:
        delta = event.get("delta", {})
        words += delta.get("text", "")
        arguments += delta.get("partial_json", "")
    return Reading(words, arguments, _one_end(ends, {"message_stop": "complete", "error": "error"}))


def _messages_whole(body: dict[str, Any]) -> Reading:
    words = "".join(block.get("text", "") for block in body["content"])
    calls = "".join(json.dumps(block["input"]) for block in body["content"] if block["type"] == "tool_use")
    return Reading(words, calls, "complete")


def _responses_body(model: str, says: str) -> dict[str, Any]:
    return {"model": model, "input": says, "tools": [{"type": "function", "name": "weather", "parameters": _PARAMETERS}]}


def _responses_stream(events: list[dict[str, Any]], _: bool) -> Reading:
    words = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    calls = "".join(event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta")
    named = {"response.completed": "complete", "response.failed": "error", "error": "error"}
    return Reading(words, calls, _one_end([event["type"] for event in events if event["type"] in named], named))


def _responses_whole(body: dict[str, Any]) -> Reading:
    parts = [part for item in body["output"] for part in item.get("content") or ()]
    calls = "".join(item["arguments"] for item in body["output"] if item["type"] == "function_call")
    return Reading(
        "".join(part.get("text", "") for part in parts), calls, "complete" if body["status"] == "completed" else "none"
    )


def _one_end(ends: list[str], names: dict[str, str]) -> str:
    """How a stream ended; a client must not be told twice."""
    return names[ends[0]] if len(ends) == 1 else "both" if ends else "none"


def _openai_error(body: dict[str, Any]) -> bool:
    return bool(body["error"]["message"]) and {"type", "code", "param"} <= body["error"].keys()


def _messages_error(body: dict[str, Any]) -> bool:
    return body["type"] == "error" and bool(body["error"]["message"]) and bool(body["error"]["type"])


CLIENTS = {
    "chat": Client("/v1/chat/completions", _chat_body, _chat_stream, _chat_whole, _openai_error),
    "messages": Client("/v1/messages", _messages_body, _messages_stream, _messages_whole, _messages_error),
    "responses": Client("/v1/responses", _responses_body, _responses_stream, _responses_whole, _openai_error),
}
