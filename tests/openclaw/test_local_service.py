"""No plugin: OpenClaw itself starts the gateway at the first request."""

import json

import json5
import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.openclaw.conftest import Host
from tests.support.real_programs import Upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def connected(host: Host, upstream: Upstream) -> Host:
    host.state.mkdir(parents=True)
    (host.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
    host.ours("openclaw", "install", "--route", "local-service", "--default-model", "--yes")
    return host


def test_local_service_agent_answers(connected: Host, upstream: Upstream) -> None:
    assert "Config valid" in connected.openclaw("config", "validate")
    assert connected.local_turn("hello there")
    assert len(upstream.requests) == 1
    assert b"hello there" in upstream.requests[0][2]


def test_local_service_agent_uses_a_tool(connected: Host, upstream: Upstream) -> None:
    assert connected.local_turn('USE_TOOL exec {"command": "echo hello-$((40+2))"}')
    first, second = upstream.requests
    assert b"hello-42" not in first[2]
    assert b"hello-42" in second[2]


def test_uninstall_leaves_no_trace(host: Host) -> None:
    before = host.config.read_bytes()
    host.ours("openclaw", "install", "--route", "local-service", "--default-model", "--yes")
    assert "// written by hand" in host.config.read_text()
    assert json5.loads(host.config.read_text())["agents"]["defaults"]["model"]["primary"] == "oauthrouter/auto"
    assert "Config valid" in host.openclaw("config", "validate")
    host.ours("openclaw", "uninstall", "--yes")
    assert host.config.read_bytes() == before
