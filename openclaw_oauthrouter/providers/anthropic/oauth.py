"""What a Claude subscription token (``sk-ant-oat…``) asks of a request: four rules, each of which can be switched off.

Pure functions on headers and bodies. None of this happens to requests with an API key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily

TOKEN_PREFIX = "sk-ant-oat"
BETA_FLAGS = (
    "claude-code-20250219",
    "oauth-2025-04-20",
    "fine-grained-tool-streaming-2025-05-14",
    "interleaved-thinking-2025-05-14",
)
CLIENT_HEADERS = {
    "user-agent": "claude-cli/2.1.2 (external, cli)",
    "x-app": "cli",
    "anthropic-dangerous-direct-browser-access": "true",
}
PREAMBLE = "You are Claude Code, Anthropic's official CLI for Claude."

_WORD_BREAK = lazily(r"[_\-\s]+")


def is_oauth_token(token: str) -> bool:
    """Whether a token is a Claude subscription's."""
    return token.startswith(TOKEN_PREFIX)


def merge_beta_flags(own: str | None) -> str:
    """The ``anthropic-beta`` header: the client's own flags, then the missing ones of ``BETA_FLAGS``."""
    flags = [flag.strip() for flag in (own or "").split(",") if flag.strip()]
    return ",".join(dict.fromkeys([*flags, *BETA_FLAGS]))


def move_system(body: JsonObject) -> JsonObject:
    """A body whose ``system`` is the preamble alone; what the client had there opens the first user message.

    A system prompt that begins with the preamble is left as it is.
    """
    blocks = _as_blocks(body.get("system"))
    text = "\n\n".join(block["text"] for block in blocks if block.get("text"))
    if text.startswith(PREAMBLE):
        return body
    moved = {**body, "system": [{"type": "text", "text": PREAMBLE}]}
    if text:
        context: JsonObject = {"type": "text", "text": f"<system-context>\n{text}\n</system-context>"}
        marks = [block["cache_control"] for block in blocks if block.get("cache_control")]
        if marks:
            context["cache_control"] = marks[-1]
        moved["messages"] = _with_context(body["messages"], context)
    return moved


def rename_tools(body: JsonObject) -> tuple[JsonObject, dict[str, str]]:
    """A body whose own tools have PascalCase names, in definitions, choice and history; and new name -> old name.

    Tools that run at Anthropic keep their fixed names. Without tool definitions nothing is renamed.
    """
    if not body.get("tools"):
        return body, {}
    fixed = [tool["name"] for tool in body["tools"] if not _is_own(tool) and "name" in tool]
    own = [tool["name"] for tool in body["tools"] if _is_own(tool)]
    called = [block["name"] for block in _tool_uses(body["messages"])]
    names = _pascal_names(dict.fromkeys([*own, *called]), set(fixed))
    renamed = {
        **body,
        "tools": [{**tool, "name": names[tool["name"]]} if _is_own(tool) else tool for tool in body["tools"]],
        "messages": [_renamed_message(message, names) for message in body["messages"]],
    }
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        renamed["tool_choice"] = _with_name(choice, "name", names)
    return renamed, {new: old for old, new in names.items() if new != old}


def pascal_case(name: str) -> str:
    """``web_search`` -> ``WebSearch``; only first letters change, so ``getUserInfo`` -> ``GetUserInfo``."""
    return "".join(word[0].upper() + word[1:] for word in _WORD_BREAK.split(name) if word) or name


def _pascal_names(names: Mapping[str, object], taken: set[str]) -> dict[str, str]:
    """Give every name a form of its own; names that already have theirs come first."""
    chosen: dict[str, str] = {}
    for name in sorted(names, key=lambda name: pascal_case(name) != name):
        wanted = pascal_case(name)
        free = (candidate for number in count(1) if (candidate := wanted if number == 1 else f"{wanted}{number}") not in taken)
        chosen[name] = next(free)
        taken.add(chosen[name])
    return chosen


def _is_own(tool: JsonObject) -> bool:
    return tool.get("type") in (None, "custom") and "name" in tool


def _tool_uses(messages: list[JsonObject]) -> Iterator[JsonObject]:
    for message in messages:
        for block in _as_blocks(message.get("content")):
            if block.get("type") == "tool_use":
                yield block


def _renamed_message(message: JsonObject, names: Mapping[str, str]) -> JsonObject:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [_renamed_block(block, names) for block in content]}


def _renamed_block(block: JsonObject, names: Mapping[str, str]) -> JsonObject:
    match block.get("type"):
        case "tool_use":
            return _with_name(block, "name", names)
        case "tool_result" if isinstance(block.get("content"), list):
            return {**block, "content": [_renamed_block(item, names) for item in block["content"]]}
        case "tool_reference":
            return _with_name(block, "tool_name", names)
        case _:
            return block


def _with_name(block: JsonObject, key: str, names: Mapping[str, str]) -> JsonObject:
    name = block.get(key)
    return {**block, key: names[name]} if isinstance(name, str) and name in names else block


def _with_context(messages: list[JsonObject], context: JsonObject) -> list[JsonObject]:
    if messages and messages[0].get("role") == "user":
        first = {**messages[0], "content": [context, *_as_blocks(messages[0].get("content"))]}
        return [first, *messages[1:]]
    return [{"role": "user", "content": [context]}, *messages]


def _as_blocks(content: object) -> list[JsonObject]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []
