"""What survives a restart."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from openclaw_oauthrouter.errors import UpstreamConnectionError
from openclaw_oauthrouter.health import health_file
from openclaw_oauthrouter.health.health_file import HealthFile
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.health.state import decode, encode, state_of

NOW = 1_763_800_000.0
REFUSED = UpstreamConnectionError("refused", code="upstream_unreachable")
USED_UP = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "90s"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "health.json"


def kept(path: Path) -> tuple[HealthRegistry, HealthFile]:
    registry = HealthRegistry(lambda: NOW)
    return registry, HealthFile(path, registry)


async def test_cooldowns_and_windows_survive(path: Path) -> None:
    registry, file = kept(path)
    registry.failed("anthropic", "m", "k", REFUSED)
    registry.observe_headers("openai", "k", USED_UP, model="gpt-5.5")
    file.save()
    again, reader = kept(path)
    reader.load()
    assert again.snapshot() == registry.snapshot()
    assert again.blocked("anthropic", "m", "k")
    assert again.blocked("openai", "gpt-5.5", "k")


async def test_health_file_file_is_private_and_whole(path: Path) -> None:
    _, file = kept(path)
    file.save()
    file.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["health.json"]


async def test_many_changes_are_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_file, "_SAVE_SECONDS", 0.01)
    writes = []
    monkeypatch.setattr(health_file, "write_private", lambda path, data, durable: writes.append(decode(data)))
    registry, _file = kept(path)
    for model in range(20):
        registry.observe_headers("openai", "k", USED_UP, model=str(model))
    assert writes == []
    while not writes:
        await asyncio.sleep(0.01)
    assert [len(state.windows) for state in writes] == [20]
    registry.succeeded("openai", "1", "k")
    await asyncio.sleep(0.05)
    assert len(writes) == 1, "nothing had changed"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2}', b'{"cooldowns": [["x"]]}', b"\xff\xfe"])
async def test_health_file_damaged_file_is_reported_and_done_without(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    registry, file = kept(path)
    file.load()
    assert "damaged" in caplog.text
    assert registry.snapshot() == {"cooldowns": [], "windows": []}


async def test_health_file_no_file_is_no_news(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept(path)[1].load()
    assert caplog.text == ""


async def test_health_file_folder_that_cannot_be_written_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    _, file = kept(tmp_path / "state" / "health.json")
    file.load()
    file.save()
    assert "cannot be read" in caplog.text
    assert "cannot be written" in caplog.text


async def test_health_file_what_is_known_already_is_not_overwritten_by_what_is_older(path: Path) -> None:
    registry, file = kept(path)
    registry.failed("anthropic", "m", "k", REFUSED)
    file.save()
    later = HealthRegistry(lambda: NOW + 5)
    later.failed("anthropic", "m", "k", REFUSED)
    before = later.snapshot()
    HealthFile(path, later).load()
    assert later.snapshot() == before


def test_state_as_bytes_and_back() -> None:
    registry = HealthRegistry(lambda: NOW)
    registry.failed("anthropic", "m", None, REFUSED)
    registry.observe_headers("openai", None, USED_UP)
    state = state_of(registry)
    assert decode(encode(state)) == state
