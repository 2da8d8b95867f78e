"""The real programs that end-to-end tests drive, and a scripted upstream that keeps what it was sent."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from openclaw_oauthrouter.providers.demo.app import demo_app
from tests.support.tools import missing

TURN_SECONDS = 240
"""For one command: two busy processors may take a minute for what takes three seconds alone."""


def program(variable: str) -> Path:
    """The program an environment variable names; without it the test is skipped, in CI failed."""
    path = Path(os.environ.get(variable, ""))
    return (
        path
        if path.is_file()
        else missing(f"{variable} names no program; .ci/install-clients installs it and prints the exports")
    )


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Poll until the condition gives something true, and return that."""
    try:
        return _wait(condition, seconds)
    except TimeoutError:
        pytest.fail(f"{what}: not within {seconds} s")


def _wait(condition: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def processes_of(home: Path) -> list[int]:
    """Processes that run with this home folder, and so were started below a test."""
    mark = f"HOME={home}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if mark in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return [pid for pid in found if alive(pid)]


@dataclass
class Sandbox:
    """A home of its own for the programs under test: no file, variable or process of the user's is touched."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.home), "NO_COLOR": "1"}

    @property
    def home(self) -> Path:
        """``$HOME``."""
        return self.root / "home"

    @property
    def state(self) -> Path:
        """The gateway's state folder."""
        return self.home / ".openclaw" / "oauthrouter"

    def run(self, command: Sequence[str | Path], *, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        done = subprocess.run(
            [str(part) for part in command],
            env=self.environ,
            cwd=self.root,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TURN_SECONDS,
        )
        if check and done.returncode:
            pytest.fail(f"{command} ended with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    @contextmanager
    def tidy(self) -> Iterator[Sandbox]:
        """Ends at the end what programs have left running: some start a process of their own that outlives them."""
        try:
            yield self
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                for pid in processes_of(self.home):
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
                with suppress(TimeoutError):
                    _wait(lambda: not processes_of(self.home), 5.0)

    def ours(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of this package."""
        return self.run([sys.executable, "-P", "-m", "openclaw_oauthrouter", *arguments], check=check)


@dataclass
class Upstream:
    """The demo provider on a port of its own.

    :ivar requests: those with a body: path, headers, body
    :ivar left: paths of requests whose client went before the answer was over
    :ivar counting: how many answers to ``COUNT_TO`` are being written
    """

    port: int
    requests: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    counting: int = 0

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Keep the request and let the demo answer it, until its client goes."""
        if scope["type"] != "http":
            await demo_app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)

        async def whole() -> Any:
            return {"type": "http.request", "body": body}

        counts = b"COUNT_TO" in body
        self.counting += counts
        answering, leaving = asyncio.ensure_future(demo_app(scope, whole, send)), asyncio.ensure_future(receive())
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            self.left.append(scope["path"])
        for task in (answering, leaving):
            task.cancel()
        await asyncio.wait([answering, leaving])
        self.counting -= counts
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if body:  # lists of models are asked for in the background, at any time
            self.requests.append((scope["path"], headers, body))


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """The demo, served from a thread."""
    upstream = Upstream(free_port())
    config = Config()
    config.bind = [f"127.0.0.1:{upstream.port}"]
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(upstream, config, shutdown_trigger=stop.wait)))
    thread.start()
    try:
        wait_until(lambda: _answers(upstream.port), "the upstream listens")
        yield upstream
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextmanager
def running(sandbox: Sandbox, command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the background; ended at the end, kindly, then not."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=sandbox.environ,
            cwd=sandbox.root,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_gateway(sandbox: Sandbox, *arguments: str) -> Iterator[str]:
    """Our gateway with the sandbox's configuration; yields its address."""
    port = int(sandbox.environ.setdefault("OAUTHROUTER_PORT", str(free_port())))
    log = sandbox.root / "oauthrouter.log"
    with running(sandbox, [sys.executable, "-P", "-m", "openclaw_oauthrouter", "serve", *arguments], log) as process:
        wait_until(lambda: process.poll() is not None or _answers(port), "the gateway listens")
        if process.poll() is not None:
            pytest.fail(f"the gateway did not start:\n{log.read_text()[-3000:]}")
        yield f"http://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
