"""``config``: what is configured, where it came from, and changing it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.grammar import Failure, UsageProblem, asks, check_names, confirm
from openclaw_oauthrouter.errors import InvalidRequestError

if TYPE_CHECKING:  # most of what `config` does only looks, which needs nothing that changes files
    from openclaw_oauthrouter.changes.settings_file import MadeChange, SettingChange, SettingsFile
    from openclaw_oauthrouter.config.loading import LoadedSettings

TEMPLATE = """\
# OAuthRouter. Every setting: openclaw-oauthrouter config show --all, and docs/configuration.md.
# A running gateway notices changes within seconds.

# [spend_controls]
# daily_cost_budget = 5.0                # US dollars

# [routing]
# profile = "balanced"                   # economy | balanced | quality

# [providers.local]                      # any OpenAI-compatible address
# api_base = "http://127.0.0.1:11434/v1"
"""


@click.group("config")
def command() -> None:
    """Show and change the configuration."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--all", "show_all", is_flag=True, help="Include defaults.")
@click.pass_obj
def show(obj: dict[str, Any], as_json: bool, show_all: bool) -> None:
    """Show the settings in force and where each comes from. Secrets are masked."""
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.config.effective import effective_rows

    loaded = command_settings(obj, announce=False)
    rows = [row for row in effective_rows(loaded) if show_all or as_json or row.source != "default"]
    if as_json:
        click.echo(json.dumps([{"key": r.key, "value": r.value, "source": r.source} for r in rows], indent=2, default=str))
        return
    from openclaw_oauthrouter.cli.output import create_console, create_table

    table = create_table("setting", "value", "source", title=f"Configuration ({_files(loaded)})")
    for row in rows:
        table.add_row(row.key, _words(row.value), row.source)
    create_console().print(table)
    if not show_all:
        click.echo("everything else has its default (--all shows them)")
    _say_dangling_names(loaded)


def _words(value: object) -> str:
    """A value as the file says it."""
    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_words(item) for item in value)}]"
    if isinstance(value, dict) and value:
        return f"{{ {', '.join(f'{name} = {_words(item)}' for name, item in value.items())} }}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def say_dangling_names(path: Path, key: str) -> None:
    """Say which names of a setting that has just been made lead nowhere."""
    from openclaw_oauthrouter.config.loading import load_settings

    if key.partition(".")[0] in ("routing", "spend_controls", "server", "rate_limit_fallback"):
        _say_dangling_names(load_settings(path))


def _say_dangling_names(loaded: LoadedSettings) -> None:
    from openclaw_oauthrouter.catalog.references import check_references, references

    if next(references(loaded.settings), None) is None:
        return
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    for problem in check_references(loaded.settings, Builder(loaded.settings, create_plugin_manager()).providers):
        click.secho(f"{'wrong' if problem.wrong else 'doubtful'}: {problem}", fg="red" if problem.wrong else "yellow", err=True)


def _files(loaded: LoadedSettings) -> str:
    own = str(loaded.path or "no file")
    return f"{own}, under {loaded.host}" if loaded.host else own


@command.command("path")
@click.pass_obj
def path_(obj: dict[str, Any]) -> None:
    """Print the path of the configuration file, even if it does not exist yet."""
    click.echo(_path(obj))


@command.command("init")
@click.pass_obj
def init(obj: dict[str, Any]) -> None:
    """Write a configuration file that contains the most common settings as comments."""
    path = _path(obj)
    if path.exists():
        raise UsageProblem(f"{path} exists already", "openclaw-oauthrouter config edit")
    _write(path, TEMPLATE)
    click.echo(f"Wrote {path}.")


@command.command("edit")
@click.pass_obj
def edit(obj: dict[str, Any]) -> None:
    """Open the configuration file in your editor (VISUAL or EDITOR), then check it."""
    from openclaw_oauthrouter.config.loading import load_settings

    path = _path(obj)
    editor = _editor(may_open=asks(obj))
    if not path.exists():
        _write(path, TEMPLATE)
    try:
        code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        raise Failure(f"the editor {editor!r} cannot be started: {error}", "set EDITOR to the editor you use") from None
    if code:
        raise Failure(f"the editor {editor!r} ended with {code}", "set EDITOR to the editor you use")
    load_settings(path)
    click.echo(f"{path} is valid.")


