"""What a provider of this dialect would refuse or misread in a client's message, so that it must be written anew."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.opaque import PREFIX
from openclaw_oauthrouter.dialects.anthropic_messages.content import FOREIGN_SHAPES, MADE_UP, is_made_up

THINKING = frozenset({"thinking", "redacted_thinking"})
_SEARCHES = frozenset({"server_tool_use", "web_search_tool_result"})


def sealed(block: JsonObject) -> str:
    """What is sealed in a block of thinking."""
    data = block.get("signature" if block.get("type") == "thinking" else "data")
    return data if isinstance(data, str) else ""


def needs_mending(message: FrozenObject) -> bool:
    """Whether anything in a message has to be written anew, whichever model it goes to."""
    content = message.get("content")
    return isinstance(content, list) and any(is_to_mend(block) for block in content)


def is_to_mend(block: JsonObject) -> bool:
    """The same of a block."""
    kind = block.get("type")
    if kind == "text":
        return any(map(is_made_up, citations(block)))
    if kind in THINKING:
        data = sealed(block)
        return not data or data.startswith(PREFIX)
    if kind == "tool_result":
        content = block.get("content")
        return isinstance(content, list) and any(isinstance(item, dict) and is_to_mend(item) for item in content)
    return kind in FOREIGN_SHAPES or (kind in _SEARCHES and _id(block).startswith(MADE_UP))


def citations(block: JsonObject) -> list[object]:
    """The sources of a text."""
    found = block.get("citations")
    return found if isinstance(found, list) else []


def _id(block: JsonObject) -> str:
    found = block.get("id") or block.get("tool_use_id")
    return found if isinstance(found, str) else ""


def without_made_up(block: JsonObject) -> JsonObject:
    """A text without the sources that we have invented for clients."""
    kept = [citation for citation in block["citations"] if not is_made_up(citation)]
    rest = {key: value for key, value in block.items() if key != "citations"}
    return {**rest, "citations": kept} if kept else rest
