"""``auth login openai`` against a token endpoint on loopback, with the browser played by the test."""

from __future__ import annotations

import json
import stat
import threading
import time
import urllib.request
import webbrowser
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli.auth import command
from openclaw_oauthrouter.credentials.chatgpt_login import SCOPE

ISSUED = "oaiapp_1"


def unsigned(claims: dict[str, object]) -> str:
    return f"e30.{urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.s"


class Vendor:
    """The authorize page and the token endpoint; ``grant`` and ``callback`` spoil their answers."""

    def __init__(self, token_server) -> None:
        self.server = token_server
        self.pages: list[dict[str, str]] = []
        self.grant: dict[str, object] = {}
        self.callback: dict[str, str | None] = {}
        token_server.answer = self.answer

    def visit(self, url: str) -> str:
        """The user agrees; returns the address the browser ends at."""
        page = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        self.pages.append(page)
        told = {"code": "one-time-code", "state": page["state"], "client_id": ISSUED, **self.callback}
        return f"{page['redirect_uri']}?{urlencode({key: value for key, value in told.items() if value is not None})}"

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.server.forms.append(form)
        page = self.pages[-1]
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if form["grant_type"] == "authorization_code" and challenge != page["code_challenge"]:
            return 400, {}, b'{"error": "invalid_grant"}'
        answer = {
            "access_token": unsigned({"exp": time.time() + 3600, "n": len(self.server.forms)}),
            "refresh_token": f"refresh-{len(self.server.forms)}",
            "id_token": unsigned({"aud": ISSUED, "nonce": page["nonce"], "email": "a@example.org"}),
            "expires_in": 3600,
            "scope": SCOPE,
            **self.grant,
        }
        return 200, {}, json.dumps(answer).encode()


@pytest.fixture
def vendor(token_server) -> Vendor:
    return Vendor(token_server)


