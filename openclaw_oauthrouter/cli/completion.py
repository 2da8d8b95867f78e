"""``completion``: the Tab key completes commands and options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.cli.grammar import UsageProblem

PROGRAM = "openclaw-oauthrouter"
PLACES = {
    "bash": f".local/share/bash-completion/completions/{PROGRAM}",
    "zsh": f".zfunc/_{PROGRAM}",
    "fish": f".config/fish/completions/{PROGRAM}.fish",
}
"""Shell -> the file below HOME in which it looks."""

_AFTER = {
    "bash": "open a new shell",
    "zsh": "add 'fpath+=~/.zfunc; autoload -Uz compinit; compinit' to ~/.zshrc if it is not there, and open a new shell",
    "fish": "open a new shell",
}

_shell = click.argument("shell", required=False, type=click.Choice(tuple(PLACES)), metavar=f"[{'|'.join(PLACES)}]")


@click.group("completion")
def command() -> None:
    """Complete commands and options with the Tab key, in bash, zsh and fish."""


@command.command("show")
@_shell
def show(shell: str | None) -> None:
    """Print the script, for a shell that loads it from somewhere else."""
    click.echo(script(_chosen(shell)))


@command.command("install")
@_shell
def install(shell: str | None) -> None:
    """Install the script where the shell looks for it."""
    chosen = _chosen(shell)
    path = Path.home() / PLACES[chosen]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(chosen) + "\n", encoding="utf-8")
    click.echo(f"Wrote {path}; {_AFTER[chosen]}.")


def script(shell: str) -> str:
    """The completion script of a shell, as click makes it."""
    from click.shell_completion import get_completion_class

    from openclaw_oauthrouter.cli.root import root

    maker: Any = get_completion_class(shell)
    source: str = maker(root, {}, PROGRAM, "_OPENCLAW_OAUTHROUTER_COMPLETE").source()
    return source.strip()


def _chosen(shell: str | None) -> str:
    found = shell or Path(os.environ.get("SHELL", "")).name
    if found not in PLACES:
        raise UsageProblem(f"which shell you use cannot be told from SHELL; name {', '.join(PLACES)}")
    return found
