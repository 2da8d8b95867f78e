"""No page says a word twice in a row; the generated pages hold every description of a setting and of a command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, all_pages

_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_TWICE = re.compile(r"(?<![\w./-])([^\W\d_][\w'’]*(?: [^\W\d_][\w'’]*){0,3}) \1(?![\w-])")
_IDIOMS = {"word for word for"}


def doubled(text: str) -> list[str]:
    """One to four words that come twice in a row within a paragraph, but for those in code."""
    paragraphs = re.split(r"\n\s*\n", _CODE.sub("`", _BLOCK.sub("", text)))
    found = [match.group(0) for part in paragraphs for match in _TWICE.finditer(" ".join(part.split()))]
    return [words for words in found if words not in _IDIOMS]


@pytest.mark.parametrize("page", list(all_pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_wording_no_page_says_words_twice(page: Path) -> None:
    assert doubled(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the number of number of records", ["number of number of"]),
        ("it is the\n  the second", ["the the"]),
        ("## Install\n\nInstall this", []),
        ("the settings\n\nsettings", []),
        ("`a` a, `b b`, that that-one", []),
        ("```\nx x\n```\n", []),
        ("comes back word for word for another", []),
        ("one of them, one of them", []),
    ],
)
def test_wording_doubled_finds_words_said_twice(text: str, found: list[str]) -> None:
    assert doubled(text) == found
