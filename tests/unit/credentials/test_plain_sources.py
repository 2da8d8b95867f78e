"""Configuration, environment, Codex CLI, Claude Code and the host."""

from __future__ import annotations

import asyncio
import json

import pytest

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config.credentials import CredentialSettings
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.credentials.sources.environment import variables_of
from openclaw_oauthrouter.credentials.sources.host import KEPT_SECONDS, HostSource
from openclaw_oauthrouter.errors import CredentialError, CredentialExpired, CredentialNotFound

NOW = 2_000_000_000.0


async def only(chain, provider: str):
    (credential,) = await chain.resolve(provider)
    return credential


async def test_keys_and_headers_of_the_configuration(make_chain) -> None:
    chain = make_chain(
        providers={
            "anthropic": {"auth_header": "Bearer sk-ant-oat01-x"},
            "my-vllm": {"api_base": "http://127.0.0.1:1", "auth_header": {"name": "X-Key", "value": "v w"}},
            "openai": {"api_key": " sk-y "},
            "deepseek": {"api_key": "sk-z", "enabled": False},
        }
    )
    anthropic = await only(chain, "anthropic")
    assert (anthropic.kind, anthropic.secret, anthropic.header) == ("token", Secret("sk-ant-oat01-x"), None)
    own = await only(chain, "my-vllm")
    assert (own.kind, own.secret, own.header) == ("api_key", Secret("v w"), "X-Key")
    assert (await only(chain, "openai")).secret == Secret("sk-y")
    assert not chain.available("deepseek")


@pytest.mark.parametrize("value", ["", "line\nbreak", "naïve"])
async def test_plain_sources_header_that_no_server_takes_is_explained(make_chain, value) -> None:
    chain = make_chain(providers={"openai": {"auth_header": {"name": "Authorization", "value": value}}})
    with pytest.raises(CredentialNotFound, match="config:openai:authorization"):
        await chain.resolve("openai")


async def test_plain_sources_gateways_own_token_under_a_vendors_name_is_no_credential(make_chain) -> None:
    exported = {"OAUTHROUTER_LOCAL_TOKEN": "local", "OPENAI_API_KEY": "local", "ANTHROPIC_API_KEY": "sk-ant-api03-own"}
    chain = make_chain(exported)
    assert not chain.available("openai")
    assert (await only(chain, "anthropic")).secret == Secret("sk-ant-api03-own")


async def test_environment_variables(make_chain, jwt) -> None:
    chain = make_chain(
        {
            "ANTHROPIC_API_KEY": "sk-ant-api03-k",
            "ANTHROPIC_OAUTH_TOKEN": "sk-ant-oat01-t",
            "OPENAI_API_KEY": "  ",
            "MY_2ND_VLLM_API_KEY": "v",
            "DEEPSEEK_API_KEY": "line\nbreak",
        },
        providers={"my-2nd.vllm": {"api_base": "http://127.0.0.1:1"}},
    )
    assert [(item.name, item.kind) for item in await chain.resolve("anthropic")] == [
        ("env:ANTHROPIC_OAUTH_TOKEN", "token"),
        ("env:ANTHROPIC_API_KEY", "api_key"),
    ]
    assert (await only(chain, "my-2nd.vllm")).name == "env:MY_2ND_VLLM_API_KEY"
    assert not chain.available("openai")
    assert "env:DEEPSEEK_API_KEY" in chain.explain("deepseek")
    assert variables_of("openai-codex") == ()


async def test_codex_cli_is_read_only_when_allowed(state_dir, make_chain, jwt) -> None:
    folder = state_dir.parent / ".codex"
    folder.mkdir()
    file = folder / "auth.json"
    content = {"OPENAI_API_KEY": "sk-cli", "tokens": {"access_token": jwt(account="acct", exp=NOW + 9), "refresh_token": "r"}}
    file.write_text(json.dumps(content))
    file.chmod(0o600)
    assert not make_chain().available("openai-codex")
    chain = make_chain(credentials={"codex_cli": True})
    assert (await only(chain, "openai-codex")).account_id == "acct"
    assert (await only(chain, "openai")).secret == Secret("sk-cli")
    with pytest.raises(CredentialExpired, match="run `codex login`"):
        await make_chain(now=NOW + 9, credentials={"codex_cli": True}).resolve("openai-codex")
    assert json.loads(file.read_text()) == content
    elsewhere = make_chain({"CODEX_HOME": str(state_dir)}, credentials={"codex_cli": True})
    assert not elsewhere.available("openai-codex")


