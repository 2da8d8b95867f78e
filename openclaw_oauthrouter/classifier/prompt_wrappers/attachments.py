"""What a host says about media and files beside the user's words: descriptions, transcripts, contents, placeholders."""

from __future__ import annotations

import json
import re

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import names_in, without_blocks, without_named_blocks

_SECTION = lazily(
    r"\A\[(Audio|Image|Video)(?: \d+/\d+)?\]\n(?:User text:\n(.*?)\n)?(?:Transcript|Description):\n(.*)\Z", re.DOTALL
)
_WORDS_FIRST = lazily(r"\AUser text:\n(.*?)\n\n\[(?:Audio|Image|Video)(?: \d+/\d+)?\]\n", re.DOTALL)
_NEXT_SECTION = lazily(r"\n\n\[(?:Audio|Image|Video) \d+/\d+\]\n(?:Transcript|Description):\n")
_TRANSCRIPT = lazily(r"\A\[Audio transcript[^\]\n]{0,80}\]: (\"(?:[^\"\\\n]|\\.)*+\")", re.IGNORECASE)
_PLACEHOLDER = lazily(r"<media:[a-z]+>(?: \([^)\n]{0,80}\))?")
_CLOSES = lazily(r"\[/")
"""Of a block, as its first character is rare, a regular expression finds this several times sooner than ``in``."""
_QUOTED = lazily(r"\[(Replying|Quoting|Quoted|Forwarded)\b[^\]\n]{0,200}\]\n")


def without_attachments(text: str) -> str:
    """The words without the contents of files, placeholders of media and messages quoted as a block; a text of nothing else stays."""
    kept, names = text, names_in(text)
    if "file" in names:
        kept = without_blocks(kept, "<file name=", "</file>")
    if "media" in names:
        kept = _PLACEHOLDER.sub("", kept)
    if _CLOSES.search(kept) is not None:
        kept = without_named_blocks(kept, _QUOTED, "\n[/{}]")
    return kept if kept is text or kept.strip() else text


def words_beside_media(text: str) -> str | None:
    """What the user wrote, or else said, beside media that the host looked at first; ``None`` when it did not."""
    if text.startswith("User text:\n"):
        first = _WORDS_FIRST.match(text)
        return first[1] if first else None
    if not text.startswith(("[Audio", "[Image", "[Video", "[audio")):
        return None
    said = _TRANSCRIPT.match(text)
    if said:
        return _decoded(said[1]) + text[said.end() :]
    section = _SECTION.match(text)
    if section is None:
        return None
    if section[2]:
        return section[2]
    return _NEXT_SECTION.sub("\n\n", f"{section[3]}") if section[1] == "Audio" else ""


def _decoded(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted
