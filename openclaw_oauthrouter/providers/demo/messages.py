"""The demo in Anthropic's words (``POST /v1/messages``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openclaw_oauthrouter.providers.demo.script import Question, Reply, Turn, pieces

Event = tuple[str, dict[str, Any]]

_SIGNATURE = "ZGVtby1zaWduYXR1cmU="


def read(body: Mapping[str, Any], size: int) -> Question:
    """Read a Messages request."""
    turns: list[Turn] = []
    for message in body.get("messages") or ():
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        turns += [turn for block in blocks if (turn := _turn(message.get("role", "user"), block))]
    tools = {tool["name"]: tool.get("input_schema") or {} for tool in body.get("tools") or () if "name" in tool}
    thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    choice = body.get("tool_choice") or {}
    must_call = str(choice.get("name") or "") if choice.get("type") in ("any", "tool") else None
    return Question(str(body.get("model")), turns, tools, bool(body.get("stream")), thinks, size, schema, must_call)


def _turn(role: str, block: Mapping[str, Any]) -> Turn | None:
    if block.get("type") == "tool_result":
        content = block.get("content")
        texts = [content] if isinstance(content, str) else [part.get("text", "") for part in content or ()]
        return Turn("tool", " ".join(texts))
    if block.get("type") == "text" and role in ("user", "assistant"):
        return Turn(role, block.get("text", ""))
    return None


def error(reply: Reply) -> dict[str, Any]:
    """A refusal."""
    kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
    return {
        "type": "error",
        "error": {"type": kinds.get(reply.status, "api_error"), "message": reply.text},
        "request_id": "req_demo",
    }


def whole(reply: Reply, question: Question) -> dict[str, Any]:
    """A whole answer."""
    blocks: list[dict[str, Any]] = []
    if reply.thinking:
        blocks.append({"type": "thinking", "thinking": reply.thinking, "signature": _SIGNATURE})
    if reply.tool:
        blocks.append({"type": "tool_use", "id": "toolu_demo1", "name": reply.tool[0], "input": json.loads(reply.tool[1])})
    else:
        blocks.append({"type": "text", "text": reply.text})
    return {
        **_head(question),
        "content": blocks,
        "stop_reason": _stop_reason(reply),
        "usage": _usage(reply, reply.output_tokens),
    }


def stream(reply: Reply, question: Question) -> Iterator[Event]:
    """The same answer, event by event."""
    yield _event("message_start", message={**_head(question), "content": [], "stop_reason": None, "usage": _usage(reply, 1)})
    index = 0
    if reply.thinking:
        yield from _block(index, {"type": "thinking", "thinking": "", "signature": ""}, [
            {"type": "thinking_delta", "thinking": reply.thinking},
            {"type": "signature_delta", "signature": _SIGNATURE},
        ])  # fmt: skip
        index += 1
    if reply.tool:
        start = {"type": "tool_use", "id": "toolu_demo1", "name": reply.tool[0], "input": {}}
        half = len(reply.tool[1]) // 2
        parts = ["", reply.tool[1][:half], reply.tool[1][half:]]
        yield from _block(index, start, [{"type": "input_json_delta", "partial_json": part} for part in parts])
    else:
        yield from _block(
            index, {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(reply.text)]
        )
    delta = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage={"output_tokens": reply.output_tokens})
    yield _event("message_stop")


def _block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterator[Event]:
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _event(kind: str, **fields: Any) -> Event:
    return kind, {"type": kind, **fields}


def _head(question: Question) -> dict[str, Any]:
    return {"id": "msg_demo1", "type": "message", "role": "assistant", "model": question.model, "stop_sequence": None}


def _stop_reason(reply: Reply) -> str:
    return "tool_use" if reply.tool else "end_turn"


def _usage(reply: Reply, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }
