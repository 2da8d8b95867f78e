"""OpenClaw's wrapping: what its channels, schedules, sub-agents, queues and retries put around, or in place of, the user's words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.prompt_wrappers.attachments import without_attachments, words_beside_media
from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import names_in, without_blocks, without_named_blocks
from openclaw_oauthrouter.classifier.prompt_wrappers.headers import is_label, without_header
from openclaw_oauthrouter.classifier.prompt_wrappers.moments import bears_moment

DEPTH = 16
"""Layers looked through: a scheduled run of a sub-agent's queued message from a channel has about ten."""

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
    "[System Message]",
    "[System note",
    "System note: ",
    "[SYSTEM HANDOFF]",
    "[OpenClaw ",
    "[Post-compaction context refresh]",
    "[Subagent Context] Every subagent spawned from this session has now settled",
    "[Subagent Context] Your prior run ended while waiting for descendant",
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
    "Group thread round ",
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
    "Return your summary as plain text; it will be delivered",
    "Return your response as plain text; it will be delivered",
    "Untrusted context (",
)
"""How the paragraph begins with which the runtime's words behind the user's set in."""

_TRAILING_PARAGRAPHS = tuple(f"\n\n{trailer}" for trailer in TRAILERS)
_TRAILER = lazily("|".join(map(re.escape, _TRAILING_PARAGRAPHS)))
"""Whether any of them is there: one search instead of one for each."""

REACH = 4096
"""Characters at the end of a message in which the runtime's words are looked for; the longest seen take a third of that."""

_HEARTBEAT = lazily(r"\bHEARTBEAT_OK\b[\s.!。”“»\"'`*]{0,8}\Z")
"""Whatever a heartbeat's prompt was set to, and in whichever language: it ends with the answer expected if there is nothing to do."""

_FENCE = lazily(r"<<<BEGIN_([A-Z_]{3,60})[^>\n]{0,80}>>>")
"""Around what commands, sub-agents and others have put out."""

_MEMORY = lazily(
    r"<((?=[\w.-]{0,60}(?:memor|recall|remind|context|metadata))[A-Za-z]{1,60}(?:[-_][A-Za-z]{1,60}){1,6})(?:\s[^<>\n]{0,200})?>",
    re.IGNORECASE,
)
"""What plugins of memory put beside the words, each in an element of its own name."""

