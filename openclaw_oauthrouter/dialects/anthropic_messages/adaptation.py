"""Makes a Messages body legal for one model, whoever wrote it: our own encoder, or a client that meant another model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.dialects.anthropic_messages.model_rules import ModelRules
from openclaw_oauthrouter.dialects.anthropic_messages.thinking_rules import adapt_thinking, is_thinking, thinking_type

GO_ON = "Continue."
# A call of the vendor's own tools is not among them: its turn, paused, is resumed by sending it back as it is.
_CONTINUED = frozenset({"text", "thinking", "redacted_thinking"})


def apply_model_rules(body: JsonObject, rules: ModelRules) -> tuple[Note, ...]:
    """Change a body, in place, as little as the model demands.

    :param body: a Messages body with ``model``, ``max_tokens`` and ``messages``; belongs to the caller down to its last block
    :return: what was changed
    """
    return tuple(note for rule in _RULES for note in rule(body, rules))


def _limit_output(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    limit = rules.max_output_tokens
    if limit is not None and body["max_tokens"] > limit:
        yield Note("mapped", "max_tokens", f"the model writes at most {limit}")
        body["max_tokens"] = limit


def _place_system_messages(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    for message in body["messages"]:
        if message.pop("output_config", None) is not None:
            yield Note("dropped", "messages.output_config", "effort cannot change within a conversation at this model")
        if message.get("role") == "system" and not rules.system_messages:
            message["role"] = "user"
            message["content"] = [_as_user_text(block) for block in _blocks(message)]
            yield Note(
                "mapped", "messages.system", "the model takes no system message inside a conversation; sent as the user's text"
            )


def _limit_sampling(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    for name in _refused_sampling(body, rules):
        if body.pop(name, None) is not None:
            yield Note("dropped", name, "the model does not take it, or not together with the rest of the request")
    temperature = body.get("temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        body["temperature"] = min(max(temperature, 0), 1)
        yield Note("mapped", "temperature", "Claude models take 0 to 1")


def _refused_sampling(body: JsonObject, rules: ModelRules) -> tuple[str, ...]:
    if rules.sampling == "none" or is_thinking(body):
        return ("temperature", "top_p", "top_k")
    return ("top_p",) if rules.sampling == "one" and body.get("temperature") is not None else ()


def _limit_tool_choice(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") not in ("any", "tool"):
        return
    if rules.forced_tool_choice and thinking_type(body) != "enabled":
        return
    choice["type"] = "auto"
    choice.pop("name", None)
    yield Note("mapped", "tool_choice", "the model cannot be forced to call a tool here; it is left to decide")


def _end_with_user(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    """A text of the assistant at the end asks to be continued, which only older models do; thoughts no model continues."""
    last = body["messages"][-1] if body["messages"] else {}
    if last.get("role") != "assistant":
        return
    blocks = _blocks(last)
    kind = blocks[-1].get("type") if blocks else None
    if kind not in _CONTINUED:
        return
    if kind != "text" or not rules.prefill or is_thinking(body):
        body["messages"].append({"role": "user", "content": [{"type": "text", "text": GO_ON}]})
        yield Note("repaired", "messages", "the model wants the conversation to end with a user message here")
    elif blocks[-1]["text"] != blocks[-1]["text"].rstrip():
        blocks[-1]["text"] = blocks[-1]["text"].rstrip()
        last["content"] = blocks
        yield Note("repaired", "messages", "the beginning of an answer may not end in white space")


_RULES: tuple[Callable[[JsonObject, ModelRules], Iterator[Note]], ...] = (
    _limit_output,
    adapt_thinking,
    _limit_sampling,
    _limit_tool_choice,
    _place_system_messages,
    _end_with_user,
)


def _blocks(message: JsonObject) -> list[JsonObject]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else []


def _as_user_text(block: JsonObject) -> JsonObject:
    return {**block, "text": f"<system>\n{block['text']}\n</system>"} if block.get("type") == "text" else block
