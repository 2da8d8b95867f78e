"""Several processes that serve one port as one gateway: real ones, over a scripted provider."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import orjson
import pytest

from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.proxy.listener import bind, port_of
from openclaw_oauthrouter.proxy.workers.channel import RECORDS, Channel
from openclaw_oauthrouter.proxy.workers.place import Place, place_told
from openclaw_oauthrouter.proxy.workers.supervisor import Supervisor
from openclaw_oauthrouter.telemetry.trace_files import trace_path

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="the system shares no ports")

TOKEN = "a-token-for-tests-of-workers"
PATIENCE = 30.0
ANSWER = orjson.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }
)


@asynccontextmanager
async def provider(held: asyncio.Event | None = None, asked: list[bytes] | None = None) -> AsyncGenerator[str, None]:
    """An endpoint that answers everything alike.

    :param held: what says "wait" is answered when this is set
    :param asked: gets the bodies
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                body = await reader.readexactly(length)
                if asked is not None:
                    asked.append(body)
                if held is not None and b"wait" in body:
                    await held.wait()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER) + ANSWER
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()


class Team:
    """A running gateway of several processes."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, home: Path) -> None:
        self.process, self.home = process, home
        self.base = f"http://127.0.0.1:{port}"

    async def ask(self, words: str, model: str = "house/m") -> int:
        """One request over a connection of its own, so that any worker may get it."""
        body = {"model": model, "messages": [{"role": "user", "content": words}]}
        return (await self._send("POST", "/v1/chat/completions", body)).status_code

    async def get(self, path: str) -> httpx.Response:
        return await self._send("GET", path)

    async def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=self.base, headers=headers, trust_env=False, timeout=PATIENCE) as client:
            return await client.request(method, path, json=body)

    def workers(self) -> list[int]:
        """Numbers of the processes."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(number) for number in told.split()]

    async def until(self, true: object, what: str) -> None:
        """Wait until something holds.

        :param true: an async function
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                assert self.process.returncode is None, "the gateway has ended"
                with suppress(httpx.TransportError):
                    if await true():  # type: ignore[operator]
                        return
                await asyncio.sleep(0.05)
        raise AssertionError(what)


@asynccontextmanager
async def team(home: Path, number: int = 2, **settings: object) -> AsyncGenerator[Team, None]:
    """Start one and wait until it answers; ends it and sees that it ends well."""
    free = bind("127.0.0.1", 0)
    port = port_of(free)
    free.close()
    home.mkdir()
    path = home / "config.json"
    path.write_bytes(orjson.dumps({"server": {"auth_token": TOKEN, "port": port, "workers": number}, **settings}))
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "OAUTHROUTER_HOME": str(home / "state")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "openclaw_oauthrouter", "--config", str(path), "serve", env=environ,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    found = Team(process, port, home / "state")
    try:
        await found.until(lambda: _answers(found), "the gateway never answered")
        yield found
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


async def _answers(found: Team) -> bool:
    return (await found.get("/health")).status_code == 200


async def test_workers_are_one_gateway_to_who_asks_pays_and_watches(tmp_path: Path) -> None:
    async with provider() as url:
        house = {"api_base": url, "api_key": "test", "models": ["m"]}
        spend = {"daily_request_budget": 20}
        async with team(tmp_path / "home", providers={"house": house}, spend_controls=spend) as found:
            statuses = await asyncio.gather(*(found.ask(f"question {number}") for number in range(45)))
            # Whoever gets a request, and at whatever moment: what may be spent is spent, and no more.
            assert sorted(statuses) == [200] * 20 + [429] * 25

            async def all_are_shown() -> bool:
                return len((await found.get("/debug/routing-trace?n=100")).json()["events"]) == 45

            async def all_are_counted() -> bool:
                lines = (await found.get("/metrics")).text.splitlines()
                totals = [line.rpartition(" ")[2] for line in lines if line.startswith("oauthrouter_requests_total")]
                return sum(map(float, totals)) == 45

            # Everybody who watches sees all of them, whichever worker answers. What is shown may have been read from the file, so what is
            # counted may come a moment later.
            await found.until(all_are_shown, "records were lost on the way to the front office")
            await found.until(all_are_counted, "counts were lost on the way to the front office")
            for _ in range(6):
                assert await all_are_counted()
            assert len(trace_path(found.home).read_bytes().splitlines()) == 45

            # A worker that dies is replaced, the front office too; nothing that was spent is forgotten.
            if sys.platform == "linux":
                for victim in found.workers():
                    os.kill(victim, signal.SIGKILL)

                async def is_whole() -> bool:
                    return len(found.workers()) == 2 and await _answers(found)

                await found.until(is_whole, "the dead were not replaced")
                await found.until(lambda: _is(found, 429), "what was spent was forgotten")


@pytest.mark.skipif(sys.platform != "linux", reason="a killed process is known by /proc")
async def test_workers_release_what_the_dead_had_set_aside_reload_and_drain(tmp_path: Path) -> None:
    held, asked = asyncio.Event(), list[bytes]()
    async with provider(held, asked) as url:
        house = {"api_base": url, "api_key": "test", "models": ["m"]}
        async with team(tmp_path / "home", providers={"house": house}, spend_controls={"daily_request_budget": 3}) as found:
            # All of the budget is set aside for requests that are under way, in whichever worker.
            running = [asyncio.create_task(found.ask("wait")) for _ in range(3)]
            await found.until(lambda: _has(asked, 3), "the provider was never asked")
            assert await found.ask("one too many") == 429

            # Workers that are killed can give nothing back; it is seen that they are dead.
            for victim in found.workers():
                os.kill(victim, signal.SIGKILL)
            gone = await asyncio.gather(*running, return_exceptions=True)
            assert all(isinstance(one, httpx.TransportError) for one in gone)
            await found.until(lambda: _is(found, 200), "what the dead had set aside was not released")

            # A change of the file reaches every worker, those that took the places of others included.
            path = tmp_path / "home" / "config.json"
            house["models"] = ["m", "n"]
            settings = orjson.loads(path.read_bytes()) | {"providers": {"house": house}, "spend_controls": {}}
            path.write_bytes(orjson.dumps(settings))
            found.process.send_signal(signal.SIGHUP)
            await found.until(lambda: _everybody_knows(found, "house/n"), "a worker did not take the change over")

            # What is being answered when the team is told to stop is answered.
            before = len(asked)
            last = [asyncio.create_task(found.ask("wait", "house/n")) for _ in range(4)]
            await found.until(lambda: _has(asked, before + 4), "the provider was never asked")
            found.process.send_signal(signal.SIGTERM)
            held.set()
            assert await asyncio.gather(*last) == [200] * 4


async def _has(asked: list[bytes], number: int) -> bool:
    return len(asked) >= number


async def _is(found: Team, status: int) -> bool:
    return await found.ask("once more") == status


async def _everybody_knows(found: Team, model: str) -> bool:
    """Over so many connections that each worker gets some."""
    return set(await asyncio.gather(*(found.ask("hello", model) for _ in range(16)))) == {200}


async def test_settings_that_are_wrong_end_the_team(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(
        orjson.dumps({"server": {"workers": 2, "port": 0}, "routing": {"tiers": {"SIMPLE": {"primary": "nobody/x"}}}})
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OAUTHROUTER_HOME": str(tmp_path / "state")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "openclaw_oauthrouter", "--config", str(path), "serve", env=environ, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 2
    assert b"nobody" in said


def test_port_of_another_program_is_not_shared() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigurationError, match="taken"):
            Supervisor(["true"], 2, "127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize("terminal", [True, False])
async def test_hang_up_ends_a_team_of_a_terminal_only(terminal: bool, tmp_path: Path) -> None:
    told = tmp_path / "told"
    worker = f"trap 'echo >> {told}' HUP; echo >> {told}; while :; do sleep 0.02; done"
    team = Supervisor(["sh", "-c", worker], 1, "127.0.0.1", 0, ends_on_hang_up=terminal)
    running = asyncio.create_task(team.run())
    async with asyncio.timeout(20):
        while not told.exists():
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)
        if not terminal:
            while len(told.read_text()) < 2:
                await asyncio.sleep(0.01)
            assert not running.done()
            team.stop()
        assert await running == 0


def test_place_is_told_whole() -> None:
    place = Place(1, 3, 4, "/run/office")
    assert place_told(place.told()) == place
    assert place.descriptors() == (3, 4)


async def test_channel_brings_messages_whole_and_in_order() -> None:
    one, other = socket.socketpair()
    heard: list[tuple[bytes, bytes]] = []
    gone = asyncio.Event()
    listening = await Channel.open(other, lambda kind, said: heard.append((kind, said)), gone.set)
    telling = await Channel.open(one, lambda *_: None)
    messages = [(RECORDS, bytes([number]) * size) for number, size in enumerate((0, 1, 70_000, 3, 1_000_000))]
    for kind, said in messages:
        telling.tell(kind, said)
    telling.close()
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
    listening.close()
    assert heard == messages
