"""What a request is to its client: a turn, a helper's turn, a compaction, a side request; and what its client sends on every turn.

Agents say so in headers (Claude Code 2.1.33x: ``x-claude-code-request-class`` with main, subagent, workflow, compaction, auxiliary,
side_reply; Codex CLI 0.169: ``request_kind`` and ``thread_source`` in ``x-codex-turn-metadata``, ``x-openai-subagent``). Older ones, and
chat programs, are known by the words of the prompts they ship.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import RequestKind

_CLASS_HEADER = "x-claude-code-request-class"
_CLASSES = {
    "main": RequestKind.MAIN,
    "subagent": RequestKind.SUBAGENT,
    "workflow": RequestKind.SUBAGENT,
    "compaction": RequestKind.COMPACTION,
    "auxiliary": RequestKind.SIDE,
    "side_reply": RequestKind.ASIDE,
}
_HELPER_HEADERS = ("x-claude-code-parent-agent-id", "x-codex-parent-thread-id")

_CODEX_HEADER = "x-codex-turn-metadata"
_CODEX_FIELD = lazily(r'"(request_kind|thread_source|agent_name)"\s*:\s*"([^"]*)"')
_CODEX_HELPER = "x-openai-subagent"
_CODEX_SIDE = ("title", "summary", "memory_consolidation", "memories", "quota", "prewarm", "warmup")

_QUOTA_PROBE_WORDS = ("quota", "test", "ping", "hi", ".")
_PROBE_TOKENS = 1

_COMPACTION = lazily(
    r"your task is to create a detailed summary of (?:the|this|our) (?:\w+ )?conversation"
    r"|create a (?:structured )?(?:context )?checkpoint (?:compaction|summary)"
    r"|structured context checkpoint"
    r"|you are performing a context checkpoint compaction"
    r"|context summari[sz]ation assistant"
    r"|messages above are a conversation to summari[sz]e"
    r"|detailed prompt for continuing (?:our|the|this) conversation"
    r"|summari[sz]es? internal chat history|<state_snapshot>"
    r"|summari[sz]e (?:this|the) partial conversation"
    r"|(?:summari[sz]e|condense)\b[^.\n]{0,40}\b(?:conversation|chat|history|session|discussion)\b[^\n]{0,120}"
    r"\b(?:continu|resum|pick up|hand-?off|another agent|another llm|a new session)"
    r"|(?:conversation|history) is too long\W+summari[sz]e",
)
_TALK = r"(?:conversation|chat history|chat|session|thread|discussion|dialogue|exchange|coding task|(?:first |user'?s? )?message)"
_NO_PROGRAM = r"(?! ?-?(?:app|server|service|database|db|backend|client|bot|page|system|schema|queue|window|program|room|ui|widget|component)s?)"
"""Somebody who builds a chat program is not asking for the title of this chat."""
_LABEL = r"(?:titles?|names?|labels?|tags|emoji|slug|headline|follow-up questions|description)"
_ASKS = r"\b(?:generate|create|write|provide|suggest|produce|come up with|give|(?:reply|respond|answer) with|return|output)\b"
_SIDE = lazily(
    r"(?:you are a|as a) (?:thread |chat |session |conversation )?title generator|\byou name (?:chats|conversations|sessions)\b"
    rf"|{_ASKS}[^.\n]{{0,60}}\b{_LABEL}\b[^.\n]{{0,80}}\b(?:this|the|our|a)\b (?:[\w-]+ ){{0,2}}{_TALK}\b{_NO_PROGRAM}"
    rf"|\b(?:give|name) (?:this|the) {_TALK} an? (?:\w+ )?(?:name|title|label)"
    r"|generate [^\n]{0,40}\btags categori[sz]ing"
    r"|sentence-case title|captures the main topic or goal of this"
    r"|analy[sz]e if this message indicates a new conversation topic"
    rf"|summari[sz]e (?:this|the) [^.\n]{{0,40}}{_TALK}\b[^.\n]{{0,40}} in (?:under|less than|at most|about|up to)? ?\w+ (?:words|characters)"
    r"|extract any file paths that this command reads or modifies"
    r"|process bash commands that an ai coding agent wants to run"
    r"|\[suggestion mode:"
    r"|you are an autocompletion system|determine the necessity of generating search queries"
    r"|determine who should logically speak next"
    r"|generate a short .{0,20}filename slug"
    rf"|{_ASKS}[^.\n]{{0,40}}\b(?:git )?branch name for (?:a|the|this) (?:task|change|issue)"
    r"|\bgenerates?\b[^.\n]{0,60}\bcommit messages?\b[^\n]{0,40}\b(?:diffs?|changes)\b"
)
_COMPACTION_HINTS = ("summar", "checkpoint", "condense", "continuing", "<state_snapshot>")
_SIDE_HINTS = (
    "title",
    "name",
    "label",
    "tags",
    "emoji",
    "slug",
    "follow-up",
    "topic",
    "summari",
    "file path",
    "[suggestion mode",
    "description of",
    "bash commands",
    "autocompletion",
    "search queries",
    "speak next",
    "commit message",
)

_LOOKED_AT = 600
"""Characters at the beginning of the system prompt and of the last message in which such words stand."""

_SUBAGENT_MARK = "[Subagent Context]"

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def kind_of(
    headers: Mapping[str, object], system: str, words: str, raw: str, *, tools: bool, max_output_tokens: int | None
) -> RequestKind:
    """What a request is to its client.

    :param headers: lower-case names
    :param system: beginning of the system prompt
    :param words: of the last message, without hosts' wrapping
    :param raw: that message as it was sent
    :param tools: whether it offers any
    """
    told = _by_headers(headers)
    if told is not None:
        return told
    if max_output_tokens is not None and max_output_tokens <= _PROBE_TOKENS and words.strip().lower() in _QUOTA_PROBE_WORDS:
        return RequestKind.SIDE
    head, rules = words[:_LOOKED_AT].lower(), system[:_LOOKED_AT].lower()
    tail = words[-_LOOKED_AT:].lower() if len(words) > _LOOKED_AT else ""
    if _says(_COMPACTION, _COMPACTION_HINTS, head, tail, rules):
        return RequestKind.COMPACTION
    # With tools at hand such words are a user's: no program offers them for a title.
    if not tools and _says(_SIDE, _SIDE_HINTS, rules, head):
        return RequestKind.SIDE
    return RequestKind.SUBAGENT if _SUBAGENT_MARK in raw[:_LOOKED_AT] else RequestKind.MAIN


def _says(pattern: re.Pattern[str], hints: Sequence[str], *texts: str) -> bool:
    """Whether a pattern stands in one of some texts; without one of its hints it cannot, and that is found out sooner."""
    together = "\n".join(texts)
    for hint in hints:
        if hint in together:
            return any(pattern.search(text) for text in texts)
    return False


def _by_headers(headers: Mapping[str, object]) -> RequestKind | None:
    if _CLASS_HEADER in headers:
        told = _CLASSES.get(str(headers[_CLASS_HEADER]).lower())
        if told is not None:
            return told
    fields = dict(_CODEX_FIELD.findall(str(headers[_CODEX_HEADER]))) if _CODEX_HEADER in headers else {}
    helper = str(headers[_CODEX_HELPER]).lower() if _CODEX_HELPER in headers else ""
    kind = ""
    if fields or helper:
        kind = fields.get("request_kind", "").lower()
        if "compact" in kind or "compact" in helper:
            return RequestKind.COMPACTION
        if kind.startswith(_CODEX_SIDE) or helper.startswith(_CODEX_SIDE):
            return RequestKind.SIDE
        if helper or fields.get("thread_source") == "subagent" or fields.get("agent_name", "/root") != "/root":
            return RequestKind.SUBAGENT
    for name in _HELPER_HEADERS:
        if headers.get(name):
            return RequestKind.SUBAGENT
    return RequestKind.MAIN if kind == "turn" else None


def states_effort_always(headers: Mapping[str, object]) -> bool:
    """Whether the client is one that sends a reasoning effort with every turn, whatever its user says (Claude Code, Codex CLI)."""
    agent = str(headers.get("user-agent", "")).lower()
    return (
        "x-claude-code-session-id" in headers
        or agent.startswith(("claude-cli/", "claude-code/", "codex"))
        or str(headers.get("originator", "")).lower().startswith("codex")
    )


def effort_is_default(headers: Mapping[str, object], effort: str | None, before: str | None) -> bool:
    """Whether an effort says nothing of this turn: its client sends one always, and it is no higher than it was.

    :param before: effort of the conversation's last request
    """
    if effort is None or not states_effort_always(headers):
        return False
    return before is None or _level(effort) <= _level(before)


def _level(effort: str) -> int:
    return EFFORTS.index(effort) if effort in EFFORTS else 0
