"""``migrate``: take over another gateway's configuration file, shown, asked for and undoable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.cli.file_changes import file_options, journal_of, offer, take_back
from openclaw_oauthrouter.cli.grammar import UsageProblem
from openclaw_oauthrouter.cli.migrations import ORIGINS, Origin, found_files, origin_of
from openclaw_oauthrouter.cli.migrations.migration import Migration
from openclaw_oauthrouter.config.loading import LoadedSettings, check_settings, load_settings
from openclaw_oauthrouter.edits import json5_text, yaml_text
from openclaw_oauthrouter.edits.edit import Edit, PutTomlTree, SetJson
from openclaw_oauthrouter.errors import ConfigurationError

CHANGE = "migrate"


@click.command("migrate")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--from", "name", type=click.Choice(list(ORIGINS)), help="Which gateway FILE belongs to; recognised by its keys if left out."
)
@file_options
@click.pass_obj
def command(obj: dict[str, Any], file: Path | None, name: str | None, yes: bool, undo: bool) -> None:
    """Copy the settings in FILE from LiteLLM, claude-code-router or the original OAuthRouter into our configuration.

    Without FILE, it looks in the usual places. Settings that our file already has stay. FILE is not changed.
    """
    loaded = load_settings(obj.get("config"))
    journal, target = journal_of(loaded.settings), target_file(loaded)
    if undo:
        take_back(journal, CHANGE, target, yes=yes)
        return
    origin, path, document = _source(file, name)
    migration = origin.read(document)
    migration.leave_out_what_is_refused()
    click.echo(f"From {origin.label}: {path}")
    for note in migration.notes:
        click.secho(f"  - {note}", fg="yellow")
    if not migration.settings:
        click.echo("There is nothing to copy.")
        return
    check_settings(migration.settings)
    if offer(journal, journal.plan(CHANGE, target, edits_of(migration, target)), yes=yes):
        click.echo("To see it: openclaw-oauthrouter config show. To undo it: openclaw-oauthrouter migrate --undo")


def target_file(loaded: LoadedSettings) -> Path:
    """Our configuration file: the one in force, else ``config.toml`` in the state folder."""
    return loaded.path or loaded.settings.home / "config.toml"


def edits_of(migration: Migration, target: Path) -> list[Edit]:
    """Every value that our file does not have yet."""
    leaves = list(_leaves(migration.settings))
    if target.suffix == ".json":
        return [SetJson(path=path, value=value) for path, value in leaves]
    return [PutTomlTree(leaves=tuple(leaves))]


def _leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in tree.items():
        found += _leaves(value, (*above, key)) if isinstance(value, dict) and value else [((*above, key), value)]
    return found


def _source(file: Path | None, name: str | None) -> tuple[Origin, Path, Mapping[str, Any]]:
    if file is None:
        found = found_files(Path.home(), Path.cwd())
        for origin, path in found:
            document = _read(path)
            if name in (None, origin.name) and origin.marks & document.keys():
                return origin, path, document
        raise UsageProblem("no file of another gateway is in the usual places", "openclaw-oauthrouter migrate FILE")
    document = _read(file)
    whose = ORIGINS[name] if name else origin_of(document)
    if whose is None and "plugins" in document:
        whose = ORIGINS["oauthrouter"]
    if whose is None:
        raise UsageProblem(
            f"{str(file)!r} belongs to no gateway that is known here",
            f"say whose it is with --from {'|'.join(ORIGINS)}",
        )
    return whose, file, document


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{str(path)!r} cannot be read: it is not UTF-8 text") from error
    document = json5_text.read(text) if path.suffix in (".json", ".json5") else yaml_text.read(text)
    if not isinstance(document, dict):
        raise ConfigurationError(f"{str(path)!r} is not a settings file: it holds no object at its top")
    return document
