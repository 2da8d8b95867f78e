"""The transparent lane: a Messages client at a Messages provider. Everything passes as it came, but for what has to change."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.dialects.anthropic_messages.adaptation import apply_model_rules
from openclaw_oauthrouter.dialects.anthropic_messages.blocks_out import thinking_block
from openclaw_oauthrouter.dialects.anthropic_messages.model_rules import ModelRules, normal_id

_THINKING = frozenset({"thinking", "redacted_thinking"})


def relay_request(request: ChatRequest, model: str, rules: ModelRules) -> EncodedRequest:
    """The client's own body for the model that shall serve it.

    The model's rules are applied only when it is not the model the client wrote the body for, or thinking had to be left out.
    """
    body: JsonObject = orjson.loads(orjson.dumps(dict(request.body)))
    body["model"] = normal_id(model)
    switched = normal_id(request.model) != normal_id(model)
    notes = _drop_thinking(body, request.foreign_opaque, earlier=switched and rules.binds_thinking)
    if switched or notes:
        notes += apply_model_rules(body, rules)
    return EncodedRequest(body, notes)


def relay_message(body: JsonObject, tool_names: FrozenObject) -> JsonObject:
    """A whole answer, tools named as the client knows them."""
    if not tool_names:
        return body
    content = [rename_block(block, tool_names) for block in body.get("content", ())]
    return {**body, "content": content}


def rename_block(block: JsonObject, tool_names: Mapping[str, str]) -> JsonObject:
    """A content block, a tool call in it named as the client knows it."""
    name = block.get("name")
    if block.get("type") == "tool_use" and isinstance(name, str) and name in tool_names:
        return {**block, "name": tool_names[name]}
    return block


def _drop_thinking(body: JsonObject, foreign: frozenset[str], *, earlier: bool) -> tuple[Note, ...]:
    """Leave out thinking the provider would refuse: sealed by others, or bound to another model's prefix."""
    dropped = 0
    messages: list[JsonObject] = []
    last_words = _last_words_of_user(body["messages"]) if earlier else -1
    for position, message in enumerate(body["messages"]):
        content = message.get("content")
        if message.get("role") == "assistant" and isinstance(content, list):
            kept = [usable for block in content if (usable := _usable(block, foreign)) is not None]
            if position < last_words:
                kept = [block for block in kept if block.get("type") not in _THINKING]
            dropped += len(content) - len(kept)
            if content and not kept:
                continue
            message["content"] = kept
        messages.append(message)
    body["messages"] = messages
    return (Note("dropped", "thinking", f"{dropped} blocks were sealed for another model or provider"),) if dropped else ()


def _usable(block: JsonObject, foreign: frozenset[str]) -> JsonObject | None:
    kind = block.get("type")
    if kind not in _THINKING:
        return block
    data = str(block.get("signature" if kind == "thinking" else "data") or "")
    sealed = unseal(data)
    if sealed is None:
        return None if not data or data in foreign else block
    return thinking_block(str(block.get("thinking") or ""), sealed, foreign)


def _last_words_of_user(messages: list[JsonObject]) -> int:
    """Position of the last user message that is not just tool results: what comes after it is the running tool loop."""
    return max(
        (at for at, message in enumerate(messages) if message.get("role") == "user" and not _is_result(message)), default=-1
    )


def _is_result(message: JsonObject) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(isinstance(block, dict) and block.get("type") == "tool_result" for block in content)
