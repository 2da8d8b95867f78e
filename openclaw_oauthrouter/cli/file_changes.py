"""Shows a change to somebody's file, asks, and makes it; the one way in which commands touch files that are not ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.cli.grammar import confirm
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.edits.journal import FileChange, Journal

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
undo_option = click.option("--undo", is_flag=True, help="Undo the change.")


def journal_of(settings: Settings) -> Journal:
    """Where changes are remembered: in the state folder."""
    return Journal(settings.home / "changes")


def offer(journal: Journal, change: FileChange, *, yes: bool, secret: str = "", holds_keys: bool = False) -> bool:
    """Show the diff, ask, and write.

    :param yes: do not ask
    :param secret: not to be shown, whatever the name it stands under
    :param holds_keys: every value of the file is a key, and not to be shown either
    :return: whether the file now is as planned
    """
    if not change.needed:
        click.echo(f"{change.path} is already set up.")
        return True
    shown = change.diff(holds_keys=holds_keys)
    click.echo(shown.replace(secret, "********") if secret else shown)
    if not yes and not confirm(f"Change {change.path}?", default=True):
        click.echo("Nothing was changed.")
        return False
    journal.make(change)
    click.echo(f"Changed {change.path}." if change.after is not None else f"Removed {change.path}.")
    return True


def take_back(
    journal: Journal, name: str, path: Path, *, yes: bool, fit: Callable[[str], str] | None = None, holds_keys: bool = False
) -> bool:
    """Undo a named change, if it was made: that of a file, else the last one made in another.

    :param holds_keys: every value of the file is a key
    :param fit: makes what is put back acceptable to the program it belongs to
    """
    change = journal.plan_undo(name, path)
    if change is not None and change.after is not None and fit is not None:
        change = replace(change, after=fit(change.after))
    if change is None:
        click.echo("There is nothing to undo.")
        return True
    if not change.needed:
        journal.make(change)
        click.echo(f"{change.path} no longer contains our entries.")
        return True
    return offer(journal, change, yes=yes, holds_keys=holds_keys)


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command of this kind takes."""
    return yes_option(undo_option(command))
