"""What stands in brackets in front of, between and behind the user's words: who wrote, where, when, and what the runtime calls it."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.prompt_wrappers.moments import bears_moment

CHANNELS = (
    "BlueBubbles|Channel|DingTalk|Discord|Email|Feishu|Google Chat|GoogleChat|iMessage|IRC|Lark|LINE|Matrix|Mattermost|Microsoft Teams|MSTeams|"
    "Nextcloud Talk|Nostr|QQ|QQ Bot|QQBot|Rocket.Chat|Signal|Slack|SMS|Synology Chat|Teams|Telegram|Tlon|Twitch|WebChat|WeChat|WhatsApp|"
    "Zalo|Zulip"
)
"""Channels by the name with which their headers begin. Others are known by what their headers hold."""

_BRACKET = lazily(
    r"""\[(
      (?> (?<=:\ )"(?:[^"\\\n]|\\.)*+"      # a text quoted as JSON may hold anything
      | \[[^\[\]\n]*+\]                     # so may a job's name
      | [^\[\]\n] ){1,400}+
    )\](?=[ \n:]|\Z)""",
    re.VERBOSE,
)
_CHANNEL = lazily(
    rf"(?:{CHANNELS.replace('.', '[.]').replace(' ', '[ ]')})\ \S|.*(?:\bid:\S|\ \+\d+(?:\.\d+)?(?:s|m|h|d|w|mo|y)\b)"
)
_LABEL = lazily(
    r"""(?:
      (?:cron|hook|webhook|job|schedule|automation|trigger):\S                       # what started a run
    | (?:[a-z]+\ )?message[ _]id: | from:\ | media\ attached | attached\ (?:file|image|media)s?:
    | (?:queued|pending)\ (?:user\ )?messages?\b | inter-session\ message | sub-?agent\ (?:context|task)\Z
    | retry\ after\ | (?:replying|reply|in\ reply)\ to\b | forwarded\ (?:from\ |message\b) | working\ directory: | cwd:
    | (?:voice|audio|video|image|photo|sticker|document|location)(?:\ message|\ note|\ attachment)?\Z
    | recent\ image\ \d | (?:quoted|original)\ message\b
    | [^\n]*\ -\ (?:for\ context|respond\ to\ this)\Z
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_OF_ONE_MESSAGE = lazily(r"(?:[a-z]+ )?message[ _]id:|from: |media attached", re.IGNORECASE)
"""Labels that come once for each of several messages."""

_SENDER = lazily(r" ?([^\n:]{1,80}): (?=\s*\S)")
"""Who writes, between a channel's header and the words."""

_NAME = lazily(r"[A-Z][\w.'-]*(?: (?:[A-Z][\w.'-]*|[a-z]{1,3}))? ?(?:[A-Z][\w.'-]*)?")
"""Up to three words that may be somebody's name."""

_UNNAMED = ("(self)", "(sender)")


def without_header(text: str) -> str | None:
    """What follows the header a text begins with; ``None`` when it begins with none, or with brackets of the user's own."""
    found = _BRACKET.match(text) if text.startswith("[") else None
    if found is None:
        return None
    content = found[1]
    if _LABEL.match(content):
        return _behind_label(content, text[found.end() :])
    named = _CHANNEL.match(content)
    if not named and not bears_moment(content):
        return None
    words = _without_sender(content, text[found.end() :])
    # Behind a mere clock, further ones are more likely lines of a log.
    return _without_further_headers(words, content.partition(" ")[0]) if named and "\n[" in words else words


def is_label(line: str) -> bool:
    """Whether a line is nothing but a label of the runtime's in brackets."""
    found = _BRACKET.fullmatch(line) if line.startswith("[") else None
    return found is not None and _LABEL.match(found[1]) is not None


def _behind_label(content: str, text: str) -> str:
    text = text.removeprefix(":")
    if not content.casefold().endswith("for context"):
        return text
    # What is given for context is the paragraph below its label.
    return text.lstrip("\n").partition("\n\n")[2] or text


def _without_sender(content: str, words: str) -> str:
    """The words without the name of whoever wrote them; only one that the header bears out, or of a channel: words may end in a colon."""
    sender = _SENDER.match(words)
    if sender is None:
        return words
    name = sender[1].partition(" (")[0]
    borne_out = f" {name} " in f" {content} " or name in _UNNAMED or " id:" in content
    known = borne_out or (_NAME.fullmatch(name) is not None and _CHANNEL.match(content) is not None)
    return words[sender.end() :] if known else words


def _without_further_headers(text: str, channel: str) -> str:
    """Messages that came shortly one after another are one message with several headers of the same channel."""
    kept = []
    for line in text.split("\n"):
        found = _BRACKET.match(line) if line.startswith("[") else None
        if found is None:
            kept.append(line)
        elif found[1].startswith(f"{channel} "):
            kept.append(_without_sender(found[1], line[found.end() :]).strip())
        elif not _OF_ONE_MESSAGE.match(found[1]):
            kept.append(line)
    return "\n".join(kept)
