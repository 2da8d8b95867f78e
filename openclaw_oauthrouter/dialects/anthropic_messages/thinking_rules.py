"""How much to think, said the way a model takes it: budgets, adaptive thinking, effort levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.dialects.anthropic_messages.model_rules import ModelRules

MIN_BUDGET = 1024
_BUDGETS = {"low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16_384}
# What to ask for when a level is missing: the next stronger one, then the next weaker ones.
_SUBSTITUTES = {"xhigh": ("max", "high"), "max": ("xhigh", "high"), "high": ("medium",), "medium": ("low",), "low": ()}
_THINKING_EDIT = "clear_thinking_20251015"


def adapt_thinking(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    """Bring ``thinking`` and ``output_config.effort`` within what the model takes."""
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") not in rules.thinking | {None}:
        step = _REPLACEMENTS.get(thinking["type"])
        if step is not None:
            yield from step(body, rules)
    elif isinstance(thinking, dict) and thinking.get("type") == "disabled" and not rules.thinks_by_default:
        # Several models refuse the word, and none of these needs it.
        del body["thinking"]
    yield from _adapt_effort(body, rules)
    yield from _fit_budget(body)
    yield from _thinking_stopped(body, rules)


def is_thinking(body: JsonObject) -> bool:
    """Whether the body asks for thinking."""
    return thinking_type(body) in ("enabled", "adaptive")


def thinking_type(body: JsonObject) -> object:
    """``thinking.type``, if there is one."""
    thinking = body.get("thinking")
    return thinking.get("type") if isinstance(thinking, dict) else None


def _budget_to_adaptive(body: JsonObject, _rules: ModelRules) -> Iterator[Note]:
    budget = body["thinking"].get("budget_tokens") or MIN_BUDGET
    effort = next((level for level, tokens in _BUDGETS.items() if budget <= tokens), "max")
    _config(body).setdefault("effort", effort)
    body["thinking"] = {"type": "adaptive", **_display(body)}
    yield Note(
        "mapped", "thinking", f"the model takes no budget; adaptive thinking with effort {_config(body)['effort']!r} instead"
    )


def _adaptive_to_budget(body: JsonObject, _rules: ModelRules) -> Iterator[Note]:
    budget = _BUDGETS.get(str(_config(body).get("effort")), _BUDGETS["high"])
    _drop_empty_config(body)
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    yield Note("mapped", "thinking", f"the model has no adaptive thinking; a budget of {budget} tokens instead")


def _off(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    if not rules.thinks_by_default:
        del body["thinking"]
        return
    for kind in ("disabled", "between_tools"):
        if kind in rules.thinking:
            body["thinking"] = {"type": kind}
            return
    del body["thinking"]
    _config(body)["effort"] = "low"
    yield Note("mapped", "thinking", "the model always thinks; effort 'low' instead")


_REPLACEMENTS: dict[str, Callable[[JsonObject, ModelRules], Iterator[Note]]] = {
    "enabled": _budget_to_adaptive,
    "adaptive": _adaptive_to_budget,
    "disabled": _off,
    "between_tools": _off,
}


def _adapt_effort(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    config = body.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    if not isinstance(config, dict) or effort is None:
        return
    allowed = rules.efforts
    if thinking_type(body) == "disabled":
        allowed = tuple(level for level in allowed if level not in ("xhigh", "max"))
    if effort in allowed:
        return
    substitute = next((level for level in _SUBSTITUTES.get(effort, ()) if level in allowed), None)
    if substitute is None:
        del config["effort"]
        _drop_empty_config(body)
        if thinking_type(body) != "enabled":
            yield Note("dropped", "effort", "the model has no effort levels")
    else:
        config["effort"] = substitute
        yield Note("mapped", "effort", f"the model has no {effort!r}; {substitute!r} instead")


def _fit_budget(body: JsonObject) -> Iterator[Note]:
    if thinking_type(body) != "enabled":
        return
    budget, room = body["thinking"].get("budget_tokens") or MIN_BUDGET, body["max_tokens"] - 1
    if room < MIN_BUDGET:
        del body["thinking"]
        yield Note("dropped", "thinking", f"an answer of at most {body['max_tokens']} tokens leaves no room for it")
    elif _loop_began_without_thinking(body["messages"]):
        del body["thinking"]
        yield Note("dropped", "thinking", "the running tool loop began without it")
    elif not MIN_BUDGET <= budget <= room:
        body["thinking"]["budget_tokens"] = min(max(budget, MIN_BUDGET), room)
        yield Note("mapped", "thinking", "the budget must lie between 1024 and the answer's own limit")


def _loop_began_without_thinking(messages: list[JsonObject]) -> bool:
    """Whether the last assistant turn calls tools without having thought: budgeted thinking cannot start in the middle."""
    last = next((message for message in reversed(messages) if message.get("role") == "assistant"), None)
    content = last.get("content") if last else None
    if not isinstance(content, list) or messages[-1].get("role") == "assistant":
        return False
    kinds = [block.get("type") for block in content if isinstance(block, dict)]
    return "tool_use" in kinds and not {"thinking", "redacted_thinking"}.intersection(kinds) and _ends_with_result(messages)


def _ends_with_result(messages: list[JsonObject]) -> bool:
    content = messages[-1].get("content")
    return isinstance(content, list) and any(isinstance(block, dict) and block.get("type") == "tool_result" for block in content)


def _thinking_stopped(body: JsonObject, rules: ModelRules) -> Iterator[Note]:
    """Without thinking, the request to clear old thinking is a 400."""
    management = body.get("context_management")
    edits = management.get("edits") if isinstance(management, dict) else None
    by_default = rules.thinks_by_default and thinking_type(body) is None
    if is_thinking(body) or by_default or not isinstance(management, dict) or not isinstance(edits, list):
        return
    kept = [edit for edit in edits if not (isinstance(edit, dict) and edit.get("type") == _THINKING_EDIT)]
    if len(kept) < len(edits):
        body["context_management"] = {**management, "edits": kept}
        if not kept:
            del body["context_management"]
        yield Note("dropped", _THINKING_EDIT, "there is no thinking to clear")


def _config(body: JsonObject) -> JsonObject:
    config: JsonObject = body.get("output_config") or {}
    body["output_config"] = config
    return config


def _drop_empty_config(body: JsonObject) -> None:
    if not body.get("output_config"):
        body.pop("output_config", None)


def _display(body: JsonObject) -> JsonObject:
    display = body["thinking"].get("display")
    return {"display": display} if display is not None else {}
