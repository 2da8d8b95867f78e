"""OpenClaw's databases: overrides, state rows, fences, references, and other processes writing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from openclaw_oauthrouter.errors import CredentialExpired, CredentialNotFound

NOW = 2_000_000_000.0
KEY = {"type": "api_key", "provider": "anthropic", "key": "shared-key"}


@pytest.fixture
def write_shared(state_dir: Path) -> Callable[..., Path]:
    def write(profiles: object, state: object = None, *, wal: bool = False) -> Path:
        path = state_dir / "state" / "openclaw.sqlite"
        path.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA journal_mode = {'wal' if wal else 'delete'}")
            db.execute("CREATE TABLE IF NOT EXISTS config_machine_state (state_key PRIMARY KEY, value_json, updated_at_ms)")
            rows = {
                "authProfiles.store": {"version": 1, "profiles": profiles},
                "authProfiles.state": state,
                "auth.sharedStore": {},
            }
            for key, value in rows.items():
                db.execute(
                    "REPLACE INTO config_machine_state VALUES (?, ?, 0)", (key, json.dumps(value) if value is not None else None)
                )
            db.commit()
        return path

    return write


@pytest.fixture
def write_agent(state_dir: Path) -> Callable[..., Path]:
    def write(profiles: object, state: object) -> Path:
        path = state_dir / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
        path.parent.mkdir(parents=True)
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE auth_profile_store (store_key, store_json, updated_at)")
            db.execute("CREATE TABLE auth_profile_state (state_key, state_json, updated_at)")
            db.execute("INSERT INTO auth_profile_store VALUES ('primary', ?, 0)", (json.dumps({"profiles": profiles}),))
            db.execute("INSERT INTO auth_profile_state VALUES ('primary', ?, 0)", (json.dumps(state),))
            db.commit()
        return path

    return write


@pytest.mark.parametrize("expires", [1e300, 10**30, -1])
async def test_openclaw_source_row_with_an_odd_time_never_expires(write_shared, make_chain, expires) -> None:
    write_shared({"anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", "expires": expires}})
    assert (await make_chain().resolve("anthropic"))[0].expires_at is None


async def found(chain, provider: str) -> list[tuple[str, str]]:
    return [(item.name, item.secret.reveal()) for item in await chain.resolve(provider)]


async def test_profiles_of_the_shared_store_in_the_order_of_the_state_row(write_shared, make_chain) -> None:
    write_shared({"a": KEY | {"key": "1"}, "b": KEY | {"key": "2"}, "c": KEY | {"key": "3"}}, {"lastGood": {"anthropic": "c"}})
    assert await found(make_chain(), "anthropic") == [("c", "3"), ("a", "1"), ("b", "2")]


async def test_openclaw_source_agents_profiles_and_state_stand_in_the_place_of_the_shared_ones(
    write_shared, write_agent, make_chain
) -> None:
    write_shared({"a": KEY, "b": KEY | {"key": "2"}}, {"order": {"anthropic": ["b", "a"]}})
    write_agent({"a": KEY | {"key": "own"}}, {"order": {"anthropic": ["a"]}})
    assert await found(make_chain(), "anthropic") == [("a", "own"), ("b", "2")]


async def test_openclaw_source_chatgpt_sign_in_serves_codex_and_is_renewed_by_openclaw_only(
    write_shared, make_chain, jwt
) -> None:
    profile = {"type": "oauth", "provider": "openai", "access": jwt(account="acct", exp=NOW + 5), "refresh": "r", "expires": 1}
    write_shared({"openai:chatgpt-default": profile})
    chain = make_chain()
    assert (await chain.resolve("openai-codex"))[0].account_id == "acct"
    late = make_chain(now=NOW + 5)
    assert not late.available("openai-codex")
    with pytest.raises(CredentialExpired, match="run `openclaw models auth login --provider openai`"):
        await late.resolve("openai-codex")


async def test_fences_unfinished_set_ups_and_references(write_shared, make_chain) -> None:
    fence = "openclaw-oauth-refresh-fence:v1:00:access:ff"
    write_shared(
        {
            "openai:chatgpt-default": {"type": "oauth", "provider": "openai", "access": fence, "refresh": fence, "expires": 1},
            "anthropic:set-up": KEY | {"setup": {"state": "pending"}},
            "deepseek:env": {"type": "api_key", "provider": "deepseek", "keyRef": {"source": "env", "id": "DS"}},
            "openai:vault": {"type": "api_key", "provider": "openai", "keyRef": {"source": "exec", "id": "op"}},
        }
    )
    chain = make_chain({"DS": "from-the-environment"})
    assert await found(chain, "deepseek") == [("deepseek:env", "from-the-environment")]
    for provider, reason in {
        "openai-codex": "renewing it this moment",
        "anthropic": "set-up",
        "openai": "only OpenClaw resolves",
    }.items():
        with pytest.raises(CredentialNotFound, match=reason):
            await chain.resolve(provider)


async def test_reading_leaves_no_files_behind(write_shared, make_chain) -> None:
    path = write_shared({"a": KEY}, wal=True)
    await make_chain().resolve("anthropic")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


WRITER = """
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA wal_autocheckpoint = 3")
for line in sys.stdin:
    db.execute("BEGIN IMMEDIATE")
    store = json.dumps({"profiles": {"a": {"type": "api_key", "provider": "anthropic", "key": line.strip()}}, "pad": "x" * 9000})
    db.execute("REPLACE INTO config_machine_state VALUES ('authProfiles.store', ?, 0)", (store,))
    print("written", flush=True)
    sys.stdin.readline()
    db.execute("COMMIT")
    print("committed", flush=True)
"""


async def test_openclaw_source_another_process_writes_all_the_while(write_shared, make_chain) -> None:
    path = write_shared({"a": KEY | {"key": "0"}}, wal=True)
    chain = make_chain()
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        for number in range(1, 20):
            writer.stdin.write(f"{number}\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "written\n"
            assert await found(chain, "anthropic") == [("a", str(number - 1))]  # the transaction is open: the old state counts
            writer.stdin.write("commit\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "committed\n"
            assert await found(chain, "anthropic") == [("a", str(number))]
        writer.stdin.close()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 100), "not a database"),
        (lambda path: path.write_bytes(b""), "no such table"),
        (lambda path: sqlite3.connect(path).execute("DROP TABLE config_machine_state").connection.close(), "no such table"),
    ],
)
async def test_openclaw_source_damaged_database_is_explained_and_others_keep_working(
    write_shared, make_chain, spoil, reason
) -> None:
    spoil(write_shared({"a": KEY}))
    with pytest.raises(CredentialNotFound, match=f"{reason}.*openclaw doctor"):
        await make_chain().resolve("anthropic")
    assert await found(make_chain({"ANTHROPIC_API_KEY": "k"}), "anthropic") == [("env:ANTHROPIC_API_KEY", "k")]


@pytest.mark.parametrize("row", ["", "{", "[]", '{"profiles": 7}'])
async def test_openclaw_source_damaged_row_is_explained(write_shared, make_chain, row) -> None:
    path = write_shared({"a": KEY})
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE config_machine_state SET value_json = ? WHERE state_key = 'authProfiles.store'", (row,))
        db.commit()
    with pytest.raises(CredentialNotFound):
        await make_chain().resolve("anthropic")
    assert await found(make_chain({"ANTHROPIC_API_KEY": "k"}), "anthropic") == [("env:ANTHROPIC_API_KEY", "k")]
