"""``service``: let the operating system start the gateway at login and keep it running (systemd user unit, launchd agent)."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.cli.file_changes import journal_of, offer, take_back, yes_option
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.edits.edit import ReplaceText
from openclaw_oauthrouter.openclaw.launch import passed_on, serve_arguments

CHANGE = "service"
LABEL = "openclaw-oauthrouter"


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """How one operating system keeps a program running.

    :ivar path: its description file, relative to the home folder
    :ivar start: commands after the file was written; ``{path}`` is the file
    :ivar stop: commands before it is removed
    :ivar query: tells by its exit code whether the service runs
    """

    path: str
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]
    query: tuple[str, ...]


SYSTEMD = ServiceManager(
    path=f".config/systemd/user/{LABEL}.service",
    start=(("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "enable", "--now", LABEL)),
    stop=(("systemctl", "--user", "disable", "--now", LABEL),),
    query=("systemctl", "--user", "is-active", "--quiet", LABEL),
)
LAUNCHD = ServiceManager(
    path=f"Library/LaunchAgents/{LABEL}.plist",
    start=(("launchctl", "load", "-w", "{path}"),),
    stop=(("launchctl", "unload", "-w", "{path}"),),
    query=("launchctl", "list", LABEL),
)
MANAGERS: Mapping[str, ServiceManager] = {"linux": SYSTEMD, "darwin": LAUNCHD}


@click.group("service")
def command() -> None:
    """Run the gateway as a service of your login."""


@command.command("install")
@click.option("--print", "only_print", is_flag=True, help="Print the file instead of installing it.")
@yes_option
@click.pass_obj
def install(obj: dict[str, Any], only_print: bool, yes: bool) -> None:
    """Start the gateway at login, now, and again whenever it ends."""
    loaded = load_settings(obj.get("config"))
    manager, path = _manager()
    text = describe(manager, loaded.environ, obj.get("config"))
    if only_print:
        click.echo(text, nl=False)
        return
    journal = journal_of(loaded.settings)
    if offer(journal, journal.plan(CHANGE, path, [ReplaceText(text=text)]), yes=yes):
        _run_all(manager.start, path)


@command.command("uninstall")
@yes_option
@click.pass_obj
def uninstall(obj: dict[str, Any], yes: bool) -> None:
    """Stop the service and remove it."""
    loaded = load_settings(obj.get("config"))
    manager, path = _manager()
    if path.is_file() and (yes or click.confirm("Stop the service?", default=True)):
        _run_all(manager.stop, path)
        take_back(journal_of(loaded.settings), CHANGE, path, yes=True)
    else:
        click.echo("Nothing was changed.")


@command.command("status")
@click.pass_context
def status(context: click.Context) -> None:
    """Say whether the service is installed and runs; ends with 1 when it does not run."""
    manager, path = _manager()
    running = path.is_file() and _run(manager.query) == 0
    click.echo(f"installed: {path if path.is_file() else 'no'}\nrunning: {'yes' if running else 'no'}")
    context.exit(0 if running else 1)


def describe(manager: ServiceManager, environ: Mapping[str, str], config: Path | None = None) -> str:
    """The description file.

    :param config: the file named with ``--config``
    """
    words = [sys.executable, *serve_arguments(config)]
    variables = passed_on(environ)
    return _unit(words, variables) if manager is SYSTEMD else _agent(words, variables)


def _unit(words: Sequence[str], variables: Mapping[str, str]) -> str:
    settings = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    return f"""\
[Unit]
Description=OAuthRouter, a local gateway to language models
After=network-online.target

[Service]
ExecStart={" ".join(map(_quoted, words))}
{settings}Restart=on-failure
RestartSec=2
TimeoutStopSec=30
NoNewPrivileges=true

[Install]
WantedBy=default.target
"""


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if escaped != word or " " in word else word


def _agent(words: Sequence[str], variables: Mapping[str, str]) -> str:
    agent = {
        "Label": LABEL,
        "ProgramArguments": list(words),
        "EnvironmentVariables": dict(variables),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 2,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()


def _manager() -> tuple[ServiceManager, Path]:
    manager = MANAGERS.get(sys.platform)
    if manager is None:
        raise ConfigurationError(
            f"services are managed on Linux and macOS, not on {sys.platform!r}; run serve from your own tool"
        )
    return manager, Path.home() / manager.path


def _run_all(commands: Sequence[Sequence[str]], path: Path) -> None:
    for template in commands:
        words = [word.format(path=path) for word in template]
        if _run(words):
            raise ConfigurationError(f"'{' '.join(words)}' failed; the file {str(path)!r} is in place")


def _run(words: Sequence[str]) -> int:
    program = shutil.which(words[0])
    if program is None:
        raise ConfigurationError(f"{words[0]!r} is not on the search path; print the file with --print and install it by hand")
    return subprocess.run([program, *words[1:]], check=False).returncode  # noqa: S603 fixed words, no shell
