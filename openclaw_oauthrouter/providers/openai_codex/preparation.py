"""Brings a Responses body into the form the ChatGPT backend insists on.

It is stricter than the public API: only these fields, ``store`` false, ``stream`` true, ``instructions`` always, no system messages among
the items. Source: what several clients of it send, and the 400s they report.
"""

from __future__ import annotations

from typing import Any

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import EncodedRequest, Note

ALLOWED_FIELDS = frozenset(
    {
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "include",
        "prompt_cache_key",
        "service_tier",
        "client_metadata",
        "store",
        "stream",
    }
)
"""Body fields the backend takes; any other is a 400."""

DEFAULT_INSTRUCTIONS = "You are a helpful assistant."

_ENCRYPTED = "reasoning.encrypted_content"
_SERVICE_TIERS = {"default": "default", "priority": "priority", "fast": "priority"}
_EFFORTS = {"minimal": "low"}


def prepare(encoded: EncodedRequest, allowed: frozenset[str]) -> EncodedRequest:
    """Adapt an encoded body.

    :param allowed: body fields to send
    """
    body: JsonObject = dict(encoded.body)
    notes = [*encoded.notes]
    for adapt in (_instructions, _input, _tools, _reasoning, _service_tier, _answer):
        notes += adapt(body)
    for name in sorted(body.keys() - allowed):
        if body.pop(name) is not None:
            notes.append(Note("dropped", name, "the ChatGPT backend refuses it"))
    return EncodedRequest(body, tuple(notes), encoded.tool_names)


def _instructions(body: JsonObject) -> list[Note]:
    body["instructions"] = body.get("instructions") or DEFAULT_INSTRUCTIONS
    return []


def _input(body: JsonObject) -> list[Note]:
    items = body.get("input")
    if isinstance(items, str):
        items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": items}]}]
    if items and not any([item.get("role") == "system" or item.get("type") == "reasoning" for item in items]):  # noqa: C419 - each step of a generator is a call
        body["input"] = items
        return []
    kept = [item for item in items or [] if item.get("type") != "reasoning" or item.get("encrypted_content")]
    body["input"] = [{**item, "role": "developer"} if item.get("role") == "system" else item for item in kept]
    lost = len(items or []) - len(kept)
    return (
        [Note("dropped", "reasoning", "it is not sealed, and the ChatGPT backend stores nothing to find it by")] if lost else []
    )


def _tools(body: JsonObject) -> list[Note]:
    if body.get("tools"):
        body["tools"] = [*_with_strictness(body["tools"])]
        _default(body, "tool_choice", "auto")
        _default(body, "parallel_tool_calls", True)
    return []


@by_identity(64)
def _with_strictness(tools: list[JsonObject]) -> list[JsonObject]:
    return [{"strict": None, **tool} if tool.get("type") == "function" else tool for tool in tools]


def _reasoning(body: JsonObject) -> list[Note]:
    wanted = body.get("reasoning") or {}
    effort = wanted.get("effort")
    if effort not in _EFFORTS:
        return []
    body["reasoning"] = {**wanted, "effort": _EFFORTS[effort]}
    return [Note("mapped", "reasoning.effort", f"{effort} became {_EFFORTS[effort]}, the least the backend takes")]


def _service_tier(body: JsonObject) -> list[Note]:
    wanted = body.pop("service_tier", None)
    if wanted in _SERVICE_TIERS:
        body["service_tier"] = _SERVICE_TIERS[wanted]
    elif wanted not in (None, "auto"):
        return [Note("dropped", "service_tier", f"the ChatGPT backend has no {wanted!r}")]
    return []


def _answer(body: JsonObject) -> list[Note]:
    asked = body.get("include") or []
    body["include"] = [_ENCRYPTED]
    body["text"] = {"verbosity": "medium", **(body.get("text") or {})}
    body["store"], body["stream"] = False, True
    return [Note("dropped", "include", f"the ChatGPT backend does not send {name}") for name in asked if name != _ENCRYPTED]


def _default(body: JsonObject, name: str, value: Any) -> None:
    if body.get(name) is None:
        body[name] = value