def _editor(*, may_open: bool) -> str:
    """The user's editor. One that was chosen may have a window of its own; the usual one needs a terminal."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if may_open and (chosen or sys.stdin.isatty()):
        return chosen or "vi"
    why = "there is no terminal for an editor" if may_open else "an editor cannot be opened with --no-input"
    raise UsageProblem(why, "openclaw-oauthrouter config set KEY VALUE")


@command.command("set")
@click.argument("key")
@click.argument("value")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.pass_obj
def set_(obj: dict[str, Any], key: str, value: str, dry_run: bool) -> None:
    """Set KEY, such as spend_controls.daily_cost_budget, to VALUE.

    VALUE is written as in TOML; a plain word is a string.

    The file is changed only if the result is valid. Comments and layout stay. Quote a name that contains a dot:
    'routing.aliases."gpt-4.1"'. `config undo` undoes the change.
    """
    path = _change(settings_file(obj), [_setting(_words_of(key), _parsed(value))], dry_run=dry_run)
    if path is not None:
        click.echo(f"{key} is set in {path}.")
        say_dangling_names(path, key)


@command.command("unset")
@click.argument("key")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.pass_obj
def unset(obj: dict[str, Any], key: str, dry_run: bool) -> None:
    """Remove KEY from the file, so that its default applies again."""
    path = _change(settings_file(obj), [_setting(_words_of(key))], dry_run=dry_run)
    if path is not None:
        click.echo(f"{key} is no longer set in {path}.")


@command.command("undo")
@click.option("--list", "only_list", is_flag=True, help="Only list the changes that can be undone.")
@click.option("--json", "as_json", is_flag=True, help="For scripts; with --list.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.argument("name", required=False)
@click.pass_obj
def undo(obj: dict[str, Any], name: str | None, only_list: bool, as_json: bool, yes: bool) -> None:
    """Undo the latest change made by `config set`, `config unset`, `client-keys` or the dashboard, or the change called NAME."""
    file = settings_file(obj)
    made = list(file.made())
    if only_list or as_json:
        _list_changes(made, as_json=as_json)
        return
    if name is None and not made:
        click.echo("There is nothing to undo.")
        return
    if name is not None:
        check_names("change", [name], [one.name for one in made], "openclaw-oauthrouter config undo --list")
    plan = file.plan_undo(name or made[0].name)
    click.echo(plan.diff() or "The file no longer contains that change.")
    if plan.change.needed and not yes and not confirm(f"Change {file.path}?", default=True):
        click.echo("Nothing was changed.")
        return
    file.make(plan)
    click.echo("Undone.")


def _list_changes(made: list[MadeChange], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"name": one.name, "at": one.at, "settings": list(one.settings)} for one in made], indent=2))
        return
    for one in made:
        moment = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%MZ")
        click.echo(f"{one.name}  {moment}  {', '.join(one.settings)}")


def _setting(path: tuple[str, ...], value: Any = None) -> SettingChange:
    from openclaw_oauthrouter.changes.settings_file import SettingChange

    return SettingChange(path, value)


def _change(file: SettingsFile, wanted: list[SettingChange], *, dry_run: bool) -> Path | None:
    plan = file.plan(wanted)
    if dry_run:
        click.echo(plan.diff() or "Nothing would change.")
        return None
    if plan.change.needed:
        file.make(plan)
    return file.path


def settings_file(obj: dict[str, Any]) -> SettingsFile:
    """The configuration file of a command, to be changed."""
    from openclaw_oauthrouter.config.loading import load_settings

    path = _path(obj)
    home = (load_settings(path) if path.exists() else load_settings(None)).settings.home
    return _file_at(path, home)


def _file_at(path: Path, home: Path) -> SettingsFile:
    from openclaw_oauthrouter.changes.settings_file import SettingsFile
    from openclaw_oauthrouter.config.loading import load_settings
    from openclaw_oauthrouter.edits.journal import Journal

    if path.suffix not in (".toml", ".json"):
        raise UsageProblem(f"{path} is neither TOML nor JSON", "change it by hand")
    return SettingsFile(path, Journal(home / "changes"), load_settings, time.time)


def change_file(path: Path, key: str, value: Any) -> None:
    """Set a key of a configuration file, or take it out; comments and layout stay.

    :param value: ``None`` takes the key out
    :raises ConfigurationError: the configuration is not valid with it; the file is as it was
    """
    from openclaw_oauthrouter.config.loading import load_settings

    home = (load_settings(path) if path.exists() else load_settings(None)).settings.home
    _change(_file_at(path, home), [_setting(tuple(key.split(".")), value)], dry_run=False)


def config_path(obj: dict[str, Any]) -> Path:
    """The configuration file of a command, whether it is there or not."""
    return _path(obj)


def _path(obj: dict[str, Any]) -> Path:
    from openclaw_oauthrouter.config.loading import load_settings

    named = obj.get("config") or os.environ.get("OAUTHROUTER_CONFIG")
    if named:
        return Path(named)
    loaded = load_settings(None)
    return loaded.path or loaded.settings.home / "config.toml"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # may hold keys
        file.write(text)


def _parsed(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _words_of(key: str) -> tuple[str, ...]:
    """``routing.aliases."gpt-4.1"`` as three words."""
    try:
        tree: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        raise UsageProblem(
            f"{key!r} is not the name of a setting; write it like spend_controls.daily_cost_budget",
            "openclaw-oauthrouter config show --all",
        ) from None
    words = []
    while isinstance(tree, dict):
        [(word, tree)] = tree.items()
        words.append(word)
    from openclaw_oauthrouter.changes.setting_paths import check_path

    try:
        return check_path(words)
    except InvalidRequestError as error:
        raise UsageProblem(error.message, "openclaw-oauthrouter config show --all") from None
