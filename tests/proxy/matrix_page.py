"""Keeps the table of ``docs/translation.md``: ``python -m tests.proxy.matrix_page --write`` runs the matrix and writes what was seen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proxy.matrix import CASES, Bench, open_bench, streams
from tests.support.conversations import CHAT, DIALECTS, MESSAGES, RESPONSES
from tests.support.readings import Reading

PAGE = Path(__file__).parents[2] / "docs" / "translation.md"
BEGIN, END = "<!-- matrix: begin -->\n", "<!-- matrix: end -->\n"
TITLES = {CHAT: "Chat Completions", MESSAGES: "Messages", RESPONSES: "Responses"}

_HEAD = f"""\
| case | provider speaks | {" client sees | ".join(TITLES[dialect] for dialect in DIALECTS)} client sees |
| --- | --- | --- | --- | --- |
"""

Cells = Mapping[tuple[str, str, str], str]


async def observe(bench: Bench) -> Cells:
    """Run everything; (case, provider, client) -> what the client saw."""
    cells = {}
    for name, case in CASES.items():
        for provider in DIALECTS:
            for client in DIALECTS:
                seen = [(await bench.run(client, provider, case, stream=way))[0] for way in streams(name, provider)]
                cells[name, provider, client] = "; whole: ".join(dict.fromkeys(_describe(reading) for reading in reversed(seen)))
    return cells


def table(cells: Cells) -> str:
    """The table as Markdown; providers whose clients see the same share a row."""
    rows = []
    for name in CASES:
        alike: dict[tuple[str, ...], list[str]] = {}
        for provider in DIALECTS:
            alike.setdefault(tuple(cells[name, provider, client] for client in DIALECTS), []).append(TITLES[provider])
        for seen, providers in alike.items():
            who = "any" if len(providers) == len(DIALECTS) else ", ".join(providers)
            rows.append(f"| {name} | {who} | {' | '.join(seen)} |\n")
    return _HEAD + "".join(rows)


def with_table(page: str, rows: str) -> str:
    """The page with its table replaced."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + rows + END + rest.split(END)[1]


def _describe(reading: Reading) -> str:
    pieces = [
        "thinking" if reading.thinking else "",
        "words" if reading.words else "",
        "refusal" if reading.refusal else "",
        f"{len(reading.calls)} call{'s' * (len(reading.calls) > 1)}" if reading.calls else "",
    ]
    if reading.error is not None:
        status, word = reading.error
        pieces.append(f"error event `{word}`" if status == 200 else f"HTTP {status} `{word}`")
    else:
        pieces.append(f"`{reading.finish}`")
    return ", ".join(piece for piece in pieces if piece)


async def _main() -> None:
    with TemporaryDirectory() as folder:
        async with open_bench(Path(folder) / "state") as bench:
            rows = table(await observe(bench))
    if "--write" in sys.argv:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    else:
        sys.stdout.write(rows)


if __name__ == "__main__":
    asyncio.run(_main())
