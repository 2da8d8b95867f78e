"""OpenClaw's wrapping: what its channels, schedules, sub-agents, queues and retries put around, or in place of, the user's words."""

from __future__ import annotations

import re

from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import without_blocks, without_elements

DEPTH = 12
"""Layers looked through: a scheduled run of a sub-agent's queued message has about six."""

_DATE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d"
_CHANNELS = "WebChat|WhatsApp|Telegram|Signal|Slack|Discord|Google Chat|iMessage|Teams|Matrix|Zalo"
_UNTIL_FENCE = r"```json\n.*?\n```"

CONTINUATIONS = (
    "Continue the current task from the existing transcript",
    "Continue the OpenClaw runtime event.",
    "Continue from the recovered transcript and finish the interrupted work.",
    "The plugin runtime has been refreshed. Continue the current task",
    "The previous attempt did not produce a user-visible answer.",
    "The previous attempt compacted the conversation context before",
    "Before accepting the previous final answer, apply this revision request",
)
"""How OpenClaw has a turn gone on with; what is to be done was said before."""

NOTICES = (
    *CONTINUATIONS,
    "Runtime: agent=",
    "This turn ended before a reply: ",
    "[System] ",
    "[SYSTEM HANDOFF]",
    "[OpenClaw ",
    "[Internal task completion event]",
    "[Generated media delivery retry]",
    "A background task completed. ",
    "A completed subagent task is ready for parent review.",
    "An async command you ran earlier ",
    "An async command the user already approved ",
    "An async command completion event was triggered",
    "An async command did not run.",
    "A new session was started via /new or /reset.",
    "Agent-to-agent announce step",
    "Pre-compaction memory flush.",
    "Follow the heartbeat monitor scratch context",
    "Run the following periodic tasks (only those due",
    "Read HEARTBEAT.md if it exists",
    "[User sent media without caption]",
    "Attached image(s) from tool result:",
    "(see attached ",
)
"""How messages begin that are the runtime's from end to end."""

TRAILERS = (
    *CONTINUATIONS,
    "This is an unattended scheduled run. Nobody is present",
    "Begin. Execute the assigned task to completion.",
    "Please relay this reminder to the user in a helpful",
    "Handle this reminder internally. Do not relay",
)
"""How the paragraph begins with which the runtime's words behind the user's set in."""

_TRAILING_PARAGRAPHS = tuple(f"\n\n{trailer}" for trailer in TRAILERS)

REACH = 4096
"""Characters at the end of a message in which the runtime's words are looked for; the longest seen take a third of that."""

