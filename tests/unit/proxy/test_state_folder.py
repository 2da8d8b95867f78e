"""The state folder: closed to others, on any file system, full or read-only."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import StateFolderError
from openclaw_oauthrouter.policy.ledger import open_ledger
from openclaw_oauthrouter.proxy.local_token import kept_token, prepare_folder
from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.trace_files import trace_files, trace_path


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_folder_that_others_may_write_to_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = tmp_path / "state"
    home.mkdir()
    home.chmod(0o777)
    prepare_folder(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert "0700" in caplog.text
    home.chmod(0o755)
    prepare_folder(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o755


def test_token_is_kept_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert kept_token(tmp_path, Secret("one")).reveal() == "one"
    assert kept_token(tmp_path, Secret("two")).reveal() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["local-token"]


@pytest.mark.parametrize("reason", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_folder_that_cannot_be_written_stops_a_budget_only(
    reason: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from openclaw_oauthrouter.policy.ledger import sqlite_file

    real = sqlite_file.tempfile.mkstemp

    def mkstemp(*arguments: Any, **named: Any) -> Any:
        if Path(named["dir"]).is_relative_to(tmp_path / "state"):
            raise OSError(reason, os.strerror(reason))
        return real(*arguments, **named)

    monkeypatch.setattr(sqlite_file.tempfile, "mkstemp", mkstemp)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "state"
    with pytest.raises(StateFolderError, match="cannot be written") as refused:
        open_ledger(Settings(home=home, spend_controls={"daily_request_budget": 3}), lambda: "w", lambda: 0.0)
    assert "backup" not in refused.value.message
    ledger = open_ledger(Settings(home=home), lambda: "w", lambda: 0.0)
    assert "no budget needs it" in caplog.text
    ledger.abandon()
    assert list(tmp_path.glob("oauthrouter-*")) == []


async def test_token_is_kept_as_soon_as_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openclaw_oauthrouter.proxy import local_token

    home, closed, real = tmp_path / "state", [True], os.open

    def opened(path: Any, *arguments: Any, **named: Any) -> int:
        if closed[0] and Path(path).parent == home:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(StateFolderError, match="cannot be written"):
        kept_token(home, Secret("one"))
    later = asyncio.create_task(local_token.keep_later(home, Secret("one"), pause=0.01))
    await asyncio.sleep(0.05)
    assert not (home / "local-token").exists()
    closed[0] = False
    await asyncio.wait_for(later, 10)
    assert (home / "local-token").read_text() == "one\n"


async def test_gateway_starts_where_its_token_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from openclaw_oauthrouter.proxy import start

    def refused(home: Path, _: Secret) -> Secret:
        raise StateFolderError(f"the state folder {str(home)!r} cannot be written")

    monkeypatch.setattr(start, "kept_token", refused)
    handle = await start.start(Settings(home=tmp_path, server={"port": 0}))
    await handle.close()
    assert "only client keys and this process" in caplog.text


async def test_ledger_goes_to_its_folder_once_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openclaw_oauthrouter.canonical.spending import Amounts
    from openclaw_oauthrouter.policy.ledger import sqlite_file
    from openclaw_oauthrouter.policy.ledger.entries import Account

    home, closed = tmp_path / "state", [True]
    real, before = sqlite_file._create, Account(1_795_000_000, "anthropic", "anthropic/m", "", "", "api")

    def create(path: Path) -> None:
        if closed[0] and path.parent == home:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        real(path)

    monkeypatch.setattr(sqlite_file, "_create", create)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ledger = open_ledger(Settings(home=home), lambda: "w", lambda: 1_795_000_000.0)
    await ledger.settle(before, Amounts(1, 2, 3, 4))
    await ledger.examine()
    assert not (home / "ledger.sqlite3").exists()
    closed[0] = False
    await ledger.examine()
    await ledger.settle(before, Amounts(1, 2, 3, 4))
    await ledger.close()
    assert not list(tmp_path.glob("oauthrouter-*"))
    again = open_ledger(Settings(home=home), lambda: "x", lambda: 1_795_000_000.0)
    [row] = await again.rows(0.0, 4e9)
    assert row.used == Amounts(2, 4, 6, 8)
    await again.close()


def test_trace_files_have_a_size_together(tmp_path: Path) -> None:
    from openclaw_oauthrouter.canonical.trace import RequestRecord

    path, now = trace_path(tmp_path), [1_760_000_000.0]
    trace = TraceFile(path, clock=lambda: now[0], rotate_bytes=4096, rotate_days=30, total_bytes=20_000)
    for number in range(200):
        now[0] += 60
        trace.receive(RequestRecord(f"r{number}", now[0], "/v1/messages", "POST"))
    trace.close()
    sizes = [file.stat().st_size for file in trace_files(path)]
    assert len(sizes) > 2
    assert sum(sizes) <= 20_000 + 4096
