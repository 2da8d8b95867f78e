"""Renewal within one process: when, how often, and what happens when it fails."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials import profile_file
from openclaw_oauthrouter.credentials.builtin import builtin_sources
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.credentials.renewing_profiles import lead_seconds
from openclaw_oauthrouter.errors import CredentialExpired, RefreshFailed


class Clock:
    """Runs with the real one, as files have its times, but can be put forward."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_chain(expired_profiles: Path, token_server, clock: Clock) -> Callable[..., CredentialChain]:
    def make(**options: Any) -> CredentialChain:
        state_dir = expired_profiles.parent
        credentials = {"openclaw_state_dir": state_dir, "openai_token_url": token_server.url, **options}
        settings = Settings(home=state_dir / "oauthrouter", credentials=credentials)
        return CredentialChain(builtin_sources(settings, {}, clock, lambda: 0.5), settings.credentials, clock)

    return make


def edit(path: Path, **fields: Any) -> None:
    store = json.loads(path.read_text())
    store["profiles"]["openai-codex:default"] |= fields
    path.write_text(json.dumps(store))


def profile(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())["profiles"]["openai-codex:default"]


async def secret(chain: CredentialChain) -> str:
    return (await chain.resolve("openai-codex"))[0].secret.reveal()


async def settle(chain: CredentialChain) -> None:
    """Wait for renewals in the background: a further question of the same file's worker comes after them."""
    for source in chain.sources:
        for file in getattr(source, "_files", ()):
            await asyncio.wrap_future(file._thread.submit(int))


async def test_many_questions_at_once_make_one_call(make_chain, token_server) -> None:
    token_server.pause = 0.2
    chain = make_chain()
    assert chain.available("openai-codex")
    assert chain.explain("openai-codex") == (
        "provider 'openai-codex' authenticates through source 'auth-profiles', which renews or fetches its credential when asked"
    )
    assert len(set(await asyncio.gather(*(secret(chain) for _ in range(60))))) == 1
    assert len(token_server.forms) == 1


async def test_token_renewal_caller_who_leaves_does_not_lose_the_new_tokens(make_chain, token_server, expired_profiles) -> None:
    token_server.pause = 0.2
    chain = make_chain()
    asking = asyncio.ensure_future(secret(chain))
    while not expired_profiles.with_name("auth-profiles.json.lock").exists():
        await asyncio.sleep(0.005)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await secret(chain) == profile(expired_profiles)["access"]
    assert profile(expired_profiles)["refresh"] == "refresh-1"
    assert len(token_server.forms) == 1


async def test_token_renewal_token_near_its_end_is_used_while_it_is_renewed(
    make_chain, token_server, expired_profiles, clock
) -> None:
    chain = make_chain()
    first = await secret(chain)
    clock.ahead = 3600 - lead_seconds(0.5) - 5
    assert await secret(chain) == first
    await settle(chain)
    assert len(token_server.forms) == 1
    clock.ahead += 10
    assert await secret(chain) == first
    await settle(chain)
    assert len(token_server.forms) == 2
    assert await secret(chain) == profile(expired_profiles)["access"] != first


def test_processes_renew_between_one_and_five_minutes_early() -> None:
    assert (lead_seconds(0.0), lead_seconds(1.0)) == (60.0, 300.0)


async def test_token_renewal_failing_early_renewal_is_logged_and_the_old_token_used(
    make_chain, token_server, clock, caplog
) -> None:
    chain = make_chain()
    first = await secret(chain)
    clock.ahead = 3600 - 60
    token_server.refuse_with = (503, {}, b"SECRET-BODY")
    assert await secret(chain) == first
    await settle(chain)
    assert await secret(chain) == first
    assert caplog.text.count("answered 503") == 1
    assert len(token_server.forms) == 2
    assert "SECRET-BODY" not in caplog.text


@pytest.mark.parametrize("spelling", ["seconds", "date"])
async def test_token_renewal_endpoint_is_not_asked_before_it_wants_to_be(make_chain, token_server, clock, spelling) -> None:
    wait = "40" if spelling == "seconds" else formatdate(time.time() + 40, usegmt=True)
    token_server.refuse_with = (429, {"retry-after": wait}, b"{}")
    chain = make_chain()
    for _ in range(3):
        with pytest.raises(RefreshFailed, match="answered 429") as caught:
            await secret(chain)
    assert 0 < caught.value.retry_after <= 40
    assert len(token_server.forms) == 1
    token_server.refuse_with = None
    clock.ahead = 41
    await secret(chain)
    assert len(token_server.forms) == 2


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b'{"error": "invalid_grant", "error_description": "SECRET-BODY"}', r"answered 400 \(invalid_grant\)"),
        (401, b'{"error": {"code": "refresh_token_reused", "message": "SECRET-BODY"}}', r"answered 401 \(refresh_token_reused\)"),
        (400, b'{"error": "SECRET BODY <script>"}', r"answered 400"),
    ],
)
async def test_token_renewal_spent_token_is_not_sent_twice_and_never_cleared(
    make_chain, token_server, expired_profiles, status, body, reason
) -> None:
    before = expired_profiles.read_bytes()
    token_server.refuse_with = (status, {}, body)
    chain = make_chain()
    with pytest.raises(RefreshFailed, match=reason) as caught:
        await secret(chain)
    assert "SECRET" not in str(caught.value)
    assert not chain.available("openai-codex")
    with pytest.raises(CredentialExpired):
        await secret(chain)
    assert len(token_server.forms) == 1
    assert expired_profiles.read_bytes() == before
    token_server.refuse_with = None
    edit(expired_profiles, refresh="refresh-0-new-login")
    token_server.valid = {"refresh-0-new-login"}
    await secret(chain)
    assert len(token_server.forms) == 2


