"""``service``: let the operating system start the gateway at login and keep it running (systemd user unit, launchd agent)."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.cli.file_changes import journal_of, offer, take_back, yes_option
from openclaw_oauthrouter.cli.grammar import Failure, confirm
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.edits.edit import ReplaceText
from openclaw_oauthrouter.openclaw.launch import passed_on, serve_arguments

CHANGE = "service"
LABEL = "openclaw-oauthrouter"


@value(frozen=True, slots=True)
class ServiceManager:
    """How one operating system keeps a program running.

    :ivar path: its description file, relative to the home folder
    :ivar reset: commands before ``start``, for a service that runs already; they fail when none does
    :ivar start: commands after the file was written; ``{path}`` is the file
    :ivar stop: commands before it is removed
    :ivar forget: commands after it was removed
    :ivar query: tells by its exit code whether the service runs
    """

    path: str
    reset: tuple[tuple[str, ...], ...]
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]
    forget: tuple[tuple[str, ...], ...]
    query: tuple[str, ...]


_RELOAD = ("systemctl", "--user", "daemon-reload")


SYSTEMD = ServiceManager(
    path=f".config/systemd/user/{LABEL}.service",
    reset=(),
    start=(_RELOAD, ("systemctl", "--user", "enable", LABEL), ("systemctl", "--user", "restart", LABEL)),
    stop=(("systemctl", "--user", "disable", "--now", LABEL),),
    forget=(_RELOAD,),
    query=("systemctl", "--user", "is-active", "--quiet", LABEL),
)
LAUNCHD = ServiceManager(
    path=f"Library/LaunchAgents/{LABEL}.plist",
    reset=(("launchctl", "unload", "{path}"),),
    start=(("launchctl", "load", "-w", "{path}"),),
    stop=(("launchctl", "unload", "-w", "{path}"),),
    forget=(),
    query=("launchctl", "list", LABEL),
)
MANAGERS: Mapping[str, ServiceManager] = {"linux": SYSTEMD, "darwin": LAUNCHD}


@click.group("service")
def command() -> None:
    """Run the gateway as a service of your user account."""


@command.command("install")
@click.option("--print", "only_print", is_flag=True, help="Only print the service file.")
@yes_option
@click.pass_obj
def install(obj: dict[str, Any], only_print: bool, yes: bool) -> None:
    """Start the gateway now and at every login, and restart it whenever it ends. A running service is restarted."""
    loaded = load_settings(obj.get("config"))
    manager, path = _manager()
    text = describe(manager, loaded.environ, obj.get("config"))
    if only_print:
        click.echo(text, nl=False)
        return
    journal = journal_of(loaded.settings)
    if offer(journal, journal.plan(CHANGE, path, [ReplaceText(text=text)]), yes=yes):
        _attempt(manager.reset, path)
        problem = _attempt(manager.start, path)
        if problem:
            raise Failure(f"{problem}; the file {str(path)!r} is in place")


@command.command("uninstall")
@yes_option
@click.pass_obj
def uninstall(obj: dict[str, Any], yes: bool) -> None:
    """Stop the service and remove it."""
    loaded = load_settings(obj.get("config"))
    manager, path = _manager()
    if path.is_file() and (yes or confirm("Stop the service?", default=True)):
        problem = _attempt(manager.stop, path)
        if problem:
            click.secho(f"{problem}; if a gateway is still running, stop it by hand", fg="yellow", err=True)
        take_back(journal_of(loaded.settings), CHANGE, path, yes=True)
        _attempt(manager.forget, path)
    else:
        click.echo("Nothing was changed.")


@command.command("status")
@click.pass_context
def status(context: click.Context) -> None:
    """Show whether the service is installed and running. Ends with 1 if it is not running."""
    manager, path = _manager()
    done = _run(manager.query) if path.is_file() else None
    running = done is not None and done.returncode == 0
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
        raise Failure(
            f"services are managed on Linux and macOS, not on {sys.platform!r}",
            "start 'openclaw-oauthrouter serve' from a tool of this system",
        )
    return manager, Path.home() / manager.path


def _attempt(commands: Sequence[Sequence[str]], path: Path) -> str | None:
    """Run commands up to the first that fails; says which one and why."""
    for template in commands:
        words = [word.format(path=path) for word in template]
        done = _run(words)
        if done is None:
            return f"{words[0]!r} is not on the search path"
        if done.returncode:
            return f"'{' '.join(words)}' failed ({' '.join(done.stderr.split()) or f'exit code {done.returncode}'})"
    return None


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    program = shutil.which(words[0])
    if program is None:
        return None
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)  # noqa: S603 fixed words, no shell
