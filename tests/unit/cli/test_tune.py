"""``tune`` fits agents' borders to the user's own tasks, shows what that changes, and takes it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.cli.tune import LEAST_TASKS, tune
from openclaw_oauthrouter.config.loading import load_settings

Run = Callable[..., Result]


def event(number: int, *, score: float, agent: bool = True, turn: str = "task", floors: tuple[str, ...] = ()) -> dict[str, Any]:
    """A recorded task of about 300 letters."""
    dimensions = [
        {"name": "tokenCount", "score": 0.23, "weight": 0.0, "signal": None},
        {"name": "codePresence", "score": score, "weight": 1.0, "signal": None},
    ]
    routing = {"method": "rules", "agent": agent, "turn": turn, "dimensions": dimensions, "floors": list(floors)}
    return {
        "ts": int(time.time() * 1000) + number,
        "requestId": f"r{number}",
        "path": "/v1/messages",
        "method": "POST",
        "conversation": f"c{number}",
        "routing": routing,
    }


TASKS = [event(number, score=0.1 + number / 200) for number in range(100)]


def test_fitted_shares_are_the_profiles(tmp_path: Path) -> None:
    settings = load_settings(environ={}, overrides={"home": str(tmp_path)}).settings
    found = tune(settings, TASKS)
    assert found.tasks == 100
    assert found.shares_after[Tier.REASONING] == pytest.approx(0.18, abs=0.02)
    assert max(found.shares_after.values()) <= 0.6
    assert found.before != found.after


def test_tune_only_first_turns_of_agents_tasks_count(tmp_path: Path) -> None:
    settings = load_settings(environ={}, overrides={"home": str(tmp_path)}).settings
    others = [
        event(200, score=1, agent=False),
        event(201, score=1, turn="continues"),
        {**event(202, score=1), "conversation": "c1"},
    ]
    assert tune(settings, [*TASKS, *others]) == tune(settings, TASKS)
    assert tune(settings, []).tasks == 0


def test_tune_minimum_tier_keeps_its_tasks_up(tmp_path: Path) -> None:
    settings = load_settings(environ={}, overrides={"home": str(tmp_path)}).settings
    lifted = [event(number, score=-1, floors=("at least REASONING: proof (prove that)",)) for number in range(10)]
    assert tune(settings, lifted).shares_after[Tier.REASONING] == 1.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with a state folder and a configuration file of its own."""
    home = tmp_path / "home"
    (home / "traces").mkdir(parents=True)
    config = tmp_path / "config.toml"
    config.write_text(f'# mine\nhome = "{home}"\n\n[routing]\nprofile = "balanced"  # as it was\n', encoding="utf-8")

    def start(*arguments: str, events: list[dict[str, Any]] | None = None) -> Result:
        if events is not None:
            from openclaw_oauthrouter.telemetry.trace_files import trace_path

            path = trace_path(home)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in events))
        return CliRunner().invoke(root, ["--config", str(config), "tune", *arguments], obj={})

    return start


def test_tune_nothing_is_changed_without_apply_and_undo_takes_it_back(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    before = config.read_text(encoding="utf-8")
    shown = run("--json", events=TASKS)
    assert shown.exit_code == 0, (shown.output, shown.exception)
    told = orjson.loads(shown.stdout)
    assert told["tasks"] == 100
    assert config.read_text(encoding="utf-8") == before
    assert run("--apply").exit_code == 0
    changed = load_settings(config).settings.routing.agent_cut_points
    assert list(changed or ()) == told["after"]["cutPoints"]
    assert "# as it was" in config.read_text(encoding="utf-8")
    undone = run("--undo")
    assert undone.exit_code == 0, undone.output
    assert load_settings(config).settings.routing.agent_cut_points is None
    assert run("--undo").exit_code != 0


def test_too_few_tasks_change_nothing(run: Run, tmp_path: Path) -> None:
    before = (tmp_path / "config.toml").read_text(encoding="utf-8")
    refused = run("--apply", events=TASKS[: LEAST_TASKS - 1])
    assert refused.exit_code != 0
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == before
