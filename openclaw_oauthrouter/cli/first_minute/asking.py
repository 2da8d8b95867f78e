"""Asks the person at the terminal: one of a list, several of a list, a secret; what makes no sense is said and asked again."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Sequence

import click

from openclaw_oauthrouter.cli.grammar import nearest, show_problem

_WIDEST = 100
_NARROWEST = 24


def say(text: str, indent: str = "") -> None:
    """Print a paragraph in the width there is; a command or address is never broken."""
    click.echo(_wrapped(text, indent, indent))


def choose(options: Sequence[tuple[str, str]], default: int = 1) -> int:
    """Ask for one of numbered options.

    :param options: a word that may be typed instead of the number, and what it means
    :param default: what Enter means, from 1
    :return: from 0
    """
    for number, (word, meaning) in enumerate(options, 1):
        click.echo(_wrapped(f"{word}: {meaning}", f"  {number:>2}  ", " " * 6))
    words = [word.lower() for word, _ in options]
    while True:
        said = str(click.prompt("Choice", default=str(default))).strip().lower()
        if said.isdecimal() and 1 <= int(said) <= len(options):
            return int(said) - 1
        begun = [word for word in words if said and word.startswith(said)]
        if said in words or len(begun) == 1:
            return words.index(said if said in words else begun[0])
        hint = nearest(said, words)
        show_problem(
            f"{said!r} is not one of 1 to {len(options)}{f'; {hint}' if hint else ''}", f"a number, or {' | '.join(words)}"
        )


def choose_some(names: Sequence[str], question: str) -> list[int]:
    """Ask for any number of numbered names; Enter means none.

    :return: from 0, in the order of the list
    """
    for number, name in enumerate(names, 1):
        click.echo(f"  {number:>2}  {name}")
    while True:
        said = str(click.prompt(question, default="none")).strip().lower()
        if said in ("none", "no", "n"):
            return []
        if said == "all":
            return list(range(len(names)))
        numbers = re.split(r"[\s,]+", said)
        if all(number.isdecimal() and 1 <= int(number) <= len(names) for number in numbers):
            return sorted({int(number) - 1 for number in numbers})
        show_problem(f"{said!r} is not understood", f"numbers from 1 to {len(names)} such as '1', 'all', or Enter for none")


def ask_secret(question: str) -> str:
    """Ask for something that is not shown while it is typed or pasted; Enter gives ``""``."""
    return str(click.prompt(question, default="", show_default=False, hide_input=True))


def _wrapped(text: str, first: str, further: str) -> str:
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns - 1))
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
