"""What OpenAI and Anthropic refuse in a request, as far as gateways' users report it; in few words, by path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.upstream import Play, ScriptedUpstream, Seen

TIDE_SERVER = str(Path(__file__).with_name("tide_server.py"))
"""An MCP server's program."""

Json = Mapping[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CLAUDE_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_COMBINED = frozenset({"anyOf", "oneOf", "allOf", "not", "$ref"})
_CODEX_FIELDS = frozenset(
    {
        *("model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "store", "stream"),
        *("include", "service_tier", "prompt_cache_key", "text", "client_metadata"),
    }
)
_SAID_PARTS = frozenset({"output_text", "refusal"})
_ASKED_PARTS = frozenset({"input_text", "input_image", "input_file"})


class StrictScript(ScriptedUpstream):
    """Answers by a script, and refuses what vendors refuse.

    :ivar refused: what was wrong with requests
    """

    def __init__(self, script: Callable[[Seen], Play]) -> None:
        super().__init__()
        self._script = script
        self.refused: list[str] = []

    def choose(self, seen: Seen) -> Play:
        """What the vendor says."""
        wrong = objection(seen.path, seen.body)
        if wrong is None:
            return self._script(seen)
        self.refused.append(wrong)
        return Play.json({"type": "error", "error": {"type": "invalid_request_error", "message": wrong}}, 400)


def objection(path: str, body: Any) -> str | None:
    """What the vendor at a path would say against a request; ``None`` where it would answer."""
    if not isinstance(body, dict):
        return None
    if path.endswith("/codex/responses"):
        rules = _codex(body)
    elif path.endswith("/chat/completions"):
        rules = _chat(body)
    elif path.endswith("/messages"):
        rules = _messages(body)
    else:
        return None
    return next(rules, None)


# ------------------------------------------------------------------ OpenAI


def _codex(body: Json) -> Iterator[str]:
    for field in sorted(body.keys() - _CODEX_FIELDS):
        yield f"Unsupported parameter: {field}"
    if body.get("store") is not False or body.get("stream") is not True:
        yield "store must be false and stream true"
    if not body.get("instructions"):
        yield "Instructions are required"
    effort = (body.get("reasoning") or {}).get("effort")
    if effort in ("none", "minimal"):
        yield f"Unsupported value: {effort!r}"
    yield from _items(body["input"])
    yield from _openai_tools(tool for tool in body.get("tools") or () if tool["type"] == "function")


def _items(items: list[Json]) -> Iterator[str]:
    if not items:
        yield "input must not be empty"
    called: dict[str, int] = {}
    answered: dict[str, int] = {}
    for at, item in enumerate(items):
        kind = item.get("type") or "message"
        if len(str(item.get("id") or "")) > 64 or len(str(item.get("call_id") or "")) > 64:
            yield f"input[{at}]: string too long"
        if kind == "message":
            yield from _message_item(at, item)
        elif kind.endswith("_call") and "call_id" in item:
            called[item["call_id"]] = called.get(item["call_id"], 0) + 1
        elif kind.endswith("_output"):
            answered[item["call_id"]] = answered.get(item["call_id"], 0) + 1
            if item["call_id"] not in called:
                yield f"No tool call found for function call output with call_id {item['call_id']}"
            yield from _parts(f"input[{at}].output", item["output"], _ASKED_PARTS)
        elif kind == "reasoning" and item.get("content"):
            yield f"input[{at}].content: array too long"
    for call_id in called:
        if answered.get(call_id) != 1 or called[call_id] != 1:
            yield f"No tool output found for function call {call_id}"


def _message_item(at: int, item: Json) -> Iterator[str]:
    if item["role"] not in ("user", "assistant", "developer"):
        yield "System messages are not allowed"
    yield from _parts(f"input[{at}].content", item["content"], _SAID_PARTS if item["role"] == "assistant" else _ASKED_PARTS)


def _parts(where: str, content: Any, known: Iterable[str]) -> Iterator[str]:
    for part in content if isinstance(content, list) else ():
        if part.get("type") not in known:
            yield f"Invalid value: {part.get('type')!r} in {where}"
    if content == []:
        yield f"{where} must not be empty"


def _openai_tools(functions: Iterable[Json]) -> Iterator[str]:
    for function in functions:
        if not _NAME.fullmatch(function["name"]):
            yield f"Invalid name: {function['name']!r}"
        schema = function.get("parameters")
        if not isinstance(schema, dict) or schema.get("type") != "object" or _COMBINED & schema.keys():
            yield f"Invalid schema for function {function['name']!r}: type must be object"
        elif not isinstance(schema.get("properties"), dict):
            yield f"Invalid schema for function {function['name']!r}: object schema missing properties"
        for level in _levels(schema):
            if level.get("type") == "array" and not isinstance(level.get("items"), dict):
                yield f"Invalid schema for function {function['name']!r}: array schema missing items"


def _levels(schema: Any) -> Iterator[Json]:
    if isinstance(schema, dict):
        yield schema
        for held in schema.values():
            yield from _levels(held)
    elif isinstance(schema, list):
        for held in schema:
            yield from _levels(held)


def _chat(body: Json) -> Iterator[str]:
    open_: set[str] = set()
    for at, message in enumerate(body["messages"]):
        role = message["role"]
        if role not in ("system", "user", "assistant", "tool"):
            yield f"unknown variant {role!r}"
        if role == "tool":
            if message["tool_call_id"] not in open_:
                yield f"messages[{at}]: a tool message must follow its call"
            open_.discard(message["tool_call_id"])
        elif open_:
            yield f"messages[{at}]: calls without answers: {sorted(open_)}"
        if role == "assistant":
            open_ = {call["id"] for call in message.get("tool_calls") or ()}
            if not open_ and not message.get("content"):
                yield f"messages[{at}]: an assistant message needs content or tool_calls"
        known = ("text",) if role in ("system", "assistant") else ("text", "image_url", "file", "input_audio")
        yield from _parts(f"messages[{at}].content", message.get("content"), known)
    if len(body.get("user") or "") > 64:
        yield "user: string too long"
    yield from _openai_tools(tool["function"] for tool in body.get("tools") or () if tool["type"] == "function")
    if ("tool_choice" in body or "parallel_tool_calls" in body) and not body.get("tools"):
        yield "tool_choice is only allowed when tools are specified"


# ------------------------------------------------------------------ Anthropic


def _messages(body: Json) -> Iterator[str]:
    marks = sum("cache_control" in block for block in _claude_blocks(body))
    if marks > 4:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {marks}."
    open_: set[str] = set()
    for at, message in enumerate(body["messages"]):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if message["role"] == "user" and answered != open_:
            yield f"messages.{at}: tool_use ids {sorted(open_)} and tool_result ids {sorted(answered)} do not match"
        if not blocks or any(block["type"] == "text" and not block["text"] for block in blocks):
            yield f"messages.{at}: text content blocks must be non-empty"
        if message["role"] != "system":
            open_ = {block["id"] for block in blocks if block["type"] == "tool_use"}
    for tool in body.get("tools") or ():
        yield from _claude_tool(tool)


def _claude_blocks(body: Json) -> Iterator[Json]:
    yield from body.get("tools") or ()
    system = body.get("system")
    yield from system if isinstance(system, list) else ()
    for message in body["messages"]:
        yield from message["content"] if isinstance(message["content"], list) else ()


def _claude_tool(tool: Json) -> Iterator[str]:
    if tool.get("type") not in (None, "custom"):
        return
    if not _CLAUDE_NAME.fullmatch(tool["name"]):
        yield f"tools.name: {tool['name']!r} should match a pattern"
    schema = tool["input_schema"]
    if schema.get("type") != "object" or _COMBINED - {"not"} & schema.keys():
        yield f"tools.{tool['name']}.input_schema: does not support oneOf, allOf, or anyOf at the top level"
    if not all(_ARGUMENT.fullmatch(name) for name in schema.get("properties") or ()):
        yield f"tools.{tool['name']}.input_schema.properties: Property keys should match pattern"
