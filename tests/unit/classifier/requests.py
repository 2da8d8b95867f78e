"""Requests for the tests of this room, and just enough decoding to play captured bodies."""

from __future__ import annotations

from typing import Any

from openclaw_oauthrouter.canonical.content import Part, TextPart, ToolCallPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import RequestFeatures
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers

ROLES = {"developer": "system", "tool": "user", None: "user"}


def conversation(*turns: tuple[str, str], **fields: Any) -> ChatRequest:
    """A request from ``(role, text)`` pairs."""
    return ChatRequest("test", "auto", tuple(Message(role, (TextPart(text),)) for role, text in turns), **fields)  # type: ignore[arg-type]


def features(*turns: tuple[str, str], tier: Any = None, tokens: int = 0, **fields: Any) -> RequestFeatures:
    """Features of such a request."""
    request = conversation(*turns, **fields)
    return features_of(request, prompt_wrappers=builtin_prompt_wrappers(), previous_tier=tier, input_tokens=tokens)


def said(text: str, **fields: Any) -> RequestFeatures:
    """Features of a single user message."""
    return features(("user", text), **fields)


def captured(body: dict[str, Any]) -> ChatRequest:
    """A captured body of any of the three dialects."""
    messages = [_message(row) for row in body.get("messages", body.get("input", []))]
    return ChatRequest("captured", "auto", tuple(messages), tools=tuple(Tool(f"tool{n}") for n in range(len(body["tools"]))))


def _message(row: dict[str, Any]) -> Message:
    if row.get("type") == "function_call":
        return Message("assistant", (ToolCallPart(row["call_id"], row["name"], row["arguments"]),))
    if row.get("type") == "function_call_output" or row.get("role") == "tool":
        return Message("user", (ToolCallResponsePart("id", (TextPart("tool said"),)),))
    content = row["content"] or ""
    items = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return Message(ROLES.get(row["role"], row["role"]), tuple(_part(item) for item in items))  # type: ignore[arg-type]


def _part(item: dict[str, Any]) -> Part:
    if item["type"] == "tool_result":
        return ToolCallResponsePart(item["tool_use_id"], (TextPart(str(item["content"])),))
    if item["type"] == "tool_use":
        return ToolCallPart(item["id"], item["name"], "{}")
    if item["type"] == "image_url":
        return UriPart("image", item["image_url"]["url"])
    return TextPart(item["text"])
