"""``config``: what is configured, where it came from, and changing it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.grammar import UsageProblem

if TYPE_CHECKING:
    from openclaw_oauthrouter.config.loading import LoadedSettings

TEMPLATE = """\
# OAuthRouter. Every setting: openclaw-oauthrouter config show --all, and docs/configuration.md.
# A running gateway takes a change over within seconds.

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
@click.option("--all", "show_all", is_flag=True, help="Defaults too.")
@click.pass_obj
def show(obj: dict[str, Any], as_json: bool, show_all: bool) -> None:
    """Print the effective settings with the source of each; secrets are masked."""
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
        table.add_row(row.key, str(row.value), row.source)
    create_console().print(table)
    if not show_all:
        click.echo("everything else has its default (--all shows them)")
    _say_dangling_names(loaded)


def _say_dangling_names(loaded: LoadedSettings) -> None:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.catalog.references import check_references
    from openclaw_oauthrouter.plugins import create_plugin_manager

    for problem in check_references(loaded.settings, Builder(loaded.settings, create_plugin_manager()).providers):
        click.secho(f"{'wrong' if problem.wrong else 'doubtful'}: {problem}", fg="red" if problem.wrong else "yellow", err=True)


def _files(loaded: LoadedSettings) -> str:
    own = str(loaded.path or "no file")
    return f"{own}, under {loaded.host}" if loaded.host else own


@command.command("path")
@click.pass_obj
def path_(obj: dict[str, Any]) -> None:
    """Print the path of the configuration file, whether it is there or not."""
    click.echo(_path(obj))


@command.command("init")
@click.pass_obj
def init(obj: dict[str, Any]) -> None:
    """Write a configuration file with the commonest settings, all of them commented out."""
    path = _path(obj)
    if path.exists():
        raise UsageProblem(f"{path} is there already; change it with 'config edit' or 'config set'")
    _write(path, TEMPLATE)
    click.echo(f"Wrote {path}.")


@command.command("edit")
@click.pass_obj
def edit(obj: dict[str, Any]) -> None:
    """Open the configuration file in VISUAL or EDITOR, and check it afterwards."""
    from openclaw_oauthrouter.config.loading import load_settings

    path = _path(obj)
    if not path.exists():
        _write(path, TEMPLATE)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603 - the user's own editor
    if done.returncode:
        raise click.ClickException(f"{editor!r} ended with {done.returncode}; set EDITOR to the editor you use")
    load_settings(path)
    click.echo(f"{path} is valid.")


@command.command("set")
@click.argument("key")
@click.argument("value")
@click.pass_obj
def set_(obj: dict[str, Any], key: str, value: str) -> None:
    """Set KEY, such as spend_controls.daily_cost_budget, to VALUE (TOML; a bare word is a string).

    The file is changed only if the configuration is valid with it; comments and layout stay.
    """
    path = _path(obj)
    change_file(path, key, _parsed(value))
    click.echo(f"{key} is set in {path}.")


def change_file(path: Path, key: str, value: Any) -> None:
    """Set a key of a TOML configuration file, or take it out; comments and layout stay.

    :param value: ``None`` takes the key out
    :raises ConfigurationError: the configuration is not valid with it; the file is as it was
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    from openclaw_oauthrouter.config.loading import load_settings

    if path.suffix != ".toml":
        raise UsageProblem(f"{path} is not TOML; change it by hand")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        document = tomlkit.parse(before)
        if value is None:
            _take_out(document, key.split("."))
        else:
            _put(document, key.split("."), value)
    except TOMLKitError as error:
        raise click.ClickException(f"{path} cannot be changed: {error}") from error
    # Tried beside the file first: what is wrong changes nothing.
    trial = path.with_name(f".{path.name}.try")
    _write(trial, tomlkit.dumps(document))
    try:
        load_settings(trial)
        trial.replace(path)
    finally:
        trial.unlink(missing_ok=True)


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
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(f"value = {value}")["value"]
    except TOMLKitError:
        return value


def _put(table: Any, words: list[str], value: Any) -> None:
    import tomlkit

    for word in words[:-1]:
        if word not in table:
            table[word] = tomlkit.table()
        table = table[word]
        if not hasattr(table, "items"):
            raise UsageProblem(f"{word!r} is a value, not a table; nothing can stand below it")
    table[words[-1]] = value


def _take_out(table: Any, words: list[str]) -> None:
    for word in words[:-1]:
        table = table.get(word, {})
    table.pop(words[-1], None)
