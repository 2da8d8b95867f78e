"""``setup``: point other programs at this gateway, one command a program, each shown, asked for and undoable."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.assembly import new_token
from openclaw_oauthrouter.cli.file_changes import file_options, journal_of, offer, take_back
from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.openclaw.edits.edit import Edit, PutJson, PutTomlBlock, PutTomlKey
from openclaw_oauthrouter.openclaw.launch import token_command
from openclaw_oauthrouter.openclaw.provider_entry import LABEL, PROVIDER_ID, TOKEN_VARIABLE, base_url
from openclaw_oauthrouter.proxy.local_token import kept_token, token_path

CLAUDE_CODE = "claude-code"
CODEX = "codex"


@click.group("setup")
def command() -> None:
    """Point other programs at this gateway."""


@command.command(CLAUDE_CODE)
@click.option("--default-model", is_flag=True, help="Also let the gateway choose the model of every request.")
@file_options
@click.pass_obj
def claude_code(obj: dict[str, Any], default_model: bool, yes: bool, undo: bool) -> None:
    """Point Claude Code at this gateway (~/.claude/settings.json)."""
    loaded = command_settings(obj)
    folder = loaded.environ.get("CLAUDE_CONFIG_DIR")
    path = (Path(folder) if folder else Path.home() / ".claude") / "settings.json"
    done = _change(loaded, CLAUDE_CODE, path, claude_code_edits(loaded, default_model=default_model), yes=yes, undo=undo)
    if done and not undo and loaded.environ.get(TOKEN_VARIABLE):
        click.echo(f"The local token is that of {TOKEN_VARIABLE}: set it wherever Claude Code is started, too.")


@command.command(CODEX)
@click.option("--default-model", is_flag=True, help="Also make this gateway Codex's provider and 'auto' its model.")
@file_options
@click.pass_obj
def codex(obj: dict[str, Any], default_model: bool, yes: bool, undo: bool) -> None:
    """Tell Codex CLI of this gateway (~/.codex/config.toml)."""
    loaded = command_settings(obj)
    folder = loaded.environ.get("CODEX_HOME")
    path = (Path(folder) if folder else Path.home() / ".codex") / "config.toml"
    done = _change(loaded, CODEX, path, codex_edits(loaded, default_model=default_model), yes=yes, undo=undo)
    if done and not undo:
        use = "" if default_model else f"; use it with: codex -c model_provider={PROVIDER_ID} -m auto"
        click.echo(f"Codex reads the local token from {TOKEN_VARIABLE} (openclaw-oauthrouter setup env){use}")


@command.command("env")
@click.pass_obj
def env(obj: dict[str, Any]) -> None:
    """Print the exports that point OpenAI and Anthropic SDKs at this gateway: eval "$(openclaw-oauthrouter setup env)".

    A key of your own in ANTHROPIC_API_KEY is unset: Anthropic's SDKs would prefer it, and send it here.
    """
    loaded = command_settings(obj)
    address = base_url(loaded.settings)
    token = _token(loaded)
    for name, value in {
        TOKEN_VARIABLE: token,
        "OPENAI_BASE_URL": address,
        "OPENAI_API_KEY": token,
        "ANTHROPIC_BASE_URL": address.removesuffix("/v1"),
        "ANTHROPIC_AUTH_TOKEN": token,
    }.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo("unset ANTHROPIC_API_KEY")


def claude_code_edits(loaded: LoadedSettings, *, default_model: bool) -> tuple[Edit, ...]:
    """What Claude Code has to be told; the token stays in its own file, which a helper command reads."""
    edits: list[Edit] = [PutJson(path=("env", "ANTHROPIC_BASE_URL"), value=base_url(loaded.settings).removesuffix("/v1"))]
    if loaded.settings.server.auth_token is None:
        helper = f"cat {shlex.quote(str(token_path(loaded.settings.home)))}"
    else:
        helper = token_command(sys.executable, loaded.path)
    edits.append(PutJson(path=("apiKeyHelper",), value=helper))
    if default_model:
        edits.append(PutJson(path=("model",), value="auto"))
    return tuple(edits)


def codex_edits(loaded: LoadedSettings, *, default_model: bool) -> tuple[Edit, ...]:
    """What Codex CLI has to be told."""
    table = {"name": LABEL, "base_url": base_url(loaded.settings), "wire_api": "responses", "env_key": TOKEN_VARIABLE}
    # A TOML basic string is written as a JSON string.
    lines = [f"[model_providers.{PROVIDER_ID}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    edits: list[Edit] = [PutTomlBlock(body="\n".join(lines))]
    if default_model:
        edits += [PutTomlKey(key="model_provider", value=PROVIDER_ID), PutTomlKey(key="model", value="auto")]
    return tuple(edits)


def _change(loaded: LoadedSettings, name: str, path: Path, edits: Sequence[Edit], *, yes: bool, undo: bool) -> bool:
    journal = journal_of(loaded.settings)
    if undo:
        return take_back(journal, name, path, yes=yes)
    _token(loaded)
    return offer(journal, journal.plan(name, path, edits), yes=yes)


def _token(loaded: LoadedSettings) -> str:
    """The local token; made now if the gateway has not been started yet."""
    configured = loaded.settings.server.auth_token
    return configured.get_secret_value() if configured else kept_token(loaded.settings.home, new_token()).reveal()
