"""``openclaw``: connect OpenClaw to this gateway, and disconnect it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import click

from openclaw_oauthrouter.cli.file_changes import file_options, journal_of, offer, take_back, yes_option
from openclaw_oauthrouter.cli.grammar import confirm
from openclaw_oauthrouter.config.loading import LoadedSettings, load_settings
from openclaw_oauthrouter.config.places import openclaw_config_file, openclaw_state_dir
from openclaw_oauthrouter.edits.json5_text import read
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.command import OpenClaw, find_openclaw
from openclaw_oauthrouter.openclaw.former import DEFAULT_MODEL, former_things, unimported_profiles, without_refused
from openclaw_oauthrouter.openclaw.installation import ROUTES, Installation, Route, installed_route, selected
from openclaw_oauthrouter.openclaw.manifest import SHIM
from openclaw_oauthrouter.openclaw.names import PROVIDER_ID
from openclaw_oauthrouter.proxy.local_token import kept_token, token_path
from openclaw_oauthrouter.runtime import new_token

CHANGE = "openclaw"

route_option = click.option(
    "--route",
    type=click.Choice(ROUTES),
    default="linked",
    show_default=True,
    help="linked: OpenClaw loads the plugin from this package; copied: its own installer copies it; "
    "local-service: no plugin, OpenClaw starts the gateway at the first request.",
)
default_model_option = click.option("--default-model", is_flag=True, help=f"Also make {DEFAULT_MODEL} the agents' model.")


@click.group("openclaw")
def command() -> None:
    """Connect OpenClaw to this gateway."""


@command.command("install")
@route_option
@default_model_option
@file_options
@click.pass_obj
def install(obj: dict[str, Any], route: Route, default_model: bool, yes: bool, undo: bool) -> None:
    """Make OpenClaw offer oauthrouter/auto and run the gateway.

    The comments and the order of openclaw.json stay. `uninstall` undoes everything.
    """
    loaded = load_settings(obj.get("config"))
    if undo:
        _uninstall(loaded, yes=yes)
        return
    if route == "copied":
        _copy_plugin(loaded, yes=yes)
    journal = journal_of(loaded.settings)
    path, now = _document(loaded)
    document = read(journal.without(CHANGE, path))
    for former in former_things(document, plugin=route != "local-service"):
        click.echo(f"Note: {former.explanation}\n")
    _name_unimported(loaded)
    if loaded.settings.server.auth_token is None:
        # OpenClaw reads the file before the gateway has been started for the first time.
        kept_token(loaded.settings.home, new_token())
    is_default = default_model or selected(now)
    edits = _installation(loaded, obj, is_default).edits(route, document)
    if offer(journal, journal.plan(CHANGE, path, edits), yes=yes):
        click.echo(_what_next(is_default))


@command.command("uninstall")
@yes_option
@click.pass_obj
def uninstall(obj: dict[str, Any], yes: bool) -> None:
    """Undo what `install` did."""
    _uninstall(load_settings(obj.get("config")), yes=yes)


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status(obj: dict[str, Any], as_json: bool) -> None:
    """Show whether and how OpenClaw is connected."""
    loaded = load_settings(obj.get("config"))
    path, document = _document(loaded)
    host = find_openclaw(loaded.environ)
    version = host.version() if host else None
    facts: dict[str, Any] = {
        "openclaw": str(host.path) if host else None,
        "version": ".".join(map(str, version)) if version else None,
        "config": str(path),
        "route": installed_route(document),
        "default_model": selected(document),
        "problem": " ".join(former.explanation for former in former_things(document, plugin=_by_plugin(document))) or None,
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):14} {'-' if value is None else value}")


@command.command("print-config")
@route_option
@default_model_option
@click.pass_obj
def print_config(obj: dict[str, Any], route: Route, default_model: bool) -> None:
    """Print what `install` would write to an empty openclaw.json."""
    text = "{\n}\n"
    for edit in _installation(load_settings(obj.get("config")), obj, default_model).edits(route, {}):
        text = edit.apply(text)
    click.echo(text, nl=False)


def _installation(loaded: LoadedSettings, obj: dict[str, Any], default_model: bool) -> Installation:
    return Installation(
        loaded.settings,
        token_path(loaded.settings.home),
        default_model=default_model,
        config=obj.get("config"),
        environ=loaded.environ,
    )


def _document(loaded: LoadedSettings) -> tuple[Path, dict[str, Any]]:
    path = openclaw_config_file(loaded.settings, loaded.environ)
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return path, cast("dict[str, Any]", read(text))
    except (OSError, UnicodeDecodeError, ConfigurationError) as error:
        raise ConfigurationError(f"{str(path)!r} cannot be read: {error}") from error


def _copy_plugin(loaded: LoadedSettings, *, yes: bool) -> None:
    arguments = ["plugins", "install", "--force", "--accept-capabilities", str(SHIM)]
    click.echo(f"OpenClaw's installer rewrites openclaw.json and drops its comments: openclaw {' '.join(arguments)}")
    if not yes and not confirm("Run it?", default=True):
        raise click.Abort
    _run(_required(loaded), arguments)


def _by_plugin(document: dict[str, Any]) -> bool:
    return installed_route(document) in ("linked", "copied")


def _name_unimported(loaded: LoadedSettings) -> None:
    for path in unimported_profiles(openclaw_state_dir(loaded.settings, loaded.environ)):
        click.secho(
            f"Note: {path} comes from an older OpenClaw, and the present one does not start while it exists. Run 'openclaw doctor --fix'. It "
            "renews sign-ins at once, so be online.\n",
            fg="yellow",
        )


def _uninstall(loaded: LoadedSettings, *, yes: bool) -> None:
    path, document = _document(loaded)
    copied = installed_route(document) == "copied"
    done = take_back(journal_of(loaded.settings), CHANGE, path, yes=yes, fit=_acceptable)
    if copied and done:
        _run(_required(loaded), ["plugins", "uninstall", "--force", PROVIDER_ID])


def _acceptable(text: str) -> str:
    """What is put back, without what OpenClaw would refuse its whole file over."""
    fitting, left_out = without_refused(text)
    if left_out:
        click.echo(f"Not restored, because OpenClaw refuses it: {', '.join(left_out)}\n")
    return fitting


def _required(loaded: LoadedSettings) -> OpenClaw:
    host = find_openclaw(loaded.environ)
    if host is None:
        raise ConfigurationError("the command 'openclaw' is not on the search path; install OpenClaw or use --route linked")
    return host


def _run(host: OpenClaw, arguments: list[str]) -> None:
    done = host.run(arguments)
    if done.returncode:
        raise ConfigurationError(f"'openclaw {' '.join(arguments[:2])}' failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _what_next(is_default: bool) -> str:
    select = "" if is_default else f"Select the model with: openclaw models set {DEFAULT_MODEL}\n"
    return f"{select}Restart OpenClaw's gateway to load it: openclaw gateway restart"
