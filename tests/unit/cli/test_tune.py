"""``tune`` fits agents' borders to the user's own tasks, shows what that changes, and takes it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.canonical.routing import DimensionScore, Tier
from openclaw_oauthrouter.classifier.parameters import letters_of, tier_at
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.cli.tune import LARGEST_SHARE, LEAST_TASKS, tune
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import load_settings

Run = Callable[..., Result]


def event(number: int, *, score: float, agent: bool = True, turn: str = "task", floors: tuple[str, ...] = ()) -> dict[str, Any]:
    """A recorded task of about 300 letters."""
    dimensions = [
        {"name": "tokenCount", "score": 0.23, "weight": 0.0, "signal": None},
        {"name": "codePresence", "score": score, "weight": 1.0, "signal": None},
        {"name": "learnedScore", "score": 0.0, "weight": 0.2, "signal": None},
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


def settings_with(tmp_path: Path, **routing: Any) -> Settings:
    return load_settings(environ={}, overrides={"home": str(tmp_path), "routing": routing}).settings


@pytest.mark.parametrize(
    ("scores", "floors", "routing", "refused"),
    [
        ([number / 100 for number in range(100)], (), {}, False),
        ([0.1, 0.9] * 40, (), {}, False),
        ([0.8 + number / 10_000 for number in range(80)], (), {}, False),  # all REASONING now
        ([0.1] * 79 + [50.0], (), {}, True),
        ([0.5] * 80, (), {}, True),
        ([-0.5 + number / 10_000 for number in range(80)], (), {}, True),  # below where MEDIUM begins
        ([number / 80 for number in range(80)], ("at least COMPLEX: refactoring (refactor, module)",), {}, True),
        ([number / 100 for number in range(80)], (), {"cut_points": [2.0, 3.0, 4.0]}, True),
        ([number / 100 for number in range(49)], (), {}, True),
        ([], (), {}, True),
    ],
)
def test_tune_refuses_borders_that_divide_nothing(
    tmp_path: Path, scores: list[float], floors: tuple[str, ...], routing: dict[str, Any], refused: bool
) -> None:
    found = tune(settings_with(tmp_path, **routing), [event(n, score=score, floors=floors) for n, score in enumerate(scores)])
    assert (found.obstacle is not None) is refused
    assert found.as_json()["obstacle"] == found.obstacle
    if not refused:
        assert max(found.shares_after.values()) <= LARGEST_SHARE


@pytest.mark.parametrize("profile", ["economy", "balanced", "quality"])
@pytest.mark.parametrize("routing", [{}, {"cut_points": [-0.1, 0.1, 0.3]}, {"agent_cut_points": [0.2, 0.3]}])
def test_tune_what_it_shows_as_now_is_what_the_classifier_does(tmp_path: Path, profile: str, routing: dict[str, Any]) -> None:
    events = [event(number, score=number / 100) for number in range(100)]
    settings = settings_with(tmp_path, profile=profile, **routing).routing
    rules = Rules((), profile=profile, cut_points=settings.cut_points, agent_cut_points=settings.agent_cut_points)
    letters = letters_of([DimensionScore("tokenCount", 0.23, 0.0, None)])
    tiers = [tier_at(number / 100, rules._cuts(letters, agent=True)) for number in range(100)]
    shown = tune(settings_with(tmp_path, profile=profile, **routing), events).shares_before
    assert shown == {tier: pytest.approx(tiers.count(tier) / 100) for tier in Tier}


def test_tune_tasks_scored_otherwise_than_now_do_not_count(tmp_path: Path) -> None:
    assert tune(settings_with(tmp_path, learned_score=False), TASKS).tasks == 0


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


def test_tune_applied_again_keeps_the_way_back(run: Run, tmp_path: Path) -> None:
    assert run("--apply", events=TASKS).exit_code == 0
    again = run("--apply")
    assert again.exit_code == 0
    assert "already" in again.output
    assert run("--undo").exit_code == 0
    assert load_settings(tmp_path / "config.toml").settings.routing.agent_cut_points is None


def test_tune_a_damaged_way_back_is_told_and_one_that_failed_is_kept(run: Run, tmp_path: Path) -> None:
    config, kept = tmp_path / "config.toml", tmp_path / "home" / "tune-undo.json"
    assert run("--apply", events=TASKS).exit_code == 0
    whole = kept.read_bytes()
    kept.write_bytes(whole[:5])
    damaged = run("--undo")
    assert (damaged.exit_code, "damaged" in damaged.output) == (1, True)
    kept.write_bytes(whole.replace(b"null", b'[0.9,"x"]'))
    text = config.read_text("utf-8")
    assert run("--undo").exit_code != 0
    assert config.read_text("utf-8") == text
    assert kept.exists()


def test_too_few_tasks_change_nothing(run: Run, tmp_path: Path) -> None:
    before = (tmp_path / "config.toml").read_text(encoding="utf-8")
    refused = run("--apply", events=TASKS[: LEAST_TASKS - 1])
    assert refused.exit_code != 0
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == before


def points_in(config: Path) -> list[float] | None:
    found = load_settings(config).settings.routing.agent_cut_points
    return None if found is None else list(found)


def test_tune_undo_goes_back_change_by_change(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    before = config.read_text(encoding="utf-8")
    assert run("--apply", events=TASKS).exit_code == 0
    first = points_in(config)
    again = run("--apply")
    assert "is already set to this" in again.stdout
    assert run("--apply", events=[event(number, score=0.3 + number / 100) for number in range(100)]).exit_code == 0
    assert points_in(config) not in (None, first)
    assert run("--undo").exit_code == 0
    assert points_in(config) == first
    assert run("--undo").exit_code == 0
    assert config.read_text(encoding="utf-8") == before
    assert "nothing to take back" in run("--undo").output


@pytest.mark.parametrize("kept", ['{"before": null}', '{"before": [0.1, 0.2]}'])
def test_tune_undo_reads_what_earlier_versions_kept(kept: str, run: Run, tmp_path: Path) -> None:
    run("--apply", events=TASKS)
    (tmp_path / "home" / "tune-undo.json").write_text(kept)
    assert run("--undo").exit_code == 0
    assert points_in(tmp_path / "config.toml") == orjson.loads(kept)["before"]


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", "7"])
def test_tune_undo_with_a_damaged_file_says_so_and_changes_nothing(kept: str, run: Run, tmp_path: Path) -> None:
    run("--apply", events=TASKS)
    before = points_in(tmp_path / "config.toml")
    (tmp_path / "home" / "tune-undo.json").write_text(kept)
    refused = run("--undo")
    assert refused.exit_code == 1
    assert "is damaged" in refused.output
    assert points_in(tmp_path / "config.toml") == before


def test_tune_undo_that_cannot_be_written_can_be_tried_again(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    run("--apply", events=TASKS)
    good = config.read_text(encoding="utf-8")
    config.write_text(good + "nonsense = [", encoding="utf-8")
    assert run("--undo").exit_code != 0
    config.write_text(good, encoding="utf-8")
    assert run("--undo").exit_code == 0
    assert points_in(config) is None


def test_tune_apply_and_undo_together_are_refused(run: Run) -> None:
    assert run("--apply", "--undo", events=TASKS).exit_code == 2


def test_tune_says_what_was_read_and_shows_no_shares_of_nothing(run: Run) -> None:
    told = run(events=[])
    assert told.stdout.startswith("0 tasks of agents from the last 30 days of ")
    assert "at least 50 are needed" in told.stdout
    assert "REASONING" not in told.stdout
