"""What a request is to its client: a turn, a helper's turn, a compaction, a side request; and what its client sends on every turn.

Agents say so in headers (Claude Code 2.1.33x: ``x-claude-code-request-class`` with main, subagent, workflow, compaction, auxiliary,
side_reply; Codex CLI 0.169: ``request_kind`` and ``thread_source`` in ``x-codex-turn-metadata``, ``x-openai-subagent``). Older ones, and
chat programs, are known by the words of the prompts they ship.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.conversation import Conversation
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

_TALK = r"(?:conversation|chat history|chat|session|thread|discussion|dialogue|exchange|coding task|(?:first |user'?s? )?message)"
_NO_PROGRAM = (
    r"(?! ?-?(?:history )?(?:app|server|service|database|db|backend|client|bot|page|system|schema|queue|window|program|room|ui|widget"
    r"|component|module|code|handler|handling|class|function|endpoint|api|table|feature|logic|store|storage|manager|broker|bus|protocol"
    r"|format|parser|view|screen|panel|dialog)(?:e?s)?\b)"
)
"""Somebody who builds a chat program is not asking for the title of this chat."""

_COMPACTION = lazily(
    r"your (?:\w+ )?task is to create a (?:comprehensive )?(?:and )?detailed summary of (?:the|this|our) (?:\w+ )?conversation"
    r"|maintaining a context-aware state summary|an llm context limit was reached|progressively summarize the lines of conversation"
    r"|create a (?:structured )?(?:context )?checkpoint (?:compaction|summary)"
    r"|structured context checkpoint"
    r"|you are performing a context checkpoint compaction"
    r"|context summari[sz]ation assistant"
    r"|messages above are a conversation to summari[sz]e"
    r"|detailed prompt for continuing (?:our|the|this) conversation"
    r"|summari[sz]es? internal chat history|<state_snapshot>"
    r"|summari[sz]e (?:this|the) partial conversation"
    r"|(?:summari[sz]e|condense|(?:write|create|produce|generate) (?:a|an) (?:\w+ ){0,3}summary of)\b[^.\n]{0,40}"
    rf"\b(?:conversation|chat|history|session|discussion)\b{_NO_PROGRAM}[^\n]{{0,120}}"
    r"\b(?:continu|resum|go on|pick up|hand-?off|another agent|another assistant|another llm|a new session)"
    r"|(?:conversation|history) is too long\W+summari[sz]e",
)
_LABEL = r"(?:titles?|names?|labels?|tags|emoji|slug|headline|follow-up questions|description)"
_CJK_TALK = r"(?:以下|上述|此|该|該|这|這|本|当前|當前|我们的|我們的|用户的|この|次の|이|위|다음)[^。\n]{0,6}(?:对话|對話|会话|會話|聊天|会話|チャット|대화|채팅)"
_CJK_TITLE = r"(?:标题|標題|タイトル|题目|제목)"
_IN_OTHER_LANGUAGES = (
    r"\btitel\b[^.\n]{0,60}\b(?:diese[rs]?|folgenden?|unsere[rn]?|(?:für|zu|voor|för|til) (?:die|den|das|dit|deze|het|denne|det)?)"
    r" ?(?:\w+ )?(?:unterhaltung|gespräch|konversation|chatverlauf|gesprek|samtal)"
    r"|\btítulo\b[^.\n]{0,60}\b(?:esta|nuestra|nossa|desta|siguiente|seguinte) (?:conversaci[oó]n|conversa|chat)"
    r"|\btitolo\b[^.\n]{0,60}\b(?:questa|nostra|seguente) (?:conversazione|chat)"
    r"|\btitre\b[^.\n]{0,60}\b(?:cette|notre|suivante) (?:conversation|discussion)|\btitre\b[^.\n]{0,60}\bcet échange"
    r"|\b(?:tytuł|název|naslov)\w*[^.\n]{0,40}\b(?:tej|této|ovaj|ove) (?:rozmow|konverzac|razgovor)"
    r"|(?:заголов|назван|назву)\w*[^.\n]{0,40}\b(?:этого|этой|цієї|следующ\w+|нашего) (?:разговор|диалог|бесед|чат|розмов)"
    r"|\bbu (?:sohbet|konuşma)\w*[^.\n]{0,40}başlık"
    rf"|{_CJK_TALK}[^。\n]{{0,40}}{_CJK_TITLE}|{_CJK_TITLE}[^。\n]{{0,10}}{_CJK_TALK}"
)
"""The same, as translated programs ask for it."""
_ASKS = r"\b(?:generate|create|write|provide|suggest|produce|come up with|give|(?:reply|respond|answer) with|return|output)\b"
_SIDE = lazily(
    r"(?:you are a|as a) (?:thread |chat |session |conversation )?title generator|\byou name (?:chats|conversations|sessions)\b"
    rf"|{_ASKS}[^.\n]{{0,60}}\b{_LABEL}\b[^.\n]{{0,80}}\b(?:this|the|our|a)\b (?:[\w-]+ ){{0,2}}{_TALK}\b{_NO_PROGRAM}"
    rf"|\b(?:give|name) (?:this|the) {_TALK} an? (?:\w+ )?(?:name|title|label)|\bname this {_TALK} in\b"
    rf"|{_TALK} titles? (?:assistant|expert|writer)|{_TALK}\b[^.\n]{{0,40}} into an? (?:\w+ ){{0,3}}title\b"
    rf"|\btitle for (?:this|the|our) (?:\w+ )?{_TALK}\b{_NO_PROGRAM}|\btitle\b[^\n]{{0,60}}\bhere is the message\b"
    rf"|\bsummary of (?:this|the|our) {_TALK}\b[^.\n]{{0,40}}\btitle\b|直接返回这句话的简要主题"
    r"|generate [^\n]{0,40}\btags categori[sz]ing"
    r"|sentence-case title|captures the main topic or goal of this|\bpithy titles\b"
    rf"|\bsingle-line (?:{_TALK[3:-1]}|task) title\b|^generate a (?:concise|short|brief)[^.\n]{{0,40}} title of at most"
    rf"|{_IN_OTHER_LANGUAGES}"
    r"|analy[sz]e if this message indicates a new conversation topic"
    rf"|summari[sz]e (?:this|the) [^.\n]{{0,40}}{_TALK}\b[^.\n]{{0,40}} in (?:under|less than|at most|about|up to)? ?\w+ (?:words|characters)"
    r"|extract any file paths that this command reads or modifies"
    r"|process bash commands that an ai coding agent wants to run"
    r"|\[suggestion mode:"
    r"|you are an autocompletion system|determine the necessity of generating search queries"
    r"|determine who should logically speak next|stuck in an unproductive state|summari[sz]e the following tool output"
    r"|generate a short .{0,20}filename slug"
    rf"|{_ASKS}[^.\n]{{0,40}}\b(?:git )?branch name for (?:a|the|this) (?:task|change|issue)"
    r"|\bgenerates?\b[^.\n]{0,60}\bcommit messages?\b[^\n]{0,40}\b(?:diffs?|changes)\b|\bexpert at writing git commits\b"
)
_MEMORY_KEEPER = lazily(
    r"\byou are (?:now )?(?:acting as )?(?:an? |the )(?:[\w-]+ ){0,3}memory (?:extraction|consolidation|management|curation) (?:sub-?)?agent\b"
)
"""What keeps notes of a conversation for later ones (Qwen Code)."""
_COMPACTION_HINTS = ("summar", "checkpoint", "condense", "continuing", "<state_snapshot>", "context limit")
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
    "unproductive",
    "git commits",
    "简要主题",
    "commit message",
    "titel",
    "título",
    "titolo",
    "titre",
    "tytuł",
    "název",
    "naslov",
    "заголов",
    "назв",
    "başlık",
    "标题",
    "標題",
    "タイトル",
    "题目",
    "제목",
)

_GOES_ON = lazily(
    r"(?:session|conversation) is being continued from"
    r"|another (?:language model|agent|assistant) started to (?:solve|work)"
    r"|(?:conversation|history|session)[^.\n]{0,60}\b(?:was|were) (?:compacted|condensed|summari[sz]ed)\b"
    r"|summary of (?:the|our|your|what) [^.\n]{0,40}(?:conversation|session|so far|work|done|said)"
    r"|<(?:conversation|context|session|history)[_-]summary>|<state_snapshot>|<compacted",
    re.IGNORECASE,
)
_GOES_ON_HINTS = ("continued", "another ", "compacted", "condensed", "summar", "<state_snapshot>")
"""How agents begin what is left of a conversation once it was compacted."""

_LOOKED_AT = 600
"""Characters at the beginning of the system prompt and of the last message in which such words stand."""

_SUBAGENT_MARK = "[Subagent Context]"

_OWN_MARK = "[suggestion mode:"
"""Claude Code asks so for what the user may type next: behind the whole conversation and with its tools, to find both in the cache."""

_HEARTBEATS = ("Read HEARTBEAT.md if it exists", "Follow the heartbeat monitor scratch context")
_HEARTBEAT_ANSWER = "HEARTBEAT_OK"
_HEARTBEAT_ENDS = 40
_CLOSING = " \n\t.!。”“»\"'`*"

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
    if _OWN_MARK in head or _is_heartbeat(raw):
        return RequestKind.SIDE
    tail = words[-_LOOKED_AT:].lower() if len(words) > _LOOKED_AT else ""
    if _says(_COMPACTION, _COMPACTION_HINTS, head, tail, rules):
        return RequestKind.COMPACTION
    # Files are read and written for it, so it comes with tools, behind the whole conversation.
    if "memory" in rules and _MEMORY_KEEPER.search(rules):
        return RequestKind.SIDE
    # With tools at hand such words are a user's: no program offers them for a title.
    if not tools and _says(_SIDE, _SIDE_HINTS, rules, head):
        return RequestKind.SIDE
    return RequestKind.SUBAGENT if _SUBAGENT_MARK in raw[:_LOOKED_AT] else RequestKind.MAIN


def _is_heartbeat(raw: str) -> bool:
    """Whether a host only asks its agent if there is anything to do (OpenClaw)."""
    return raw.startswith(_HEARTBEATS) or (
        _HEARTBEAT_ANSWER in raw[-_HEARTBEAT_ENDS:] and raw.rstrip(_CLOSING).endswith(_HEARTBEAT_ANSWER)
    )


def goes_on_from_summary(raw: str) -> bool:
    """Whether a message hands on what was said before it, in place of the conversation itself.

    :param raw: as it was sent
    """
    return _says(_GOES_ON, _GOES_ON_HINTS, raw[:_LOOKED_AT].lower())


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


def effort_is_default(headers: Mapping[str, object], effort: str | None, known: Conversation | None, *, agent: bool) -> bool:
    """Whether an effort says nothing of this turn: its client sends one always, and it is no higher than it was.

    :param known: the conversation, for the effort of its last request
    :param agent: the request is an agent's; agents send what they are set to with every turn
    """
    if effort is None:
        return False
    if known is None:
        return agent or states_effort_always(headers)
    return _level(effort) <= _level(known.effort or _UNSAID)


_UNSAID = "medium"
"""Effort that providers take where none is asked for."""


def _level(effort: str) -> int:
    return EFFORTS.index(effort) if effort in EFFORTS else 0