async def test_claude_code_is_read_only_when_allowed(state_dir, make_chain) -> None:
    folder = state_dir.parent / "claude"
    folder.mkdir()
    file = folder / ".credentials.json"
    login = {"accessToken": "sk-ant-oat01-c", "refreshToken": "r", "expiresAt": (NOW + 9) * 1000}
    file.write_text(json.dumps({"claudeAiOauth": login}))
    file.chmod(0o600)
    environ = {"CLAUDE_CONFIG_DIR": str(folder)}
    assert not make_chain(environ).available("anthropic")
    found = await only(make_chain(environ, credentials={"claude_code": True}), "anthropic")
    assert (found.kind, found.expires_at, found.source) == ("oauth", NOW + 9, "claude-code")
    with pytest.raises(CredentialExpired, match="start `claude` once"):
        await make_chain(environ, now=NOW + 9, credentials={"claude_code": True}).resolve("anthropic")


class Host:
    """A bridge whose answers a test sets."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.answers: dict[str, dict[str, object] | CredentialError] = {}
        self.asked: list[str] = []

    async def resolve(self, provider: str) -> dict[str, object]:
        self.asked.append(provider)
        answer = self.answers.get(provider, CredentialError("OpenClaw says: no credential"))
        if isinstance(answer, CredentialError):
            raise answer
        return answer


async def test_plain_sources_host_is_asked_once_a_minute_and_again_after_a_401() -> None:
    host, now = Host(), [NOW]
    chain = CredentialChain([HostSource(host, lambda: now[0])], CredentialSettings(), lambda: now[0])
    host.answers["anthropic"] = {"apiKey": "one"}
    assert chain.available("anthropic")
    first = await only(chain, "anthropic")
    assert (await only(chain, "anthropic")).secret == Secret("one")
    assert host.asked == ["anthropic"]
    assert await chain.renew(first) is None
    host.answers["anthropic"] = {"apiKey": "two"}
    assert (await chain.renew(first)).secret == Secret("two")
    now[0] += KEPT_SECONDS
    await chain.resolve("anthropic")
    assert host.asked == ["anthropic"] * 4


async def test_plain_sources_host_without_a_credential_is_not_asked_all_the_time() -> None:
    host = Host()
    chain = CredentialChain([HostSource(host, lambda: NOW)], CredentialSettings(), lambda: NOW)
    for _ in range(3):
        with pytest.raises(CredentialNotFound, match="OpenClaw says: no credential"):
            await chain.resolve("anthropic")
    assert not chain.available("anthropic")
    assert host.asked == ["anthropic"]


async def test_plain_sources_hosts_openai_credential_goes_only_where_it_fits(jwt) -> None:
    host = Host()
    host.answers["openai"] = {"apiKey": jwt(account="acct", exp=NOW + 9)}
    chain = CredentialChain([HostSource(host, lambda: NOW)], CredentialSettings(), lambda: NOW)
    codex = await only(chain, "openai-codex")
    assert (codex.account_id, codex.expires_at) == ("acct", NOW + 9)
    with pytest.raises(CredentialNotFound, match="of the other kind"):
        await chain.resolve("openai")


async def test_plain_sources_host_that_has_gone_is_not_asked() -> None:
    host = Host()
    host.closed.set()
    chain = CredentialChain([HostSource(host, lambda: NOW)], CredentialSettings(), lambda: NOW)
    assert not chain.available("anthropic")
    with pytest.raises(CredentialNotFound):
        await chain.resolve("anthropic")
    assert host.asked == []
