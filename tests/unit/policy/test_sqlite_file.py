"""The ledger's file: private, shared, and never quietly started anew."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.spending import Amounts
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError, LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger import ledger_path, open_ledger
from openclaw_oauthrouter.policy.ledger.entries import Hold
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedger, SqliteLedgerReader

HOLD = Hold("1", "2026-11-22", "model:a/b", "", Amounts(1), 4e9)
DAY = ["2026-11-22"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite3"


async def booked(path: Path) -> None:
    ledger = SqliteLedger(path)
    await ledger.settle(HOLD, Amounts(1, 2, 3, 4))
    await ledger.close()


async def test_the_file_is_private_and_leaves_nothing_beside_it(path: Path) -> None:
    await booked(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["ledger.sqlite3"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\x55" * 4096
    path.write_bytes(data)


def replace_with_another_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE things (x)")
    other.close()


def raise_version(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 2")
    other.close()


def replace_with_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a database at all, though it is long enough" * 100),
        cut,
        scribble,
        replace_with_another_database,
        raise_version,
        replace_with_a_folder,
    ],
    ids=["empty", "text", "cut", "scribbled", "another", "version", "folder"],
)
async def test_a_damaged_ledger_stops_the_start_and_is_left_as_it_is(path: Path, damage) -> None:
    await booked(path)
    damage(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(ConfigurationError, match=r"ledger\.sqlite3.*counting from zero"):
        SqliteLedger(path)
    assert (path.read_bytes() if path.is_file() else b"") == before


async def test_a_reader_works_while_a_gateway_runs_and_after(path: Path) -> None:
    ledger = SqliteLedger(path)
    await ledger.settle(HOLD, Amounts(1, 2, 3, 4))
    with SqliteLedgerReader(path) as reader:
        assert [row.scope for row in reader.rows(DAY)] == ["", "model:a/b"]
        await ledger.settle(HOLD, Amounts(1, 2, 3, 4))
        assert reader.rows(DAY)[0].used == Amounts(2, 4, 6, 8)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM used")
    await ledger.close()
    with SqliteLedgerReader(path) as reader:
        assert reader.rows(DAY)[0].used == Amounts(2, 4, 6, 8)


async def test_another_s_long_transaction_is_waited_for_and_then_given_up(path: Path) -> None:
    ledger = SqliteLedger(path, wait_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailableError, match=r"ledger\.sqlite3"):
        await ledger.settle(HOLD, Amounts(1))
    other.execute("ROLLBACK")
    other.close()
    await ledger.settle(HOLD, Amounts(1))
    assert (await ledger.rows(DAY))[0].used == Amounts(1)
    await ledger.close()


async def test_a_failed_change_is_undone_and_the_next_one_works(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger._connection.execute("CREATE TRIGGER full BEFORE INSERT ON used BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    await ledger.reserve(HOLD, [], 0.0)
    with pytest.raises(LedgerUnavailableError, match="disk full"):
        await ledger.settle(HOLD, Amounts(1))
    assert ledger._connection.execute("SELECT COUNT(*) FROM held").fetchone() == (1,)
    ledger._connection.execute("DROP TRIGGER full")
    await ledger.settle(HOLD, Amounts(1))
    await ledger.close()


async def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    ledger = open_ledger(Settings(home=tmp_path), lambda: "me")
    assert isinstance(ledger, SqliteLedger)
    assert ledger_path(tmp_path).exists()
    await ledger.close()
    shared = open_ledger(Settings(home=tmp_path, state_url="redis://127.0.0.1:1/0"), lambda: "me")
    with pytest.raises(LedgerUnavailableError, match="Redis"):
        await shared.release(HOLD)
    await shared.close()
    with pytest.raises(ConfigurationError, match="stateUrl"):
        open_ledger(Settings(home=tmp_path, state_url="postgres://x"), lambda: "me")
