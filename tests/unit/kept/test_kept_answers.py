"""The store of kept answers: whose they are, how long and how much is kept."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.spelled import Spelled
from openclaw_oauthrouter.config.kept import KeptSettings
from openclaw_oauthrouter.kept import KeptAnswers


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def store(path: Path, clock: Clock | None = None, **settings: Any) -> KeptAnswers:
    return KeptAnswers(path / "kept.sqlite3", KeptSettings(**settings), clock or Clock())


async def test_chain_is_found_oldest_first(tmp_path: Path) -> None:
    kept = store(tmp_path)
    for number, previous in ((1, None), (2, "r1"), (3, "r2")):
        await kept.keep("a", f"r{number}", previous, {"n": number})
    assert await kept.turns("a", "r3") == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert await kept.turns("a", "r2") == [{"n": 1}, {"n": 2}]
    assert await kept.find("a", "r3") == {"n": 3}
    await kept.aclose()
    again = store(tmp_path)
    assert await again.find("a", "r1") == {"n": 1}
    await again.aclose()


async def test_kept_answers_another_client_finds_nothing(tmp_path: Path) -> None:
    kept = store(tmp_path)
    await kept.keep("a", "r1", None, {"n": 1})
    await kept.keep("b", "r2", "r1", {"n": 2})
    assert await kept.find("b", "r1") is None
    assert await kept.turns("b", "r1") is None
    assert await kept.turns("b", "r2") is None
    assert not await kept.forget("b", "r1")
    assert await kept.find("a", "r1") == {"n": 1}
    await kept.aclose()


async def test_turn_is_forgotten_on_demand_and_by_age(tmp_path: Path) -> None:
    clock = Clock()
    kept = store(tmp_path, clock, seconds=100)
    for id_ in ("r1", "r2"):
        await kept.keep("a", id_, None, {})
    assert await kept.forget("a", "r1")
    assert await kept.turns("a", "r1") is None
    clock.now += 60
    assert await kept.turns("a", "r2") == [{}]
    clock.now += 60
    assert await kept.turns("a", "r2") == [{}]
    clock.now += 101
    assert await kept.turns("a", "r2") is None
    await kept.aclose()


async def test_oldest_make_room(tmp_path: Path) -> None:
    clock = Clock()
    kept = store(tmp_path, clock, max_bytes=1024 * 1024)
    for number in range(6):
        clock.now += 1
        await kept.keep("a", f"r{number}", None, {"x": noise(number)})
    found = [await kept.find("a", f"r{number}") is not None for number in range(6)]
    assert found == [False, False, False, True, True, True]
    await kept.keep("a", "huge", None, {"x": "".join(noise(seed) for seed in range(20))})
    assert await kept.find("a", "huge") is None
    await kept.aclose()


async def test_kept_answers_of_several_workers_stay_within_their_room(tmp_path: Path) -> None:
    workers = [store(tmp_path, max_bytes=1024 * 1024) for _ in range(3)]
    for number in range(24):
        await workers[number % 3].keep("a", f"r{number}", None, {"x": noise(number)[:100_000]})
    with closing(sqlite3.connect(tmp_path / "kept.sqlite3")) as database:
        (total,) = database.execute("select sum(size) from answers").fetchone()
    assert 512 * 1024 < total <= 1024 * 1024
    assert await workers[0].find("a", "r23") is not None
    for worker in workers:
        await worker.aclose()


async def test_kept_answers_that_are_too_old_are_removed_from_the_file(tmp_path: Path) -> None:
    clock = Clock()
    kept = store(tmp_path, clock, seconds=100)
    await kept.keep("a", "r1", None, {})
    clock.now += 50
    await kept.keep("a", "r2", None, {})
    clock.now += 101
    await kept.keep("a", "r3", None, {})
    await kept.aclose()
    with closing(sqlite3.connect(tmp_path / "kept.sqlite3")) as database:
        assert database.execute("select id from answers").fetchall() == [("r3",)]


async def test_kept_answers_input_that_is_spelled_already_is_kept_as_it_came(tmp_path: Path) -> None:
    kept = store(tmp_path)
    text = b'{"n":1.50}'
    await kept.keep("a", "r1", None, {"input": Spelled([{"n": 1.5}], text, 0, len(text)), "response": {}})
    assert await kept.find("a", "r1") == {"input": [{"n": 1.5}], "response": {}}
    await kept.aclose()


def noise(seed: int) -> str:
    """Text that hardly gets smaller when it is packed, of about 300 kB."""
    import random

    return random.Random(seed).randbytes(150_000).hex() + random.Random(-seed).randbytes(100_000).hex()


@pytest.mark.skipif("os.name != 'posix'")
async def test_file_is_its_owners_only(tmp_path: Path) -> None:
    kept = store(tmp_path)
    await kept.keep("a", "r", None, {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    await kept.aclose()


async def test_kept_answers_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    kept = store(tmp_path)
    await kept.aclose()
    assert not list(tmp_path.iterdir())
