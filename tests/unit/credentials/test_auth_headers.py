"""The original's auth profile helpers."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_oauthrouter.auth_headers import (
    get_anthropic_api_key_header,
    get_anthropic_auth_header,
    get_openai_auth_header,
    get_openai_codex_auth_header,
)
from openclaw_oauthrouter.errors import CredentialExpired, CredentialNotFound

LATER = 4e12  # milliseconds


@pytest.fixture
def empty(state_dir: Path) -> dict[str, str]:
    """An environment that says nothing but where things lie."""
    return {"OPENCLAW_STATE_DIR": str(state_dir), "OAUTHROUTER_HOME": str(state_dir / "oauthrouter")}


def test_headers_from_auth_profiles(write_profiles, empty) -> None:
    write_profiles(
        {
            "profiles": {
                "anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t"},
                "anthropic:k": {"type": "api_key", "provider": "anthropic", "key": "sk-ant-api03-k"},
                "openai:k": {"type": "api_key", "provider": "openai", "key": "sk-o"},
            }
        }
    )
    assert get_anthropic_auth_header(environ=empty) == {"Authorization": "Bearer sk-ant-oat01-t"}
    assert get_anthropic_api_key_header(environ=empty) == {"x-api-key": "sk-ant-api03-k"}
    assert get_openai_auth_header(environ=empty) == {"Authorization": "Bearer sk-o"}


async def test_codex_header(write_profiles, empty, jwt) -> None:
    access = jwt(account="a", exp=4e9)
    write_profiles({"profiles": {"openai-codex:default": {"type": "oauth", "provider": "openai-codex", "access": access}}})
    assert await get_openai_codex_auth_header(environ=empty) == {
        "Authorization": f"Bearer {access}",
        "profileId": "openai-codex:default",
        "refreshed": False,
    }


async def test_auth_headers_what_is_missing_is_said(write_profiles, empty) -> None:
    for helper in (get_anthropic_auth_header, get_anthropic_api_key_header, get_openai_auth_header):
        with pytest.raises(CredentialNotFound):
            helper(environ=empty)
    write_profiles(
        {"profiles": {"anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", "expires": 1}}}
    )
    with pytest.raises(CredentialExpired):
        get_anthropic_auth_header(environ=empty)
    with pytest.raises(CredentialNotFound, match="is an Anthropic API key"):
        get_anthropic_api_key_header(environ=empty | {"ANTHROPIC_OAUTH_TOKEN": "sk-ant-oat01-e"})
    with pytest.raises(CredentialNotFound):
        await get_openai_codex_auth_header(environ=empty)
