"""The configuration file is changed in place, tried first, against the version that was looked at, and put back exactly."""

from __future__ import annotations

import stat
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.changes.settings_file import KEPT_CHANGES, SettingChange, SettingsFile
from openclaw_oauthrouter.config.loading import LoadedSettings, load_settings
from openclaw_oauthrouter.edits.journal import Journal
from openclaw_oauthrouter.errors import ConfigurationError, ConflictError, InvalidRequestError, NotFoundError

TEXT = """\
# mine
[spend_controls]
daily_cost_budget = 5.0   # dollars

[routing.aliases]
fast = "openai/gpt-5.4-mini"

[providers.own]
api_base = "http://127.0.0.1:9/v1"
api_key = "sk-of-nobody-0123456789abcdef"
"""
BUDGET = ("spend_controls", "daily_cost_budget")


def file_at(path: Path, environ: dict[str, str] | None = None) -> SettingsFile:
    seconds = count(1000)

    def load(found: Path) -> LoadedSettings:
        return load_settings(found, environ={"OAUTHROUTER_HOME": str(path.parent), **(environ or {})})

    return SettingsFile(path, Journal(path.parent / "changes"), load, lambda: float(next(seconds)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    return path


def change(file: SettingsFile, *wanted: SettingChange) -> None:
    file.make(file.plan(wanted))


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        (BUDGET, 3.5, "daily_cost_budget = 3.5   # dollars"),
        (("routing", "profile"), "quality", 'profile = "quality"'),
        (("routing", "aliases", "gpt-4.1"), "openai/gpt-5.4", '"gpt-4.1" = "openai/gpt-5.4"'),
        (("routing", "tiers", "SIMPLE"), {"primary": "openai/gpt-5.4-mini", "fallback": ["openai/gpt-5.4"]}, "[routing.tiers.SIMPLE]"),
        (("spend_controls", "budgets"), [{"period": "hour", "requests": 5, "provider": "openai"}], "[[spend_controls.budgets]]"),
        (("credentials", "paused"), ["openai:key"], 'paused = ["openai:key"]'),
    ],
)  # fmt: skip
def test_plan_keeps_comments_and_undo_puts_the_very_text_back(
    path: Path, setting: tuple[str, ...], value: Any, line: str
) -> None:
    file = file_at(path)
    change(file, SettingChange(setting, value))
    assert line in path.read_text()
    assert "# mine" in path.read_text()
    [made] = file.made()
    assert made.settings == (".".join(setting),)
    file.make(file.plan_undo(made.name))
    assert path.read_text() == TEXT
    assert list(file.made()) == []


def test_plan_takes_a_setting_out(path: Path) -> None:
    file = file_at(path)
    change(file, SettingChange(BUDGET))
    assert "daily_cost_budget" not in path.read_text()
    assert "fast" in path.read_text()


def test_plan_writes_nothing_and_shows_no_secret(path: Path) -> None:
    plan = file_at(path).plan([SettingChange(BUDGET, 1.0), SettingChange(("providers", "own", "enabled"), False)])
    assert path.read_text() == TEXT
    assert "+daily_cost_budget = 1.0" in plan.diff()
    assert "sk-of-nobody" not in plan.diff()
    assert any(line.startswith("spend_controls.daily_cost_budget") for line in plan.lines)
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (BUDGET, "much"),
        (BUDGET, -1),
        (("routing", "profile"), "cheap"),
        (("routing", "tiers", "SIMPEL"), {"primary": "a/b"}),
        (("routing", "tiers", "SIMPLE"), {"fallback": ["a/b"]}),
        (("spend_controls", "budgets"), [{"period": "day"}]),
    ],
)
def test_plan_refuses_what_is_no_valid_setting(path: Path, setting: tuple[str, ...], value: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        file_at(path).plan([SettingChange(setting, value)])
    assert setting[-1].lower() in refused.value.message.lower()
    assert path.read_text() == TEXT
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_make_refuses_a_file_that_somebody_changed(path: Path) -> None:
    file = file_at(path)
    plan = file.plan([SettingChange(BUDGET, 1.0)])
    path.write_text(TEXT + "\n# by hand\n")
    with pytest.raises(ConflictError):
        file.make(plan)
    assert path.read_text() == TEXT + "\n# by hand\n"


def test_make_of_two_plans_lets_the_first_one_win(path: Path) -> None:
    file = file_at(path)
    first, second = file.plan([SettingChange(BUDGET, 1.0)]), file.plan([SettingChange(BUDGET, 2.0)])
    file.make(first)
    with pytest.raises(ConflictError):
        file.make(second)
    assert "daily_cost_budget = 1.0" in path.read_text()


def test_undo_leaves_what_somebody_else_changed_since(path: Path) -> None:
    file = file_at(path)
    change(file, SettingChange(BUDGET, 1.0))
    [made] = file.made()
    change(file, SettingChange(("routing", "profile"), "economy"))
    file.make(file.plan_undo(made.name))
    assert "daily_cost_budget = 5.0" in path.read_text()
    assert 'profile = "economy"' in path.read_text()


def test_undo_of_an_unknown_change_says_so(path: Path) -> None:
    with pytest.raises(NotFoundError):
        file_at(path).plan_undo("settings-00000000000001")


def test_plan_says_what_stands_above_the_file(path: Path) -> None:
    file = file_at(path, {"OAUTHROUTER_LOG_LEVEL": "info"})
    with pytest.raises(InvalidRequestError, match="environment OAUTHROUTER_LOG_LEVEL"):
        file.plan([SettingChange(("telemetry", "log_level"), "debug")])


def test_make_creates_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    file = file_at(path)
    change(file, SettingChange(BUDGET, 1.0))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [made] = file.made()
    file.make(file.plan_undo(made.name))
    assert not path.exists()


def test_plan_changes_a_json_file_in_its_own_spelling(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    before = '{\n  // mine\n  "spendControls": {"dailyCostBudget": 5}\n}\n'.replace("  // mine\n", "")
    path.write_text(before)
    file = file_at(path)
    change(file, SettingChange(BUDGET, 2), SettingChange(("routing", "profile"), "quality"))
    assert '"dailyCostBudget": 2' in path.read_text()
    assert '"profile": "quality"' in path.read_text()
    file.make(file.plan_undo(next(file.made()).name))
    assert path.read_text() == before


def test_made_keeps_so_many_changes_and_no_more(path: Path) -> None:
    file = file_at(path)
    for number in range(KEPT_CHANGES + 3):
        change(file, SettingChange(BUDGET, float(number)))
    assert len(list(file.made())) == KEPT_CHANGES
