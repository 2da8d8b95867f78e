"""The plugin in the real gateway: it keeps Python running, lends it credentials, and leaves nothing behind."""

import base64
import json
import os
import signal
import urllib.request

import httpx
import json5
import pytest

from openclaw_oauthrouter.edits.json5_text import put
from tests.openclaw.conftest import Host
from tests.support.real_programs import Upstream, alive, running_gateway, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

KEY = "sk-ant-api03-lent-by-openclaw-0123456789"
CLAIMS = {"https://api.openai.com/auth": {"chatgpt_account_id": "account-7"}, "exp": 4_000_000_000}
CHATGPT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", json.dumps(CLAIMS).encode(), b"signature")
)
TOKEN = f"sk-ant-oat01-{'lent-by-openclaw-' * 6}"


def configure(host: Host, settings: dict[str, object]) -> None:
    text = host.config.read_text()
    for name, value in settings.items():
        text = put(text, ("plugins", "entries", "oauthrouter", "config", name), value)
    host.config.write_text(text)


def connect(host: Host, upstream: Upstream, how: str, secret: str) -> Host:
    """Only OpenClaw knows the provider's secret; the rest of the settings stand in openclaw.json."""
    host.openclaw("models", "auth", how, "--provider", "anthropic", stdin=f"{secret}\n")
    host.ours("openclaw", "install", "--default-model", "--yes")
    providers = {name: {"apiBase": upstream.origin} for name in ("anthropic", "openai-codex")}
    configure(host, {"providers": providers, "credentials": {"order": ["host"]}})
    assert "Config valid" in host.openclaw("config", "validate")
    return host


@pytest.fixture
def connected(host: Host, upstream: Upstream) -> Host:
    return connect(host, upstream, "paste-api-key", KEY)


def test_plugin_whole_life(connected: Host, upstream: Upstream) -> None:
    with connected.gateway() as openclaw:
        assert connected.turn("hello there")
        assert [headers.get("x-api-key") for _, headers, body in upstream.requests if body] == [KEY]
        assert "oauthrouter/auto" in connected.openclaw("models", "list")

        (first,) = connected.python_pids()
        os.kill(first, signal.SIGKILL)
        _, second = wait_until(lambda: len(connected.python_pids()) == 2 and connected.python_pids(), "Python is started again")
        assert not alive(first)
        assert connected.turn("are you back")

        configure(connected, {"spendControls": {"dailyRequestBudget": 1000}})
        *_, third = wait_until(
            lambda: len(connected.python_pids()) == 3 and connected.python_pids(), "a change of settings arrives"
        )
        assert not alive(second)

        openclaw.terminate()
        openclaw.wait(30)
        wait_until(lambda: not alive(third), "Python has ended")
    assert KEY not in connected.printed()
    assert KEY not in connected.config.read_text()
    assert not any(KEY.encode() in path.read_bytes() for path in connected.state.rglob("*") if path.is_file())


def test_sign_ins_are_lent_too_and_nothing_outlives_a_killed_openclaw(host: Host, upstream: Upstream) -> None:
    host.openclaw("models", "auth", "paste-token", "--provider", "openai", stdin=f"{CHATGPT}\n")
    connect(host, upstream, "paste-token", TOKEN)
    with host.gateway() as openclaw:
        assert host.turn("hello there")
        ask(host, "openai-codex/gpt-5.6-terra")
        assert [headers.get("authorization") for _, headers, body in upstream.requests if body] == [
            f"Bearer {TOKEN}",
            f"Bearer {CHATGPT}",
        ]
        assert upstream.requests[1][1]["chatgpt-account-id"] == "account-7"
        (python,) = host.python_pids()
        assert alive(python)
        openclaw.kill()
        openclaw.wait(30)
        wait_until(lambda: not alive(python), "Python has ended")


def ask(host: Host, model: str) -> None:
    """A request of one's own, past OpenClaw."""
    token = (host.state / "local-token").read_text().strip()
    answer = httpx.post(
        f"http://127.0.0.1:{host.environ['OAUTHROUTER_PORT']}/v1/chat/completions",
        headers={"authorization": f"Bearer {token}"},
        json={"model": model, "messages": [{"role": "user", "content": "hi"}]},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_plugin_gateway_that_runs_already_is_used_and_left_alone(connected: Host, upstream: Upstream) -> None:
    config = json5.loads(connected.config.read_text())["plugins"]["entries"]["oauthrouter"]["config"]
    settings = {"providers": {"anthropic": {**config["providers"]["anthropic"], "apiKey": "own-key"}}}
    (connected.state / "config.json").write_text(json.dumps(settings))
    with running_gateway(connected) as address:
        with connected.gateway():
            assert connected.python_pids() == []
            assert connected.turn("hello there")
        assert urllib.request.urlopen(f"{address}/health", timeout=10).status == 200
    assert [headers.get("x-api-key") for _, headers, body in upstream.requests if body] == ["own-key"]


def test_openclaws_own_installer_copies_the_plugin(host: Host) -> None:
    host.ours("openclaw", "install", "--route", "copied", "--yes")
    assert "Config valid" in host.openclaw("config", "validate")
    assert host.plugins()["oauthrouter"] == "global"
    host.ours("openclaw", "uninstall", "--yes")
    assert "oauthrouter" not in host.plugins()
