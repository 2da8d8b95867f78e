"""The ledger's file: private, shared, and never quietly started anew."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError, DamagedLedgerError, LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger import ledger_path, open_ledger
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim, Reservation, Row
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedgerReader, SqliteStore

MOMENT = 1_795_348_800
ACCOUNT = Account(MOMENT, "a", "a/b")
ASKED = Reservation("1", ACCOUNT, Amounts(1), 4e9)
USED = Amounts(1, 2, 3, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite3"


async def booked(path: Path) -> None:
    store = SqliteStore(path, "earlier")
    await store.write([(ACCOUNT, USED)], [], [], MOMENT)
    await store.close()


async def test_sqlite_file_file_is_private_and_leaves_nothing_beside_it(path: Path) -> None:
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
    other.execute("PRAGMA user_version = 3")
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
async def test_sqlite_file_damaged_ledger_stops_the_start_and_is_left_as_it_is(path: Path, damage) -> None:
    await booked(path)
    damage(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(ConfigurationError, match=r"ledger\.sqlite3.*counting from zero"):
        SqliteStore(path, "me")
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"not a database" * 99), scribble], ids=["text", "scribbled"])
async def test_sqlite_file_damaged_ledger_is_kept_aside_where_no_budget_needs_it(
    path: Path, damage, caplog: pytest.LogCaptureFixture
) -> None:
    await booked(path)
    damage(path)
    before = path.read_bytes()
    with pytest.raises(DamagedLedgerError, match="counting from zero"):
        open_ledger(Settings(home=path.parent, spend_controls={"daily_request_budget": 3}), lambda: "w", lambda: 0.0)
    assert path.read_bytes() == before
    ledger = open_ledger(Settings(home=path.parent), lambda: "w", lambda: MOMENT)
    assert await ledger.rows(0, 4e9) == []
    await ledger.close()
    assert path.with_name("ledger.sqlite3.damaged").read_bytes() == before
    assert "No budget needs it" in caplog.text


async def test_sqlite_file_reader_works_while_a_gateway_runs_and_after(path: Path) -> None:
    store = SqliteStore(path, "gateway")
    await store.write([(ACCOUNT, USED)], [], [], MOMENT)
    with SqliteLedgerReader(path) as reader:
        assert reader.rows(0, 4e9) == [Row(ACCOUNT, USED)]
        assert reader.rows(0, MOMENT) == reader.rows(MOMENT + 1, 4e9) == []
        await store.write([(ACCOUNT, USED + USED)], [], [], MOMENT)
        assert reader.rows(0, 4e9)[0].used == Amounts(2, 4, 6, 8)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM used")
    await store.close()
    with SqliteLedgerReader(path) as reader:
        assert reader.rows(0, 4e9)[0].used == Amounts(2, 4, 6, 8)


async def test_sqlite_file_another_s_long_transaction_is_waited_for_and_then_given_up(path: Path) -> None:
    store = SqliteStore(path, "me", wait_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailableError, match=r"ledger\.sqlite3"):
        await store.write([(ACCOUNT, USED)], [], [], MOMENT)
    other.execute("ROLLBACK")
    other.close()
    await store.write([(ACCOUNT, USED)], [], [], MOMENT)
    assert (await store.rows(0, 4e9))[0].used == USED
    await store.close()


async def test_sqlite_file_failed_change_is_undone_and_the_next_one_works(path: Path) -> None:
    store = SqliteStore(path, "me")
    store._connection.execute("CREATE TRIGGER full BEFORE INSERT ON used BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    await store.reserve(ASKED, [], MOMENT)
    with pytest.raises(LedgerUnavailableError, match="disk full"):
        await store.write([(ACCOUNT, USED)], [ASKED.id], [], MOMENT)
    assert store._connection.execute("SELECT COUNT(*) FROM held").fetchone() == (1,)
    store._connection.execute("DROP TRIGGER full")
    await store.write([(ACCOUNT, USED)], [ASKED.id], [], MOMENT)
    assert store._connection.execute("SELECT COUNT(*) FROM held").fetchone() == (0,)
    await store.close()


async def test_sqlite_file_settings_choose_the_store(tmp_path: Path) -> None:
    ledger = open_ledger(Settings(home=tmp_path), lambda: "me", lambda: MOMENT)
    assert isinstance(ledger._store, SqliteStore)
    assert ledger_path(tmp_path).exists()
    await ledger.close()
    shared = open_ledger(Settings(home=tmp_path, state_url="redis://127.0.0.1:1/0"), lambda: "me", lambda: MOMENT)
    with pytest.raises(LedgerUnavailableError, match="Redis"):
        await shared.rows(0, 4e9)
    await shared.close()
    with pytest.raises(ConfigurationError, match="stateUrl"):
        open_ledger(Settings(home=tmp_path, state_url="postgres://x"), lambda: "me", lambda: MOMENT)


async def test_version_1_is_brought_forward_with_its_totals_models_and_clients(path: Path) -> None:
    path.parent.mkdir()
    old = sqlite3.connect(path)
    old.executescript("""
        CREATE TABLE used (window TEXT, scope TEXT, requests INTEGER, input_tokens INTEGER, output_tokens INTEGER, microdollars INTEGER,
            PRIMARY KEY (window, scope)) WITHOUT ROWID;
        CREATE TABLE held (id TEXT PRIMARY KEY) WITHOUT ROWID;
        INSERT INTO used VALUES ('2026-11-22', '', 3, 30, 300, 3000), ('2026-11-22', 'model:a/b', 2, 20, 200, 2000),
            ('2026-11-22', 'model:c/d', 1, 10, 100, 1000), ('2026-11-22', 'client:ci', 1, 10, 100, 1000),
            ('2026-11', '', 3, 30, 300, 3000), ('2026-11-21', '', 0, 0, 0, 0);
        PRAGMA user_version = 1;
    """)
    old.close()
    store = SqliteStore(path, "me")
    day = (1_795_305_600, 1_795_392_000)
    counted = {}
    for scope in ("", "model:a/b", "provider:c", "client:ci", "client:x"):
        claim = Claim(Limit("day", "microdollars", 10**9, scope), *day)
        (standing,) = (await store.reserve(Reservation(scope or "all", ACCOUNT, Amounts(), 0.0), [claim], MOMENT)).standings
        counted[scope] = standing.used
    assert counted == {"": 3000, "model:a/b": 2000, "provider:c": 1000, "client:ci": 1000, "client:x": 0}
    await store.close()


async def test_rows_older_than_every_period_become_one_a_day(path: Path) -> None:
    for process in range(3):
        store = SqliteStore(path, f"process {process}")
        rows = [
            (Account(MOMENT - hour * 3600, "a", f"a/{hour % 2}", "ci", f"talk {hour}"), USED) for hour in range(0, 24 * 70, 5)
        ]
        await store.write(rows, [], [], MOMENT)
        await store.close()
    for _ in range(2):
        store = SqliteStore(path, "later")
        folded = await store.rows(0, MOMENT - 62 * 86_400)
        assert len(folded) <= 2 * 9
        assert sum(row.used.requests for row in await store.rows(0, 4e9)) == 3 * len(rows)
        assert len(await store.rows(MOMENT - 40 * 86_400, 4e9)) == len(
            [row for row in rows if row[0].moment >= MOMENT - 40 * 86_400]
        )
        await store.close()


# ------------------------------------------------------------------ lost while running


def delete(path: Path) -> None:
    for entry in path.parent.iterdir():
        entry.unlink()


def delete_the_folder(path: Path) -> None:
    delete(path)
    path.parent.rmdir()


def replace_with_an_empty_one(path: Path) -> None:
    delete(path)
    SqliteStore(path, "another")._connection.close()


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def cut_in_place(path: Path) -> None:
    os.truncate(path, 5000)


def replace_with_text(path: Path) -> None:
    path.unlink()
    path.write_text("not a database at all, though it is long enough" * 100)


LOSSES = [delete, delete_the_folder, replace_with_an_empty_one, truncate, cut_in_place, replace_with_text]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("next_step", ["reserve", "settle", "nothing"])
async def test_sqlite_file_ledger_lost_while_running_is_noticed_and_written_back(
    path: Path, loss: Callable[[Path], None], next_step: str, caplog: pytest.LogCaptureFixture
) -> None:
    await booked(path)
    ledger = Ledger(SqliteStore(path, "me"), lambda: MOMENT, examine_seconds=0.02)
    limit = Claim(Limit("day", "requests", 3), MOMENT - 100, MOMENT + 100)
    assert (await ledger.reserve(ASKED, [limit], MOMENT)).short is None
    await ledger.settle(ACCOUNT, USED, ASKED.id)
    await asyncio.sleep(0.03)

    loss(path)
    expected = 2
    if next_step == "settle":
        await ledger.settle(ACCOUNT, USED)
        expected = 3
    elif next_step == "nothing":
        async with asyncio.timeout(5):
            while "written back" not in caplog.text:
                await asyncio.sleep(0.01)
    outcome = await ledger.reserve(Reservation("2", ACCOUNT, Amounts(2), 4e9), [limit], MOMENT)
    assert outcome.short is not None
    assert outcome.short.used == expected
    assert [record.levelname for record in caplog.records if "written back" in record.message] == ["ERROR"]
    await ledger.close()
    with SqliteLedgerReader(path) as reader:
        assert sum(row.used.requests for row in reader.rows(0, 4e9)) == expected


async def test_sqlite_file_two_processes_write_back_each_its_own_and_nothing_twice(path: Path) -> None:
    await booked(path)
    one, other = (Ledger(SqliteStore(path, name), lambda: MOMENT) for name in ("one", "other"))
    for _ in range(3):
        await one.settle(ACCOUNT, USED)
        await other.settle(ACCOUNT, USED)
    third = Ledger(SqliteStore(path, "third"), lambda: MOMENT)
    await third.settle(ACCOUNT, USED)
    delete(path)
    for ledger in (third, one, other, one, third):
        await ledger.settle(ACCOUNT, USED)
    assert sum(row.used.requests for row in await one.rows(0, 4e9)) == 1 + 3 + 3 + 1 + 5
    for ledger in (one, other, third):
        await ledger.close()


async def test_sqlite_file_backup_put_back_is_brought_up_to_date(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(SqliteStore(path, "me"), lambda: MOMENT)
    await ledger.settle(ACCOUNT, USED)
    backup = sqlite3.connect(tmp_path / "backup")
    ledger._store._connection.backup(backup)
    backup.close()
    await ledger.settle(ACCOUNT, USED)
    delete(path)
    (tmp_path / "backup").rename(path)
    await ledger.settle(ACCOUNT, USED)
    assert (await ledger.rows(0, 4e9))[0].used == Amounts(3, 6, 9, 12)
    await ledger.close()


async def test_sqlite_file_read_only_ledger_refuses_what_a_limit_counts_until_it_can_be_written(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(SqliteStore(path, "me"), lambda: MOMENT, examine_seconds=0.02)
    limit = Claim(Limit("day", "requests", 9), MOMENT - 100, MOMENT + 100)
    await ledger.reserve(ASKED, [limit], MOMENT)
    path.chmod(0o400)
    with pytest.raises(LedgerUnavailableError, match="read-only"):
        await ledger.reserve(Reservation("2", ACCOUNT, Amounts(1), 4e9), [limit], MOMENT)
    async with asyncio.timeout(5):
        while "read-only" not in caplog.text:
            await asyncio.sleep(0.01)
    path.chmod(0o600)
    outcome = await ledger.reserve(Reservation("2", ACCOUNT, Amounts(1), 4e9), [limit], MOMENT)
    assert outcome.short is None
    await ledger.close()
