"""``setup``: point other programs at this gateway, one command a program, each shown, asked for and undoable."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.cli.clients import CLIENTS, find_client
from openclaw_oauthrouter.cli.clients.client import Client, Place, Target, usual_variables
from openclaw_oauthrouter.cli.clients.target import target_of
from openclaw_oauthrouter.cli.file_changes import journal_of, offer, take_back, undo_option, yes_option
from openclaw_oauthrouter.cli.grammar import complete
from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.openclaw.names import TOKEN_VARIABLE


class ClientGroup(click.Group):
    """A command for each row of the table of clients."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The clients, then what is no client."""
        return [*CLIENTS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A client's command, also by the name of its program."""
        client = find_client(cmd_name)
        return super().get_command(ctx, cmd_name) if client is None else complete(_command(client))


@click.group("setup", cls=ClientGroup)
def command() -> None:
    """Point other programs at this gateway."""


@command.command("env")
@click.pass_obj
def env(obj: dict[str, Any]) -> None:
    """Print the exports that point OpenAI and Anthropic SDKs at this gateway: eval "$(openclaw-oauthrouter setup env)".

    ANTHROPIC_API_KEY is unset, because Anthropic's SDKs would prefer your own key and send it here.
    """
    variables = usual_variables(target_of(command_settings(obj)))
    for name, value in variables.items():
        click.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


def _command(client: Client) -> click.Command:
    @click.pass_obj
    def run(obj: dict[str, Any], yes: bool = False, undo: bool = False, default_model: bool = False) -> None:
        loaded = command_settings(obj)
        if client.guide is not None:
            click.echo(client.guide(target_of(loaded)))
            return
        set_up(client, loaded, yes=yes, undo=undo, select=default_model)

    made: click.Command = click.command(client.name, help=_help(client))(run)
    if client.guide is None:
        made = yes_option(undo_option(made))
    if client.selects:
        made = click.option("--default-model", is_flag=True, help="Also let the gateway choose the model for every request.")(
            made
        )
    return made


def _help(client: Client) -> str:
    if client.guide is not None:
        return f"Explain how to point {client.label} at this gateway. A command cannot change its settings."
    return f"Point {client.label} at this gateway."


def set_up(client: Client, loaded: LoadedSettings, *, yes: bool, undo: bool, select: bool) -> None:
    """Change a client's files so that it uses the gateway, each shown and asked for.

    :param undo: take the change back instead
    :param select: let the gateway choose the model of every request
    """
    journal, place = journal_of(loaded.settings), Place(Path.home(), loaded.environ)
    if undo:
        for change in client.files(Target("", "", ("true",)), place):
            take_back(journal, client.name, change.path, yes=yes, holds_keys=change.holds_keys)
        return
    target = target_of(loaded, select=select)
    done = [
        offer(
            journal,
            journal.plan(client.name, change.path, change.edits),
            yes=yes,
            secret=target.token,
            holds_keys=change.holds_keys,
        )
        for change in client.files(target, place)
    ]
    if not all(done):
        return
    if client.afterwards is not None and client.afterwards(target):
        click.echo(client.afterwards(target))
    if target.token_file is None and loaded.environ.get(TOKEN_VARIABLE):
        click.echo(f"The local token comes from {TOKEN_VARIABLE}. Set this variable wherever {client.label} is started, too.")
