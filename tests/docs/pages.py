"""Reads the documentation: its pages, and the code blocks in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def all_pages() -> Iterator[Path]:
    """README and everything in ``docs/``."""
    yield from sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language, in order."""
    return [code for found, code in _BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


def plugin(page: Path, number: int | None = None) -> ModuleType:
    """A Python block of the page, as the plugin it describes.

    :param number: which one, from 0; ``None``: the page has but one
    """
    codes = blocks(page, "python")
    assert number is not None or len(codes) == 1
    code = codes[number or 0]
    module = ModuleType(f"docs_{page.stem.replace('-', '_')}")
    exec(compile(code, str(page), "exec"), module.__dict__)
    return module
