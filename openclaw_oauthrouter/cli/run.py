"""``run``: start a client that uses this gateway, for this once; nothing of the client's is written."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import click

from openclaw_oauthrouter.cli.clients import CLIENTS, find_client, nearest
from openclaw_oauthrouter.cli.clients.client import Client, Target
from openclaw_oauthrouter.cli.clients.target import target_of
from openclaw_oauthrouter.cli.grammar import Failure, UsageProblem
from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.errors import GatewayUnavailableError
from openclaw_oauthrouter.openclaw.launch import serve_arguments

START_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_DOCTOR = "openclaw-oauthrouter doctor"
_END_SECONDS = 5.0
_PATIENCE = 10.0
"""Seconds in which a gateway on a busy machine answers."""
_SIGNALLED = 128
"""Exit code of a program that a signal ended, less the signal's number: a shell's convention."""
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")

ANYTHING = Client("-- CMD", "any program")
"""What is not in the table gets the variables that SDKs read."""


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--model", default="auto", show_default=True, help="The model that the client asks for.")
@click.option("--demo", is_flag=True, help="If no gateway is running, start a demo, which needs no credentials.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, required=True, metavar="CLIENT [ARGUMENTS]… | -- COMMAND…")
@click.pass_context
def command(context: click.Context, model: str, demo: bool, words: tuple[str, ...]) -> None:
    """Start a client that uses this gateway, for this one run.

    If no gateway is running, one is started and ends with the client. The client gets what it needs through its environment,
    its arguments or temporary files. Its own settings are not changed.

    \b
    openclaw-oauthrouter run claude
    openclaw-oauthrouter run codex exec "say hi"
    openclaw-oauthrouter run -- python my_agent.py
    """
    client, program, arguments = chosen(words)
    loaded = command_settings(context.obj, announce=False)
    target = target_of(loaded, model=model)
    ours = client.arguments(target, arguments)
    profile = client.profile(target)
    serving = answers(target)
    if serving and not profile and os.name == "posix":
        # Nothing has to be cleaned up afterwards: the client takes this process's place, its signals and its exit code.
        os.execve(program, [program, *ours, *arguments], environment_of(client, target, os.environ))  # noqa: S606 - no shell is wanted
    with ExitStack() as stack:
        if not serving:
            stack.enter_context(running_gateway(loaded, target, demo))
        folder = stack.enter_context(profile_folder(profile))
        whole = [program, *(word.replace("{profile}", folder) for word in ours), *arguments]
        code = wait_for(whole, environment_of(client, target, os.environ, folder))
    context.exit(code)


def chosen(words: Sequence[str]) -> tuple[Client, str, Sequence[str]]:
    """The client, the path of its program, and the user's own arguments.

    :raises UsageProblem: there is no such client or program
    :raises Failure: the client is not installed
    """
    name, *arguments = words
    client = find_client(name)
    if client is not None and not client.programs:
        raise UsageProblem(f"{client.label} is not started from a shell", f"openclaw-oauthrouter setup {client.name}")
    for program in client.programs if client is not None else (name,):
        found = shutil.which(program)
        if found is not None:
            return client or ANYTHING, found, arguments
    if client is not None:
        raise Failure(f"{client.label} is not installed: there is no {client.programs[0]!r} on the search path")
    near = nearest(name)
    hint = f"; did you mean {near!r}?" if near else ""
    raise UsageProblem(f"there is no client or program {name!r}{hint}", f"one of {', '.join(CLIENTS)}")


def environment_of(client: Client, target: Target, environ: Mapping[str, str], folder: str = "") -> dict[str, str]:
    """The environment the client gets; a level of effort that its user has chosen stays.

    :param folder: of the client's profile
    """
    changed = dict(environ)
    for name, value in client.variables(target).items():
        if value is None:
            changed.pop(name, None)
        elif name not in KEPT or name not in environ:
            changed[name] = value.replace("{profile}", folder)
    return changed


KEPT = frozenset(
    {
        "CLAUDE_CODE_EFFORT_LEVEL",
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW",
        "ANTHROPIC_MODEL",
        "AIDER_MODEL",
        "OPENAI_MODEL",
        "QWEN_CODE_SYSTEM_DEFAULTS_PATH",
    }
)
"""What the user may have chosen; the rest says where to send and has to be ours."""


def answers(target: Target, *, starting: bool = False) -> bool:
    """Whether a gateway listens that takes our token.

    :param starting: it may be too busy with its start to answer yet
    :raises GatewayUnavailableError: something else listens there
    """
    parts = urlsplit(target.address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_PATIENCE) as connection:
            head = f"GET /v1/models HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {target.token}\r\n"
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
            status = connection.recv(64).split(b" ", 2)
    except ConnectionRefusedError:
        return False
    except TimeoutError as error:
        if starting:
            return False
        raise GatewayUnavailableError(f"what listens at {target.address} does not answer", advice=_DOCTOR) from error
    except OSError as error:
        raise GatewayUnavailableError(f"what listens at {target.address} is not a gateway ({error})", advice=_DOCTOR) from error
    code = status[1] if len(status) > 1 else b""
    if code == b"401":
        raise GatewayUnavailableError(f"the gateway at {target.address} refuses our local token", advice=_DOCTOR)
    if code != b"200":
        raise GatewayUnavailableError(
            f"what listens at {target.address} is not a gateway", advice="choose another port with OAUTHROUTER_PORT"
        )
    return True


@contextmanager
def running_gateway(loaded: LoadedSettings, target: Target, demo: bool) -> Iterator[None]:
    """A gateway of our own, for as long as the client runs; it does not hear the terminal's Ctrl-C.

    :raises GatewayUnavailableError: it does not come up, with its last words
    """
    if loaded.host in loaded.sources.values():
        # A second gateway would not know the limits that stand there.
        raise GatewayUnavailableError(
            f"OpenClaw runs this gateway, with settings of {loaded.host}, and none answers at {target.address}",
            advice="openclaw gateway",
        )
    environ = {**loaded.environ, "OAUTHROUTER_HOME": str(loaded.settings.home), "OAUTHROUTER_LOCAL_TOKEN": target.token}
    port = urlsplit(target.address).port
    words = [sys.executable, *serve_arguments(loaded.path), "--port", str(port), *(["--demo"] if demo else [])]
    click.secho(f"starting a gateway at {target.address} for this run", dim=True, err=True)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
        try:
            _wait_until_it_answers(process, target, log)
            yield
        finally:
            _end(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], target: Target, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if answers(target, starting=True):
            return
        time.sleep(_LOOK_SECONDS)
    log.seek(0)
    said = log.read().decode("utf-8", "replace").strip()[-600:]
    raise GatewayUnavailableError(f"no gateway came up at {target.address}: {said or 'it said nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def profile_folder(files: Mapping[str, str]) -> Iterator[str]:
    """A folder with files for the client, for its owner's eyes only, gone at the end; ``""`` when it needs none."""
    if not files:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="oauthrouter-run-") as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield folder


def _leave_to_the_client(received: int, _: object) -> None:
    """The terminal sends Ctrl-C to the client as well; what it does about it is its business."""


def wait_for(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the client to its end, passing on the signals that are meant for it.

    :return: its exit code, as a shell gives it
    """
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(received: int, _: object) -> None:
        early.append(received) if process is None else process.send_signal(received)

    # Before the client starts: it may say that it is ready, and be told to stop, sooner than Popen comes back. Handlers rather than
    # SIG_IGN, which the client would inherit; what is ignored already (nohup) stays so for both.
    former: dict[signal.Signals, Any] = {}
    for name, handler in {"SIGINT": _leave_to_the_client, **dict.fromkeys(_PASSED_ON, pass_on)}.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            former[number] = signal.signal(number, handler)
    try:
        process = subprocess.Popen(words, env=dict(environ))  # noqa: S603 - what the user asked for
        for received in early:
            process.send_signal(received)
        code = process.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    return code if code >= 0 else _SIGNALLED - code