@pytest.fixture
def login(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OAUTHROUTER_SIWC_TOKEN_URL", vendor.server.url)
    visits: list[threading.Thread] = []

    def browser(url: str) -> None:
        address = vendor.visit(url)
        visits.append(threading.Thread(target=lambda: urllib.request.urlopen(address, timeout=5).close()))
        visits[-1].start()

    monkeypatch.setattr(webbrowser, "open", browser)

    def run(*arguments: str, **options) -> Result:
        result = CliRunner().invoke(command, ["login", "openai", "--port", "0", "--timeout", "5", *arguments], **options)
        for visit in visits:
            visit.join()
        return result

    return run


def kept(home: Path) -> dict:
    path = home / ".openclaw" / "oauthrouter" / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    return json.loads(path.read_text())["profiles"]["openai-chatgpt:default"]


def test_sign_in_with_a_browser(login, vendor, tmp_path) -> None:
    result = login("--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"added": "openai-chatgpt:default", "provider": "openai-chatgpt"}
    (page,) = vendor.pages
    assert page["client_id"] == "dynamic_agent_client"
    assert page["agent_name_hint"] == "openclaw-oauthrouter"
    assert page["code_challenge_method"] == "S256"
    assert page["scope"] == SCOPE
    assert page["resource"] == "https://api.openai.com/v1"
    assert page["redirect_uri"].startswith("http://127.0.0.1:")
    (form,) = vendor.server.forms
    assert form["client_id"] == ISSUED
    assert form["code"] == "one-time-code"
    assert form["resource"] == "https://api.openai.com/v1"
    profile = kept(tmp_path)
    assert (profile["provider"], profile["type"], profile["clientId"]) == ("openai-chatgpt", "oauth", ISSUED)
    assert (profile["refresh"], profile["email"], profile["hostId"]) == ("refresh-1", "a@example.org", page["ext_agent_host_id"])
    for secret in (profile["access"], profile["refresh"], "one-time-code"):
        assert secret not in result.output + result.stderr


def test_sign_in_second_sign_in_is_the_same_client_and_host(login, vendor, tmp_path) -> None:
    login()
    vendor.callback = {"client_id": None}
    assert login().exit_code == 0
    first, second = vendor.pages
    assert second["client_id"] == ISSUED
    assert second["ext_agent_host_id"] == first["ext_agent_host_id"]
    assert "agent_name_hint" not in second
    assert second["state"] != first["state"]
    assert kept(tmp_path)["refresh"] == "refresh-2"


def test_sign_in_another_account_does_not_slip_into_a_registration(login, vendor, tmp_path) -> None:
    login()
    vendor.callback = {"client_id": "oaiapp_2"}
    result = login()
    assert result.exit_code == 1
    assert "for another registration" in result.stderr
    assert kept(tmp_path)["refresh"] == "refresh-1"


def test_sign_in_by_pasting(login, vendor, monkeypatch, tmp_path) -> None:
    import click

    shown: list[str] = []
    echo = click.echo
    monkeypatch.setattr(click, "echo", lambda text=None, **options: (shown.append(str(text)), echo(text, **options))[1])
    monkeypatch.setattr(click, "prompt", lambda *_, **__: vendor.visit(shown[0].split()[-1]))
    result = login("--paste")
    assert result.exit_code == 0, result.output
    assert kept(tmp_path)["clientId"] == ISSUED


@pytest.mark.parametrize(
    ("callback", "grant", "reason"),
    [
        ({"error": "access_denied", "code": None}, {}, "was refused"),
        ({"code": None}, {}, "brings no code"),
        ({"client_id": None}, {}, "no client id of our own"),
        ({"client_id": "dynamic_agent_client"}, {}, "no client id of our own"),
        ({}, {"scope": "openid profile"}, "does not allow the plan"),
        ({}, {"refresh_token": None}, "no refresh token"),
        ({}, {"id_token": None}, "does not belong to this sign-in"),
        ({}, {"id_token": unsigned({"aud": ISSUED, "nonce": "forged"})}, "does not belong to this sign-in"),
        ({}, {"id_token": unsigned({"aud": "another", "nonce": ""})}, "does not belong to this sign-in"),
        ({}, {"access_token": None}, "without an access token"),
    ],
)
def test_sign_in_what_does_not_fit_is_not_kept(login, vendor, tmp_path, callback, grant, reason) -> None:
    vendor.callback, vendor.grant = callback, grant
    result = login()
    assert result.exit_code == 1
    assert reason in result.stderr
    assert not (tmp_path / ".openclaw" / "oauthrouter" / "credentials.json").exists()


def test_sign_in_forged_callback_does_not_disturb_the_true_one(login, vendor, monkeypatch) -> None:
    open_page = webbrowser.open

    def browser(url: str) -> None:
        address = f"{parse_qs(urlsplit(url).query)['redirect_uri'][0]}?state=forged&code=forged"
        urllib.request.urlopen(address, timeout=5).close()
        open_page(url)

    monkeypatch.setattr(webbrowser, "open", browser)
    assert login().exit_code == 0
    assert vendor.server.forms[0]["code"] == "one-time-code"


def test_sign_in_nobody_comes(login) -> None:
    result = login("--no-browser", "--timeout", "0.1")
    assert result.exit_code == 1
    assert "nobody finished the sign-in" in result.stderr


def test_sign_in_port_is_taken(login, token_server) -> None:
    result = login("--port", str(token_server.server_address[1]))
    assert result.exit_code == 1
    assert "choose another with --port" in result.stderr


async def test_sign_in_is_renewed_where_it_came_from(login, vendor, tmp_path) -> None:
    from openclaw_oauthrouter.config import Settings
    from openclaw_oauthrouter.credentials.builtin import builtin_sources
    from openclaw_oauthrouter.credentials.chain import CredentialChain

    assert login().exit_code == 0
    settings = Settings(home=tmp_path / ".openclaw" / "oauthrouter")

    def late() -> float:
        return time.time() + 4000

    chain = CredentialChain(builtin_sources(settings, {}, late, lambda: 0.5), settings.credentials, late)
    vendor.grant = {"access_token": unsigned({"exp": time.time() + 8000})}
    (found,) = await chain.resolve("openai-chatgpt")
    assert found.name == "store:openai-chatgpt:default"
    assert found.secret.reveal() == vendor.grant["access_token"] == kept(tmp_path)["access"]
    assert vendor.server.forms[-1] == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": ISSUED,
        "resource": "https://api.openai.com/v1",
    }
