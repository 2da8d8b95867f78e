"""Leads somebody without credentials to the first answer: a menu of the ways there are on this machine, then the clients."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.changes.credentials import NO_KEY, keep
from openclaw_oauthrouter.cli.first_minute.asking import choose, choose_some, say
from openclaw_oauthrouter.cli.first_minute.found import LocalServer, clients_here, has_openclaw, local_servers
from openclaw_oauthrouter.cli.first_minute.keys import keep_list, take_key, title_of
from openclaw_oauthrouter.cli.first_minute.missing import unusable_lines
from openclaw_oauthrouter.cli.grammar import confirm, show_problem
from openclaw_oauthrouter.cli.setup import set_up
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.credentials.sources.store import StoreFile
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.upstream.key_check import KeyCheck

Outcome = Literal["demo", "ready", "later"]

_NO_MODEL_YET = {"ollama": "ollama pull llama3.2", "lmstudio": "load a model in LM Studio"}


@value(frozen=True, slots=True)
class Way:
    """One way to get answers.

    :ivar take: leads there; ``None`` goes back to the menu
    """

    word: str
    meaning: str
    take: Callable[[], Outcome | None]


def lead(obj: dict[str, Any], loaded: LoadedSettings) -> Outcome:
    """Ask where answers shall come from, until one way is taken, then offer to set up the clients that are here.

    :raises click.Abort: Ctrl-C or Ctrl-D; nothing half-done is left
    """
    builder = Builder(loaded.settings, create_plugin_manager())
    click.secho("No provider can be used yet. Where should answers come from?", bold=True)
    for line in unusable_lines(builder.credentials, loaded.settings):
        say(line.strip(), indent="  ")
    outcome = _take_one_way(obj, loaded, builder)
    if outcome == "ready":
        _offer_clients(loaded)
    return outcome


def _take_one_way(obj: dict[str, Any], loaded: LoadedSettings, builder: Builder) -> Outcome:
    ways = _ways(obj, loaded, builder)
    while True:
        way = ways[choose([(way.word, way.meaning) for way in ways])]
        try:
            outcome = way.take()
        except click.ClickException as error:
            show_problem(error.format_message())
        except OAuthRouterError as error:
            show_problem(error.message)
        else:
            if outcome is not None:
                return outcome


def _ways(obj: dict[str, Any], loaded: LoadedSettings, builder: Builder) -> list[Way]:
    settings, providers = loaded.settings, builder.providers
    ways = [
        Way("demo", "built-in answers, to look around; no account needed", lambda: "demo"),
        Way("key", "paste an API key: Anthropic, OpenAI, Gemini, OpenRouter, …", lambda: _done(take_key(settings, providers))),
        Way("chatgpt", "sign in with ChatGPT, to use a Plus or Pro plan", lambda: _sign_in(obj)),
    ]
    if has_openclaw(settings, loaded.environ):
        ways.append(Way("openclaw", "use OpenClaw's credentials", lambda: _use_openclaw(loaded)))
    for server in local_servers(settings, providers):
        count = len(server.models)
        has = "no model yet" if count == 0 else "1 model" if count == 1 else f"{count} models"
        name = server.provider.name
        meaning = f"{title_of(name)} answers at {server.provider.origin}: {has}"
        ways.append(Way(name, meaning, lambda server=server: _use_local(settings, server)))  # type: ignore[misc]
    ways.append(
        Way("later", "start without one; add it while the gateway runs, with 'openclaw-oauthrouter auth add'", lambda: "later")
    )
    return ways


def _done(kept: bool) -> Outcome | None:
    return "ready" if kept else None


def _sign_in(obj: dict[str, Any]) -> Outcome | None:
    from openclaw_oauthrouter.cli.auth import login

    # On the far side of an ssh connection no browser comes back to this machine.
    words = ["openai", *(["--paste"] if os.environ.get("SSH_CONNECTION") else [])]
    login.main(args=words, prog_name="openclaw-oauthrouter auth login", standalone_mode=False, obj=obj)
    return "ready"


def _use_openclaw(loaded: LoadedSettings) -> Outcome | None:
    """Let OpenClaw sign in, unless it has credentials that only our own order of sources leaves out."""
    order = loaded.settings.credentials.order
    if "openclaw" not in order or "auth-profiles" not in order:
        show_problem("credentials.order leaves OpenClaw's sources out", "openclaw-oauthrouter config edit")
        return None
    program = shutil.which("openclaw", path=loaded.environ.get("PATH"))
    if program is None:
        show_problem("OpenClaw's settings are here, but not the program", "put 'openclaw' on the search path")
        return None
    say("OpenClaw has no credential that can be used. It signs in with: openclaw models auth login")
    if not confirm("Run that now?", default=True):
        return None
    code = subprocess.run([program, "models", "auth", "login"], env=dict(loaded.environ), check=False).returncode  # noqa: S603 a fixed program
    if Builder(loaded.settings, create_plugin_manager()).usable_now():
        say("OpenClaw is signed in now; it keeps and renews its credentials itself.")
        return "ready"
    ended = f" (it ended with {code})" if code else ""
    show_problem(f"OpenClaw still has no credential that can be used here{ended}", "openclaw models auth list")
    return None


def _use_local(settings: Settings, server: LocalServer) -> Outcome | None:
    name = server.provider.name
    if not server.models:  # one may have come since the menu was shown
        server = next(iter(local_servers(settings, {name: server.provider})), server)
    if not server.models:
        show_problem(f"{title_of(name)} has no model yet", _NO_MODEL_YET.get(name, "start it with a model"))
        return None
    keep(StoreFile(settings.home), name, NO_KEY)
    keep_list(settings, server.provider, KeyCheck("accepted", models=server.models))
    say(f"{title_of(name)} answers from now on, with {server.models[0].id!r}{' and others' if len(server.models) > 1 else ''}.")
    return "ready"


def _offer_clients(loaded: LoadedSettings) -> None:
    clients = clients_here(loaded.environ, Path.home())
    if not clients:
        return
    if loaded.settings.server.port == 0:
        say("Programs on this machine can use the gateway once it has a port of its own, for example with 'serve --port 8402'.")
        return
    say("These programs on this machine can use the gateway. You see each change first, and 'setup NAME --undo' takes it back.")
    chosen = choose_some([client.label for client in clients], "Set up which (numbers, all, none)")
    for number in chosen:
        set_up(clients[number], loaded, yes=False, undo=False, select=False)
