"""The measured parts of docs/performance.md: each stands between two comments, and one command writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; nothing without rows."""
    if not rows:
        return ""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(page: str, part: str, measured: str) -> str:
    """The page with one part anew.

    :raises ValueError: it has no such part
    """
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{before}{begin}\n\n{measured}\n\n{end}{after}"


def write(part: str, measured: str) -> None:
    """Put a part into the page."""
    PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), part, measured), encoding="utf-8")
