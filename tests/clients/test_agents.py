"""Real clients take turns through the gateway: as ``setup`` leaves them, and as ``run`` starts them with nothing set up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_oauthrouter.cli.clients import CLIENTS
from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.clients.agents import AGENTS, QUIET, put_on_path
from tests.support.real_programs import Sandbox, Upstream, running_gateway, running_upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as found:
        yield found


@pytest.fixture
def sandbox(tmp_path: Path, upstream: Upstream) -> Iterator[Sandbox]:
    with Sandbox(tmp_path).tidy() as sandbox:
        sandbox.state.mkdir(parents=True)
        (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
        sandbox.environ |= QUIET
        with running_gateway(sandbox):
            yield sandbox


def turns(upstream: Upstream, since: int) -> list[str]:
    return [path for path, _, body in upstream.requests[since:] if b"say hello" in body]


@pytest.mark.parametrize("name", AGENTS)
def test_agents_it_answers_once_it_is_set_up(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    agent = AGENTS[name]
    command, since = put_on_path(sandbox, name), len(upstream.requests)
    sandbox.ours("setup", name, "--yes", *agent.options)
    done = sandbox.run([command, *agent.words])
    assert "This is the demo speaking" in done.stdout
    assert turns(upstream, since)
    sandbox.ours("setup", name, "--undo", "--yes")


@pytest.mark.parametrize("name", AGENTS)
def test_agents_it_answers_without_being_set_up(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    agent = AGENTS[name]
    put_on_path(sandbox, name)
    since = len(upstream.requests)
    done = sandbox.ours("run", name, *(agent.run_words or agent.words))
    assert "This is the demo speaking" in done.stdout
    assert turns(upstream, since)


def test_run_and_setup_know_every_client_of_the_table() -> None:
    assert set(AGENTS) == {name for name, client in CLIENTS.items() if client.guide is None and name != "zed"}
