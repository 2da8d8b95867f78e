"""Warnings reach the user's program and address, and what fails there is logged and never felt."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.spending import Limit
from openclaw_oauthrouter.policy.alarms import Alarms, Messenger
from openclaw_oauthrouter.policy.ledger.entries import Claim

CLAIM = Claim(Limit("day", "microdollars", 5_000_000, "client:ci"), 0.0, 86_400.0)
NEXT_DAY = Claim(CLAIM.limit, 86_400.0, 172_800.0)


def test_alarms_warn_once_a_share_and_anew_in_the_next_period() -> None:
    told: list[dict[str, Any]] = []
    alarms = Alarms((0.5, 0.8, 0.95), told.append)
    for used in (2_000_000, 2_500_000, 2_600_000, 4_900_000, 4_950_000):
        alarms.see(CLAIM, used)
    alarms.see(NEXT_DAY, 4_000_000)
    assert [(one["share"], one["resetsAt"]) for one in told] == [(0.5, 86_400.0), (0.98, 86_400.0), (0.8, 172_800.0)]
    assert told[0]["message"] == "50% of the $5.0000 a day for client ci used"
    assert (told[0]["period"], told[0]["quantity"], told[0]["scope"], told[0]["most"]) == (
        "day",
        "microdollars",
        "client:ci",
        5_000_000,
    )


def test_alarms_tell_the_answer_as_long_as_a_share_is_reached() -> None:
    alarms = Alarms((0.5,))
    assert [alarms.see(CLAIM, used) for used in (1_000_000, 2_500_000, 3_000_000)] == [
        None,
        "50% of the $5.0000 a day for client ci",
        "60% of the $5.0000 a day for client ci",
    ]
    assert Alarms(()).see(CLAIM, 5_000_000) is None


async def sent(messenger: Messenger) -> None:
    messenger({"message": "80% used"})
    async with asyncio.timeout(15):
        while messenger._running:
            await asyncio.sleep(0.01)


async def test_messenger_gives_the_warning_to_a_program(tmp_path: Path) -> None:
    target = tmp_path / "warning.json"
    program = f"import sys, pathlib; pathlib.Path({str(target)!r}).write_text(sys.stdin.read())"
    await sent(Messenger([sys.executable, "-c", program], None))
    assert json.loads(target.read_text()) == {"message": "80% used"}


@pytest.mark.parametrize(
    ("command", "words"),
    [(["/no/such/program"], "cannot be run"), ([sys.executable, "-c", "raise SystemExit(3)"], "ended with 3")],
)
async def test_messenger_logs_a_program_that_fails(command: list[str], words: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        await sent(Messenger(command, None))
    assert words in caplog.text


async def test_messenger_posts_the_warning_and_logs_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    bodies: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        bodies.append(await reader.readexactly(length))
        status = b"204 OK" if len(bodies) == 1 else b"500 No"
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?secret=1"
    with caplog.at_level(logging.ERROR):
        await sent(Messenger((), url))
        assert caplog.text == ""
        await sent(Messenger((), url))
    server.close()
    assert [json.loads(body) for body in bodies] == [{"message": "80% used"}] * 2
    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text