_LEADING = re.compile(
    rf"""(?:
      \[(?:[^\]\n]{{0,160}}\ )?{_DATE}[^\]\n]{{0,60}}\]        # a clock, a channel's header
    | \[(?:{_CHANNELS})\ [^\]\n]{{1,200}}\]
    | \[cron:(?:[^\[\]\n]|\[[^\[\]\n]*\]){{1,200}}\](?=\ )   # a job's name may hold brackets
    | \[message_id:[^\]\n]+\] | \[media\ attached[^\]\n]*\]
    | \[Queued\ messages\ while\ agent\ was\ busy\]
    | \[Inter-session\ message\][^\n]*(?:\nThis\ content\ was\ routed\ by\ OpenClaw[^\n]*)?
    | \[Subagent\ Context\][^\n]* | \[Subagent\ Task\]
    | \[(?:Chat\ messages\ since\ your\ last\ reply|Recent\ chat\ messages)\ -\ for\ context\].*\n\[Current\ message\ -\ respond\ to\ this\]
    | \[Startup\ context\ loaded\ by\ runtime\].*\nEND_QUOTED_NOTES
    | Context:\s*<active_memory_plugin>.*?</active_memory_plugin>
    | [^\n]{{1,200}}⟦openclaw:ctx⟧[ \t]*\n(?:{_UNTIL_FENCE}|(?:[^\n]+\n?)*)
    | [^\n]{{1,100}}\ \(untrusted[^)\n]{{0,60}}\):\n{_UNTIL_FENCE}
    | System:\ \[{_DATE}[^\n]*
    | Delivery:\ (?:to\ send\ a\ message,|Final\ assistant\ text\ is\ not|No\ visible\ reply\ is)[^\n]*
    | Job\ ID:\ [^\n]*\ \|\ Received:\ [^\n]*
    | SECURITY\ NOTICE:\ The\ following\ content\ is\ from\ an\ EXTERNAL,.*?(?=<<<EXTERNAL_UNTRUSTED_CONTENT)
    | <<<EXTERNAL_UNTRUSTED_CONTENT[^\n]*>>>\nSource:.*?\n---(?=\n)
    | A\ scheduled\ reminder\ has\ been\ triggered\.\ The\ reminder\ content\ is:
    )""",
    re.VERBOSE | re.DOTALL,
)
_TRAILING = re.compile(
    r"""(?:
      ^Current\ time:\ [^\n]{1,100}\nReference\ UTC:\ [^\n]{1,40}
    | ^<<<END_EXTERNAL_UNTRUSTED_CONTENT[^\n]*>>>
    | ^\[message_id:\ [^\]\n]{1,200}\]
    | ^Context:\ ⟦openclaw:ctx⟧.*
    )\Z""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_SENDER = re.compile(r" ?([^\n:]{1,80}): (?=\S)")
"""Who writes, between a channel's header and the words."""

_UNNAMED = ("(self)", "(sender)")

_QUEUED = re.compile(r"\[Queued user message from a previous active turn; [^\]\n]*\]\n")
_ACTIVE_PROMPT = re.compile(rf"\n\n(?=\[[A-Z][a-z]{{2}} {_DATE})")
_QUEUED_ITEM = re.compile(r"^---\nQueued #\d+[^\n]*\n", re.MULTILINE)


class OpenClaw:
    """Seen in OpenClaw 2026.9.6, over all three of its provider protocols; the texts are those of its package."""

    name = "openclaw"

    def strip(self, text: str) -> str:
        """Only what somebody asked for; ``""`` for what the runtime says by itself: notices, continuations, heartbeats."""
        text = without_blocks(text, "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>", "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>")
        text = without_elements(text, ("relevant-memories",))
        for _ in range(DEPTH):
            inner = _without_layer(text)
            if inner == text:
                break
            text = inner
        return text


def _without_layer(text: str) -> str:
    text = text.strip()
    if text.startswith(NOTICES):
        return ""
    queued = _QUEUED.match(text)
    if queued:
        # What was queued stands there as context only, if an active prompt follows it.
        return _ACTIVE_PROMPT.split(text[queued.end() :])[-1]
    leading = _LEADING.match(text)
    if leading:
        return _QUEUED_ITEM.sub("", _without_sender(leading[0], text[leading.end() :]))
    return _without_end(text)


def _without_sender(header: str, words: str) -> str:
    """The words without the name of whoever wrote them; only one that the header bears out, for words of their own may end in a colon."""
    sender = _SENDER.match(words) if header.startswith("[") else None
    if sender is None:
        return words
    name = sender[1].partition(" (")[0]
    known = f" {name} " in f"{header[:-1]} " or name in _UNNAMED
    return words[sender.end() :] if known or " id:" in header else words


def _without_end(text: str) -> str:
    # The runtime line is the last paragraph; an earlier one is the user quoting it.
    words, mark, line = text.rpartition("\n\nRuntime: agent=")
    if mark and "\n" not in line.strip():
        return words
    begin = max(0, len(text) - REACH)
    for trailer in _TRAILING_PARAGRAPHS:
        # A scheduled run's preamble may have more paragraphs behind it; the user's own words never do.
        start = text.rfind(trailer, begin)
        if start >= 0:
            return text[:start]
    ends = text.endswith(("UTC", ">>>")) or (text.endswith("]") and "\n[message_id: " in text)
    found = _TRAILING.search(text) if ends or "⟦openclaw:ctx⟧" in text else None
    return text[: found.start()] if found else text
