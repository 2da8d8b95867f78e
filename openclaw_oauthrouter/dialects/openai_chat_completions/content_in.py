"""What upstreams put into ``content`` and ``annotations`` of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from openclaw_oauthrouter.canonical.content import Citation
from openclaw_oauthrouter.canonical.json import FrozenObject, whole_number

Prose = Literal["text", "reasoning", "refusal"]

_PROSE_BLOCKS: dict[str, tuple[Prose, str]] = {
    "text": ("text", "text"),
    "output_text": ("text", "text"),
    "thinking": ("reasoning", "thinking"),
    "reasoning": ("reasoning", "text"),
    "refusal": ("refusal", "refusal"),
}


def prose(content: object) -> Iterator[tuple[Prose, str]]:
    """Words of a ``content`` that is a list of blocks (Mistral), by kind. Never yields an empty string."""
    for block in content if isinstance(content, list) else ():
        row = _PROSE_BLOCKS.get(block.get("type"))
        if row is None:
            continue
        kind, field = row
        words = "".join(_words(block.get(field)))
        if words:
            yield kind, words


def decode_annotation(annotation: FrozenObject) -> Citation | None:
    """A ``url_citation``; ``None`` for any other kind."""
    cited = annotation.get("url_citation")
    if not cited or not isinstance(cited.get("url"), str):
        return None
    title = cited.get("title")
    return Citation(
        cited["url"],
        title=title if isinstance(title, str) else "",
        start=whole_number(cited.get("start_index")),
        end=whole_number(cited.get("end_index")),
    )


def _words(value: object) -> Iterator[str]:
    """A string, or Mistral's list of text blocks; one level deep, as it is on the wire."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (entry["text"] for entry in value if isinstance(entry, dict) and isinstance(entry.get("text"), str))