_LEADING = lazily(
    rf"""(?:
      \[Inter-session\ message\][^\n]*(?:\nThis\ content\ was\ routed\ by\ OpenClaw[^\n]*)?
    | \[Subagent\ Context\][^\n]*
    | \[Bootstrap\ truncation\ warning\](?:\n[^\n]+)*
    | \[Queue\ overflow\][^\n]*(?:\n(?:Summary:|-\ [^\n]*))*
    | \[(?:Chat\ messages\ since\ your\ last\ reply|Recent\ chat\ messages)\ -\ for\ context\].*\n\[Current\ message\ -\ respond\ to\ this\]
    | \[Startup\ context\ loaded\ by\ runtime\].*\nEND_QUOTED_NOTES
    | \#{{1,4}}\ [^\n]*\bmemor(?:y|ies)\b[^\n]*\n(?:\s*[-*]\ [^\n]*\n)+
    | [^\n]{{1,200}}⟦openclaw:ctx⟧[ \t]*\n(?:{_UNTIL_FENCE}|(?:[^\n]+\n?)*)
    | [^\n]{{1,100}}\ \(untrusted[^)\n]{{0,60}}\):\n{_UNTIL_FENCE}
    | System(?:\ \([a-z]+\))?:\ \[[^\]\n]*\d:\d\d[^\]\n]*\][^\n]*
    | Active\ goal:\ [^\n]*\ —\ advance;\ keep\ active\ [^\n]*
    | Current\ message:\n(?=\[Replying\ to) | \#\d+:(?=\ )
    | To\ send\ an\ image\ back,\ [^\n]*
    | Delivery:\ (?:to\ send\ a\ message,|Final\ assistant\ text\ is\ not|No\ visible\ reply\ is)[^\n]*
    | Job\ ID:\ [^\n]*\ \|\ Received:\ [^\n]*
    | SECURITY\ NOTICE:\ The\ following\ content\ is\ from\ an\ EXTERNAL,.*?(?=<<<EXTERNAL_UNTRUSTED_CONTENT)
    | <<<EXTERNAL_UNTRUSTED_CONTENT[^\n]*>>>\nSource:.*?\n---(?=\n)
    | A\ scheduled\ reminder\ has\ been\ triggered\.\ The\ reminder\ content\ is:
    )""",
    re.VERBOSE | re.DOTALL,
)
_TRAILING = lazily(
    r"""(?:
      ^<<<END_EXTERNAL_UNTRUSTED_CONTENT[^\n]*>>>
    | ^Context:\ ⟦openclaw:ctx⟧.*
    )\Z""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_STATED = r"(Current time|[^\n:]{2,40}): ([^\n]{4,120})(?:\n([^\n:]{0,40}\bUTC\b[^\n:]{0,10}): ([^\n]{4,60}))?(?=\n|\Z)"
_STATED_FIRST = lazily(_STATED)
_STATED_TIME = lazily(rf"\n{_STATED}")
_UTC = lazily("UTC")
"""Of so few letters that a regular expression looks for them sooner than ``find``."""
"""The line in which a run is told the time, and the same in UTC; whatever the runtime has to say besides comes after it."""

_QUEUED = lazily(r"\[Queued user message from a previous active turn; [^\]\n]*\]\n")
_ACTIVE_PROMPT = lazily(r"\n\n(?=\[[A-Z][a-z]{2} \d{4}-\d\d-\d\d[T ]\d\d:\d\d)")
_QUEUE = lazily(r"\[(?:Queued|Pending) messages[^\]\n]*\]\s*")
_QUEUED_ITEM = lazily(r"^---\nQueued #\d+[^\n]*\n|^Queued #\d+ context:\n(?:[^\n]+\n)+", re.MULTILINE)


class OpenClaw:
    """Seen in OpenClaw 2026.9.6, over all three of its provider protocols; the texts are those of its package.

    What its channels, plugins and users may word otherwise is known by its form instead: headers by the moment, the channel or the
    label that they bear, a run's preamble by the time stated in front of it, memory by the name of its element.
    """

    name = "openclaw"

    def strip(self, text: str) -> str:
        """Only what somebody asked for; ``""`` for what the runtime says by itself: notices, continuations, heartbeats."""
        names = names_in(text)
        if "BEGIN_OPENCLAW_INTERNAL_CONTEXT" in names:
            text = without_blocks(text, "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>", "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>")
        if names and "<<<BEGIN_" in text:
            text = without_named_blocks(text, _FENCE, "<<<END_{}>>>")
        for name in names:
            # Such an element's name is of several words, and it is closed.
            if name[0] == "/" and ("_" in name or "-" in name):
                text = text.replace("Context:\n<active_memory_plugin>", "<active_memory_plugin>")
                text = without_named_blocks(text, _MEMORY, "</{}>")
                break
        return _without_layers(text)


def _without_layers(text: str, *, in_queue: bool = False) -> str:
    scheduled = False
    for _ in range(DEPTH):
        text = text.strip()
        scheduled = scheduled or text.startswith("[cron:")
        queue = _QUEUE.match(text)
        if queue and not in_queue:  # a queue within one is but a header: nobody's words may lead arbitrarily deep
            return _each_of_queue(text[queue.end() :])
        inner = text[queue.end() :] if queue else _without_layer(text, scheduled)
        if inner == text:
            break
        text = inner
    return text


def _without_layer(text: str, scheduled: bool) -> str:
    text = without_attachments(text)
    if text.startswith(NOTICES) or ("HEARTBEAT_OK" in text[-40:] and _HEARTBEAT.search(text)):
        return ""
    queued = _QUEUED.match(text)
    if queued:
        # What was queued stands there as context only, if an active prompt follows it.
        return _ACTIVE_PROMPT.split(text[queued.end() :])[-1]
    leading = _LEADING.match(text)
    if leading:
        return text[leading.end() :]
    words = words_beside_media(text)
    if words is None:
        words = without_header(text)
    return words if words is not None else _without_end(text, scheduled)


def _each_of_queue(text: str) -> str:
    items = (_without_layers(item, in_queue=True) for item in _QUEUED_ITEM.split(text))
    return "\n\n".join(item for item in items if item)


def _without_end(text: str, scheduled: bool) -> str:
    # The runtime line is the last paragraph; an earlier one is the user quoting it.
    end = text.rfind("\n")
    if text.startswith("Runtime: agent=", end + 1) and text[end - 1 : end] == "\n":
        return text[: end - 1]
    begin = max(0, len(text) - REACH)
    told = _told_the_time(text, begin, scheduled)
    if told is not None:
        return text[:told]
    for trailer in _TRAILING_PARAGRAPHS if _TRAILER.search(text, begin) else ():
        # A scheduled run's preamble may have more paragraphs behind it; the user's own words never do.
        start = text.rfind(trailer, begin)
        if start >= 0:
            return text[:start]
    if text.endswith("]"):
        words, _, last = text.rpartition("\n")
        return words if words and is_label(last) else text
    found = _TRAILING.search(text) if text.endswith(">>>") or "⟦openclaw:ctx⟧" in text else None
    return text[: found.start()] if found else text


def _told_the_time(text: str, begin: int, scheduled: bool) -> int | None:
    """Where the line begins in which a run is told the time."""
    if not scheduled and _UTC.search(text, begin) is None and text.find("Current time: ", begin) < 0:
        return None
    for found in _stated_times(text, begin):
        start = found.start(1)
        if not bears_moment(found[2]) or not (scheduled or text[:start].strip()):
            continue
        ends = not text[found.end() :].strip() or text[found.end() :].startswith("\n\n")
        if (found[4] and bears_moment(found[4])) or (ends and (scheduled or found[1] == "Current time")):
            return start
    return None


def _stated_times(text: str, begin: int) -> Iterator[re.Match[str]]:
    """Lines that may state a time, from a place on; line breaks are searched for, which is quicker than to try at each character."""
    first = _STATED_FIRST.match(text) if not begin else None
    if first:
        yield first
    yield from _STATED_TIME.finditer(text, first.end() if first else max(0, begin - 1))
