"""Starts the workers, passes on what they tell one another, starts those anew that died, and ends them all."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.proxy.listener import BACKLOG, bind, port_of
from openclaw_oauthrouter.proxy.workers.channel import FOR_ALL, FOR_OFFICE, READY, Channel
from openclaw_oauthrouter.proxy.workers.place import VARIABLE, Place

MOST_WORKERS = 64
PAUSE_SECONDS = 1.0
"""Before a worker that died is started anew."""

_log = logging.getLogger(__name__)


class Supervisor:
    """A team on one port; serves nothing itself.

    :param command: what a worker's process runs; its place is in the environment
    :param number: of workers
    :param ends_on_hang_up: it was started from a terminal, whose end ends it; without one SIGHUP has the workers read the configuration
    :raises ConfigurationError: the port is taken, or the system cannot share it
    """

    def __init__(self, command: Sequence[str], number: int, host: str, port: int, *, ends_on_hang_up: bool = False) -> None:
        if not hasattr(socket, "SO_REUSEPORT") or os.name == "nt":
            raise ConfigurationError("several workers need a system that shares ports (Linux, macOS); leave --workers out here")
        self._command = list(command)
        self._ends_on_hang_up = ends_on_hang_up
        # A port of somebody else's is seen only without sharing it.
        first = bind(host, port)
        self.port = port_of(first)
        first.close()
        self._listeners = [bind(host, self.port, shared=True) for _ in range(number)]
        self._folder = Path(tempfile.mkdtemp(prefix="oauthrouter-"))
        self._office = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._office.bind(str(self._folder / "office"))
        self._office.listen(BACKLOG)
        self._channels: dict[int, Channel] = {}
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._ready: set[int] = set()
        self._stopping = asyncio.Event()
        self._failed: int | None = None

    async def run(self) -> int:
        """Until told to stop by a signal, or until a worker cannot even start.

        :return: exit code
        """
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.stop)
        if self._ends_on_hang_up:
            loop.add_signal_handler(signal.SIGHUP, self.stop)
        else:
            loop.add_signal_handler(signal.SIGHUP, self._pass_on, signal.SIGHUP)
        try:
            await asyncio.gather(*(self._keep(index) for index in range(len(self._listeners))))
        finally:
            for found in (*self._listeners, self._office):
                found.close()
            shutil.rmtree(self._folder, ignore_errors=True)
        return self._failed or 0

    def stop(self) -> None:
        """End all workers; each finishes what it is answering, within ``server.graceful_seconds``."""
        self._stopping.set()
        self._pass_on(signal.SIGTERM)
        for found in self._listeners:
            found.close()  # while one is open somewhere, clients are told to wait for whoever takes them

    def _pass_on(self, number: int) -> None:
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, index: int) -> None:
        """Run one worker, again and again."""
        while not self._stopping.is_set():
            code = await self._run_worker(index)
            if self._stopping.is_set():
                return
            if index not in self._ready:
                # It never served: what is wrong with it is wrong with all, and its own words say what.
                self._failed = code if code > 0 else 1
                self.stop()
                return
            _log.error("worker %d ended with code %d; another takes its place", index, code)
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._stopping.wait()

    async def _run_worker(self, index: int) -> int:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        office = self._office.fileno() if index == 0 else -1
        path = str(self._folder / "office")
        place = Place(index, self._listeners[index].fileno(), theirs.fileno(), path, office)
        environ = {**os.environ, VARIABLE: place.told()}
        # Nothing but the supervisor's signals reaches a worker: a Ctrl-C goes to the whole group of a terminal, and would end it at once.
        process = await asyncio.create_subprocess_exec(
            *self._command, env=environ, pass_fds=place.descriptors(), start_new_session=True
        )
        theirs.close()
        self._processes[index] = process
        self._channels[index] = await Channel.open(ours, lambda kind, said: self._heard(index, kind, said))
        if self._stopping.is_set():
            process.terminate()
        code = await process.wait()
        self._channels.pop(index).close()
        self._processes.pop(index, None)
        return code

    def _heard(self, index: int, kind: bytes, said: bytes) -> None:
        if kind == READY:
            self._ready.add(index)
        elif kind in FOR_OFFICE and 0 in self._channels:
            self._channels[0].tell(kind, said)
        elif kind in FOR_ALL:
            for other, channel in self._channels.items():
                if other != index:
                    channel.tell(kind, said)


def worker_command(arguments: Sequence[str]) -> list[str]:
    """What runs a worker: this interpreter with the arguments of the command line."""
    return [sys.executable, "-m", "openclaw_oauthrouter", *arguments]
