"""Auth-profile files: forms, order, expiry, and every way in which they can be damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.errors import CredentialError, CredentialExpired, CredentialNotFound

NOW = 2_000_000_000.0
KEY = {"type": "api_key", "provider": "anthropic", "key": "sk-ant-api03-x"}


def store(profiles: dict, **extra) -> dict:
    return {"version": 1, "profiles": profiles, **extra}


async def secrets(chain, provider: str) -> list[str]:
    return [item.secret.reveal() for item in await chain.resolve(provider)]


async def test_profile_files_all_types_and_spellings(write_profiles, make_chain, jwt) -> None:
    access = jwt(account="acct", exp=NOW + 500)
    write_profiles(
        store(
            {
                "anthropic:manual": {
                    "type": "token",
                    "provider": "anthropic",
                    "token": " sk-ant-oat01-t\n",
                    "expires": (NOW + 9) * 1000,
                },
                "anthropic:key": KEY,
                "openai:key": {"type": "api_key", "apiKey": "sk-openai"},
                "openai-codex:default": {"type": "oauth", "provider": "openai-codex", "access": access, "expires": 1},
                "deepseek:oddly-typed": {"mode": "api_key", "provider": "deepseek", "key": "dk"},
            }
        )
    )
    chain = make_chain()
    token, key = await chain.resolve("anthropic")
    assert (token.kind, token.secret, token.expires_at, token.name) == (
        "token",
        Secret("sk-ant-oat01-t"),
        NOW + 9,
        "anthropic:manual",
    )
    assert (key.kind, key.expires_at) == ("api_key", None)
    assert await secrets(chain, "openai") == ["sk-openai"]
    assert await secrets(chain, "deepseek") == ["dk"]
    (codex,) = await chain.resolve("openai-codex")
    # The file lies about the expiry; the token does not.
    assert (codex.account_id, codex.expires_at, codex.kind, codex.source) == ("acct", NOW + 500, "oauth", "auth-profiles")


async def test_profile_files_chatgpt_sign_in_filed_under_openai_serves_codex_only(write_profiles, make_chain, jwt) -> None:
    write_profiles(
        store({"openai:chatgpt-default": {"type": "oauth", "provider": "openai", "access": jwt(exp=NOW + 9), "accountId": "a"}})
    )
    chain = make_chain()
    assert (await chain.resolve("openai-codex"))[0].account_id == "a"
    with pytest.raises(CredentialNotFound):
        await chain.resolve("openai")


async def test_profile_files_flat_legacy_form(write_profiles, make_chain) -> None:
    write_profiles({"anthropic:a": KEY, "order": {"anthropic": ["anthropic:a"]}, "version": 1})
    assert await secrets(make_chain(), "anthropic") == ["sk-ant-api03-x"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, ["a", "b", "c"]),
        ({"order": {"anthropic": ["x:c", "x:a"]}}, ["c", "a", "b"]),
        ({"lastGood": {"anthropic": "x:b"}, "order": {"anthropic": ["x:c", "x:a"]}}, ["b", "c", "a"]),
        ({"lastGood": {"anthropic": "x:gone"}, "order": ["wrong"]}, ["a", "b", "c"]),
        ({"lastGood": "wrong", "order": {"anthropic": 7}}, ["a", "b", "c"]),
    ],
)
async def test_last_good_then_order_then_as_filed(write_profiles, make_chain, state, expected) -> None:
    profiles = {f"x:{name}": {"type": "api_key", "provider": "anthropic", "key": name} for name in "abc"}
    write_profiles(store(profiles, **state))
    assert await secrets(make_chain(), "anthropic") == expected


async def test_profile_files_agents_own_file_comes_before_the_shared_one(write_profiles, make_chain) -> None:
    write_profiles(store({"anthropic:shared": KEY | {"key": "shared"}}))
    write_profiles(store({"anthropic:own": KEY | {"key": "own"}}), agent="work")
    assert await secrets(make_chain(credentials={"agent": "work"}), "anthropic") == ["own", "shared"]
    assert await secrets(make_chain(), "anthropic") == ["shared"]


@pytest.mark.parametrize(
    ("entry", "expires_at"),
    [
        ({"expires": NOW + 60}, NOW + 60),
        ({"expires": (NOW + 60) * 1000}, NOW + 60),
        ({"expiresAt": NOW + 60}, NOW + 60),
        ({"expires": 1, "expiresAt": (NOW + 60) * 1000}, NOW + 60),  # the original leaves the other one stale
        ({"expires": 0}, None),
        ({"expires": "soon"}, None),
        ({"expires": True}, None),
        ({"expires": -5}, None),
        ({"expires": 1e300}, None),
        ({"expires": 99999999999999999}, None),
        ({"expires": 10**30, "expiresAt": (NOW + 60) * 1000}, NOW + 60),
        ({"expires": 253402300799000}, 253402300799),
        ({}, None),
    ],
)
async def test_expiry_in_seconds_and_milliseconds(write_profiles, make_chain, entry, expires_at) -> None:
    write_profiles(store({"anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", **entry}}))
    assert (await make_chain().resolve("anthropic"))[0].expires_at == expires_at


async def test_profile_files_expired_token_is_explained_not_sent(write_profiles, make_chain) -> None:
    write_profiles(store({"anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", "expires": NOW}}))
    with pytest.raises(
        CredentialExpired, match="'anthropic:t' has expired; run `openclaw models auth login --provider anthropic`"
    ):
        await make_chain().resolve("anthropic")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("text", "is no object"),
        ({"type": "passkey", "provider": "anthropic"}, "no known type"),
        ({"type": "token", "provider": "anthropic"}, "is empty"),
        ({"type": "token", "provider": "anthropic", "token": {"nested": 1}}, "is empty"),
        ({"type": "token", "provider": "anthropic", "token": "two words"}, "contains spaces"),
        ({"type": "token", "provider": "anthropic", "token": "a\r\nx-evil: 1"}, "contains spaces"),
        ({"type": "token", "provider": "anthropic", "token": "schlüssel"}, "contains spaces"),
        ({"type": "token", "provider": "anthropic", "token": "x" * 20_000}, "longer than"),
        ({"type": "api_key", "provider": "anthropic", "keyRef": {"source": "exec", "id": "x"}}, r"reference \(source 'exec'\)"),
        ({"type": "api_key", "provider": "anthropic", "key": "k", "setup": {"step": 1}}, "not finished"),
        (
            {"type": "oauth", "provider": "anthropic", "access": "openclaw-oauth-refresh-fence:v1:ab:access:cd"},
            "renewing it this moment",
        ),
        (
            {"type": "oauth", "provider": "anthropic", "access": "openclaw-oauth-refresh-fence:v1:ab:failed:access:cd"},
            "renewal of it failed",
        ),
    ],
)
async def test_profile_files_damaged_entry_is_explained_and_the_others_keep_working(
    write_profiles, make_chain, entry, reason
) -> None:
    write_profiles(store({"anthropic:bad": entry}))
    with pytest.raises(CredentialError, match=f"'anthropic:bad': .*{reason}"):
        await make_chain().resolve("anthropic")
    write_profiles(store({"anthropic:bad": entry, "anthropic:good": KEY}))
    assert await secrets(make_chain(), "anthropic") == ["sk-ant-api03-x"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b'{"profiles": {', "is not valid JSON"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[1, 2]", "holds no JSON object"),
        (b"null", "holds no JSON object"),
        (b'{"profiles": [1]}', '"profiles" that is no object'),
        (b"{" + b" " * (4 * 1024 * 1024) + b"}", "larger than 4 MB"),
    ],
)
async def test_profile_files_damaged_file_is_explained_and_other_sources_keep_working(
    write_profiles, make_chain, content, reason
) -> None:
    path = write_profiles(content)
    with pytest.raises(CredentialNotFound, match=f"auth-profiles.json' .*{reason}") as caught:
        await make_chain().resolve("anthropic")
    assert str(path) in str(caught.value)
    assert await secrets(make_chain({"ANTHROPIC_API_KEY": "k"}), "anthropic") == ["k"]


async def test_profile_files_byte_order_mark_is_no_damage(write_profiles, make_chain) -> None:
    write_profiles(b"\xef\xbb\xbf" + json.dumps(store({"anthropic:k": KEY})).encode())
    assert await secrets(make_chain(), "anthropic") == ["sk-ant-api03-x"]


def put_folder(path: Path) -> None:
    path.mkdir()


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.json")


def put_looping_link(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        (put_folder, "is not a plain file"),
        (put_pipe, "is not a plain file"),
        (put_dangling_link, "leads nowhere"),
        (put_looping_link, "cannot be read"),
    ],
)
async def test_profile_files_what_is_no_file_is_explained(state_dir, make_chain, put, reason) -> None:
    put(state_dir / "auth-profiles.json")
    with pytest.raises(CredentialNotFound, match=reason):
        await make_chain().resolve("anthropic")


async def test_profile_files_link_to_a_file_is_followed(state_dir, write_profiles, make_chain) -> None:
    path = write_profiles(store({"anthropic:k": KEY}))
    path.rename(state_dir / "elsewhere.json")
    path.symlink_to("elsewhere.json")
    assert await secrets(make_chain(), "anthropic") == ["sk-ant-api03-x"]


async def test_profile_files_unreadable_file_is_explained(write_profiles, make_chain, monkeypatch) -> None:
    path = write_profiles(store({"anthropic:k": KEY}))

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)  # root may read everything, hence no chmod
    with pytest.raises(CredentialNotFound, match=r"\(Permission denied\); check its owner and permissions"):
        await make_chain().resolve("anthropic")


async def test_profile_files_file_of_another_user_is_refused(write_profiles, make_chain, monkeypatch) -> None:
    path = write_profiles(store({"anthropic:k": KEY}))
    owner = path.stat().st_uid
    if owner == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(CredentialNotFound, match="belongs to another user"):
        await make_chain().resolve("anthropic")


async def test_profile_files_file_open_to_others_is_used_and_warned_of_once(write_profiles, make_chain, caplog) -> None:
    write_profiles(store({"anthropic:k": KEY})).chmod(0o644)
    chain = make_chain()
    for _ in range(3):
        assert await secrets(chain, "anthropic") == ["sk-ant-api03-x"]
    assert caplog.text.count("chmod 600") == 1


async def test_profile_files_changed_file_is_read_again(write_profiles, make_chain) -> None:
    chain = make_chain()
    with pytest.raises(CredentialNotFound):
        await chain.resolve("anthropic")
    path = write_profiles(store({"anthropic:k": KEY | {"key": "one"}}))
    assert await secrets(chain, "anthropic") == ["one"]
    write_profiles(store({"anthropic:k": KEY | {"key": "two"}}))  # same size, perhaps the same tick of the clock
    assert await secrets(chain, "anthropic") == ["two"]
    path.unlink()
    with pytest.raises(CredentialNotFound):
        await chain.resolve("anthropic")


async def test_profile_files_unchanged_file_is_not_read_again(write_profiles, make_chain, monkeypatch) -> None:
    path = write_profiles(store({"anthropic:k": KEY}))
    os.utime(path, (1000, 1000))
    chain = make_chain()
    assert await secrets(chain, "anthropic") == ["sk-ant-api03-x"]
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("read again"))
    assert await secrets(chain, "anthropic") == ["sk-ant-api03-x"]
