"""Anthropic's prompt cache as the vendor describes it: what a request reads, writes and pays in full.

Rules (documentation, November 2026): a prompt is tools, then system, then messages; a prefix that ends at a marked block is written; a
request reads the longest prefix written before that ends at one of its marks or at most 20 blocks before one; at most four marks; prefixes
below the model's minimum are not cached. Tokens are counted as a quarter of the characters: only proportions matter here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LOOK_BACK = 20
MAX_MARKS = 4


@dataclass(frozen=True)
class Bill:
    """Tokens of one request's prompt."""

    new: int
    written: int
    read: int


@dataclass
class PromptCache:
    """One account's cache.

    :ivar minimum: tokens below which nothing is cached
    """

    minimum: int = 1024
    _written: set[str] = field(default_factory=set)

    def bill(self, body: dict[str, Any]) -> Bill:
        """What a Messages request costs, and what is cached after it."""
        blocks = list(_blocks(body))
        marks = [position for position, (_, marked) in enumerate(blocks) if marked]
        assert len(marks) <= MAX_MARKS, f"a maximum of {MAX_MARKS} blocks with cache_control may be provided, found {len(marks)}"
        prefixes: list[str] = []
        lengths: list[int] = []
        text = ""
        for words, _ in blocks:
            text += words + "\x00"
            prefixes.append(text)
            lengths.append(len(text) // 4)
        read = max(
            (
                lengths[at]
                for mark in marks
                for at in range(max(0, mark - LOOK_BACK + 1), mark + 1)
                if prefixes[at] in self._written
            ),
            default=0,
        )
        kept = [mark for mark in marks if lengths[mark] >= self.minimum]
        self._written.update(prefixes[mark] for mark in kept)
        written = max((lengths[mark] for mark in kept), default=0)
        whole = lengths[-1] if lengths else 0
        return Bill(new=whole - max(read, written), written=max(0, written - read), read=read)


def _blocks(body: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for tool in body.get("tools", ()):
        yield _said(tool)
    system = body.get("system", ())
    for block in [{"type": "text", "text": system}] if isinstance(system, str) else system:
        yield _said(block)
    for message in body["messages"]:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            words, marked = _said(block)
            inner = block.get("content")
            yield message["role"] + words, marked or (isinstance(inner, list) and any("cache_control" in item for item in inner))


def _said(block: dict[str, Any]) -> tuple[str, bool]:
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    return json.dumps(bare, sort_keys=True), "cache_control" in block