async def test_token_renewal_renewal_by_a_program_without_our_lock_is_taken_over(
    make_chain, token_server, expired_profiles
) -> None:
    def renewed_meanwhile(form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        edit(expired_profiles, access="access-of-the-other", refresh="refresh-of-the-other", expires=(time.time() + 99) * 1000)
        return 401, {}, b'{"error": {"code": "refresh_token_reused"}}'

    token_server.answer = renewed_meanwhile
    assert await secret(make_chain()) == "access-of-the-other"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"access_token": 7}'])
async def test_token_renewal_answer_without_a_token_changes_nothing(make_chain, token_server, expired_profiles, answer) -> None:
    before = expired_profiles.read_bytes()
    token_server.refuse_with = (200, {}, answer)
    with pytest.raises(RefreshFailed, match="without an access token"):
        await secret(make_chain())
    assert expired_profiles.read_bytes() == before


async def test_token_renewal_endpoint_that_is_not_there(make_chain, token_server) -> None:
    with pytest.raises(RefreshFailed, match="did not answer"):
        await secret(make_chain(openai_token_url="http://127.0.0.1:9/"))


async def test_redirects_are_not_followed(make_chain, token_server) -> None:
    token_server.refuse_with = (307, {"location": token_server.url}, b"")
    with pytest.raises(RefreshFailed, match="answered 307"):
        await secret(make_chain())
    assert len(token_server.forms) == 1


async def test_token_renewal_new_tokens_a_full_disk_refuses_are_kept_and_written_later(
    make_chain, token_server, expired_profiles, monkeypatch, caplog
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(profile_file, "write_private", full)
        chain = make_chain()
        renewed = await secret(chain)
        assert profile(expired_profiles)["refresh"] == "refresh-0"
        assert await secret(chain) == renewed
        await settle(chain)
    assert "No space left" in caplog.text
    assert renewed not in caplog.text
    assert await secret(chain) == renewed
    await settle(chain)
    assert profile(expired_profiles)["access"] == renewed
    assert profile(expired_profiles)["refresh"] == "refresh-1"
    assert len(token_server.forms) == 1


async def test_token_renewal_new_tokens_that_cannot_be_written_as_json_are_kept(
    make_chain, token_server, expired_profiles, monkeypatch, caplog
) -> None:
    fields = profile_file.renewed_fields
    monkeypatch.setattr(profile_file, "renewed_fields", lambda *given: {**fields(*given), "odd": 2**70})
    chain = make_chain()
    renewed = await secret(chain)
    assert await secret(chain) == renewed
    await settle(chain)
    assert "cannot be written" in caplog.text
    assert profile(expired_profiles)["refresh"] == "refresh-0"
    assert len(token_server.forms) == 1


@pytest.mark.parametrize("lifetime", [1e300, 10**30])
async def test_token_renewal_token_of_nearly_endless_life_is_kept(make_chain, token_server, expired_profiles, lifetime) -> None:
    answer = {"access_token": "opaque", "refresh_token": "next", "expires_in": lifetime}
    token_server.refuse_with = (200, {}, json.dumps(answer).encode())
    assert await secret(make_chain()) == "opaque"
    assert (profile(expired_profiles)["refresh"], profile(expired_profiles)["expires"]) == ("next", 253402300799000)


async def test_after_a_401_the_token_is_renewed_once(make_chain, token_server, clock) -> None:
    chain = make_chain()
    first = (await chain.resolve("openai-codex"))[0]
    assert await chain.renew(first) is None  # brand-new: its age is not why it was refused
    clock.ahead = 61
    second = await chain.renew(first)
    assert second.secret != first.secret
    assert len(token_server.forms) == 2
    # A request that was under way with the old token gets the new one without another call.
    assert (await chain.renew(first)).secret == second.secret
    assert len(token_server.forms) == 2


@pytest.mark.parametrize(
    ("option", "database", "renewed"),
    [("auto", False, True), ("auto", True, False), ("always", True, True), ("never", False, False)],
)
async def test_whose_file_it_is(make_chain, token_server, expired_profiles, option, database, renewed) -> None:
    if database:
        (expired_profiles.parent / "state").mkdir()
        (expired_profiles.parent / "state" / "openclaw.sqlite").touch()
    chain = make_chain(refresh_auth_profiles=option, order=("auth-profiles",))
    before = expired_profiles.read_bytes()
    assert chain.available("openai-codex") is renewed
    if renewed:
        await secret(chain)
    else:
        with pytest.raises(CredentialExpired, match="openclaw models auth login"):
            await secret(chain)
        assert expired_profiles.read_bytes() == before
    assert len(token_server.forms) == renewed


async def test_anthropic_sign_ins_are_never_renewed(make_chain, token_server, expired_profiles) -> None:
    edit(expired_profiles, provider="anthropic", access="sk-ant-oat01-x")
    store = json.loads(expired_profiles.read_text())
    del store["profiles"]["anthropic:key"]
    expired_profiles.write_text(json.dumps(store))
    with pytest.raises(CredentialExpired):
        await make_chain().resolve("anthropic")
    assert token_server.forms == []


async def test_token_renewal_profile_that_has_gone_meanwhile(make_chain, token_server, expired_profiles) -> None:
    chain = make_chain()
    source = next(source for source in chain.sources if source.name == "auth-profiles")
    ((file, seen),) = source._profiles("openai-codex")
    expired_profiles.write_text('{"profiles": {}}')
    with pytest.raises(Exception, match="is no longer in"):
        await asyncio.wrap_future(file.renew(seen))
    assert token_server.forms == []
