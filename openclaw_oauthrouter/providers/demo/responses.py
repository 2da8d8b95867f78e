"""The demo in OpenAI's words (``POST /v1/responses`` and the Codex backend's path)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaw_oauthrouter.providers.demo.script import Question, Reply, Turn, pieces

Event = tuple[str, dict[str, Any]]


def read(body: Mapping[str, Any], size: int) -> Question:
    """Read a Responses request."""
    items = body.get("input") or ()
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    turns = [turn for item in items for turn in _turns(item)]
    tools = {tool["name"]: tool.get("parameters") or {} for tool in body.get("tools") or () if tool.get("type") == "function"}
    thinks = bool((body.get("reasoning") or {}).get("effort"))
    schema = ((body.get("text") or {}).get("format") or {}).get("schema")
    choice = body.get("tool_choice")
    must_call = str(choice.get("name") or "") if isinstance(choice, dict) else "" if choice == "required" else None
    return Question(str(body.get("model")), turns, tools, bool(body.get("stream")), thinks, size, schema, must_call)


def _turns(item: Mapping[str, Any]) -> list[Turn]:
    if item.get("type") in ("function_call_output", "custom_tool_call_output"):
        output = item.get("output")
        return [Turn("tool", output if isinstance(output, str) else " ".join(part.get("text", "") for part in output or ()))]
    role, content = item.get("role"), item.get("content")
    if role not in ("user", "assistant"):
        return []
    return [
        Turn(role, text)
        for text in ([content] if isinstance(content, str) else [part.get("text") or "" for part in content or ()])
    ]


def error(reply: Reply) -> dict[str, Any]:
    """A refusal."""
    kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}
    return {"error": {"message": reply.text, "type": kinds.get(reply.status, "server_error"), "param": None, "code": None}}


def whole(reply: Reply, question: Question) -> dict[str, Any]:
    """A whole answer."""
    return _response(reply, question, "completed", _items(reply))


def stream(reply: Reply, question: Question) -> Iterator[Event]:
    """The same answer, event by event, numbered as the API does."""
    events: list[Event] = [
        _event("response.created", response=_response(reply, question, "in_progress", [])),
        _event("response.in_progress", response=_response(reply, question, "in_progress", [])),
    ]
    items = _items(reply)
    for index, item in enumerate(items):
        events += _WRITERS[item["type"]](index, item)
    events.append(_event("response.completed", response=_response(reply, question, "completed", items)))
    for number, (kind, data) in enumerate(events):
        yield kind, {**data, "sequence_number": number}


def _items(reply: Reply) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.thinking:
        summary = [{"type": "summary_text", "text": reply.thinking}]
        items.append({"id": "rs_demo1", "type": "reasoning", "summary": summary, "encrypted_content": "ZGVtbw=="})
    if reply.tool:
        call = {"call_id": "call_demo1", "name": reply.tool[0], "arguments": reply.tool[1], "status": "completed"}
        items.append({"id": "fc_demo1", "type": "function_call", **call})
    else:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        items.append({"id": "msg_demo1", "type": "message", "role": "assistant", "status": "completed", "content": content})
    return items


def _reasoning(index: int, item: dict[str, Any]) -> Iterator[Event]:
    where = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    yield _event("response.output_item.added", output_index=index, item={**item, "summary": [], "encrypted_content": None})
    yield _event("response.reasoning_summary_part.added", **where, part={"type": "summary_text", "text": ""})
    yield _event("response.reasoning_summary_text.delta", **where, delta=item["summary"][0]["text"])
    yield _event("response.reasoning_summary_text.done", **where, text=item["summary"][0]["text"])
    yield _event("response.reasoning_summary_part.done", **where, part=item["summary"][0])
    yield _event("response.output_item.done", output_index=index, item=item)


def _call(index: int, item: dict[str, Any]) -> Iterator[Event]:
    where = {"item_id": item["id"], "output_index": index}
    yield _event("response.output_item.added", output_index=index, item={**item, "arguments": "", "status": "in_progress"})
    yield _event("response.function_call_arguments.delta", **where, delta=item["arguments"])
    yield _event("response.function_call_arguments.done", **where, arguments=item["arguments"], name=item["name"])
    yield _event("response.output_item.done", output_index=index, item=item)


def _message(index: int, item: dict[str, Any]) -> Iterator[Event]:
    where = {"item_id": item["id"], "output_index": index, "content_index": 0}
    yield _event("response.output_item.added", output_index=index, item={**item, "content": [], "status": "in_progress"})
    yield _event("response.content_part.added", **where, part={"type": "output_text", "text": "", "annotations": []})
    for piece in pieces(item["content"][0]["text"]):
        yield _event("response.output_text.delta", **where, delta=piece, logprobs=[])
    yield _event("response.output_text.done", **where, text=item["content"][0]["text"], logprobs=[])
    yield _event("response.content_part.done", **where, part=item["content"][0])
    yield _event("response.output_item.done", output_index=index, item=item)


_WRITERS = {"reasoning": _reasoning, "function_call": _call, "message": _message}


def _event(kind: str, **fields: Any) -> Event:
    return kind, {"type": kind, **fields}


def _response(reply: Reply, question: Question, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "input_tokens": reply.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }
    return {
        "id": "resp_demo1",
        "object": "response",
        "created_at": 0,
        "status": status,
        "model": question.model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "usage": usage if status == "completed" else None,
    }
