"""A secret is in no repr, no log, no exception and no output, whatever happens to its file."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.cli.auth import command
from openclaw_oauthrouter.credentials.profiles import parse_store, read_profile
from openclaw_oauthrouter.credentials.refresh import TokenEndpoint, TokenSet, read_tokens, refresh_request
from openclaw_oauthrouter.errors import OAuthRouterError

CANARY = "sk-ant-oat01-CANARY"
ENTRIES = [
    {"type": "token", "provider": "anthropic", "token": CANARY},
    {"type": "token", "provider": "anthropic", "token": CANARY, "expires": 1},
    {"type": "token", "provider": "anthropic", "token": f"{CANARY} with blanks"},
    {"type": "token", "provider": "anthropic", "token": CANARY * 2000},
    {"type": "oauth", "provider": "anthropic", "access": CANARY, "refresh": CANARY, "expires": 1},
    {"type": "api_key", "provider": "anthropic", "key": CANARY, "setup": True},
    {"type": CANARY, "provider": "anthropic", "token": CANARY},
    {"type": "api_key", "provider": "anthropic", "keyRef": {"source": "exec", "id": CANARY}},
]


@pytest.mark.parametrize("entry", ENTRIES)
async def test_secrets_stay_hidden_not_by_any_profile(entry, write_profiles, make_chain, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    write_profiles({"profiles": {"anthropic:x": entry}})
    chain = make_chain()
    seen = [chain.explain("anthropic"), repr(read_profile("anthropic:x", entry))]
    try:
        seen.append(repr(await chain.resolve("anthropic")))
    except OAuthRouterError:
        seen.append(traceback.format_exc())
    for source in chain.sources:
        findings = getattr(source, "findings", list)()
        seen += [repr(findings), repr(vars(source))]
    for arguments in (["status"], ["status", "--json"], ["status", "anthropic"]):
        seen.append(CliRunner().invoke(command, arguments, obj={}).output)
    assert "CANARY" not in "\n".join([*seen, caplog.text])


@pytest.mark.parametrize("content", [f'{{"profiles": {{"a": "{CANARY}', f'["{CANARY}"]', f'{{"profiles": "{CANARY}"}}'])
async def test_secrets_stay_hidden_not_by_a_damaged_file(content, write_profiles, make_chain, caplog) -> None:
    write_profiles(content.encode())
    with pytest.raises(OAuthRouterError) as caught:
        await make_chain().resolve("anthropic")
    assert "CANARY" not in "".join(traceback.format_exception(caught.value)) + caplog.text


def test_secrets_stay_hidden_not_by_the_refresh() -> None:
    request = refresh_request(TokenEndpoint("https://example.org/token", "client"), Secret(CANARY))
    assert "CANARY" not in repr(request) + repr(request.headers)
    tokens = read_tokens(200, {}, json.dumps({"access_token": CANARY, "refresh_token": CANARY, "id_token": CANARY}).encode(), 0.0)
    assert "CANARY" not in repr(tokens)
    assert tokens == TokenSet(Secret(CANARY), Secret(CANARY), Secret(CANARY))


NAMES = [
    "type",
    "mode",
    "provider",
    "token",
    "key",
    "apiKey",
    "access",
    "refresh",
    "expires",
    "expiresAt",
    "keyRef",
    "setup",
    "other",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["token", "api_key", "oauth", "openai", "", " ", "secret", "\x00"])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.just({"source": "env", "id": 7})
STORES = st.dictionaries(
    st.sampled_from(["profiles", "order", "lastGood", "anthropic:x", ":", ""]),
    st.dictionaries(st.sampled_from(NAMES), VALUES) | VALUES,
)


@given(STORES)
def test_secrets_stay_hidden_any_object_is_a_store_or_a_plain_complaint(content) -> None:
    for shape in (content, {"profiles": content}):
        data = json.dumps(shape).encode()
        if not isinstance(shape.get("profiles", {}), dict):
            with pytest.raises(ValueError, match="restore it"):
                parse_store(data)
            continue
        assert all(profile.problem or profile.secret for profile in parse_store(data).profiles)
