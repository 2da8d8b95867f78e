"""``spend``, with a gateway's ledger and without one."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.canonical.spending import Amounts
from openclaw_oauthrouter.cli.spend import command
from openclaw_oauthrouter.policy.ledger import ledger_path
from openclaw_oauthrouter.policy.ledger.entries import Account
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteStore


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    settings = {
        "home": str(tmp_path),
        "spendControls": {"dailyRequestBudget": 10, "monthlyCostBudget": 5.5},
        "server": {"clientKeys": {"ci": {"token": "x", "dailyRequestBudget": 3}}},
    }
    path.write_text(json.dumps(settings))
    return path


async def registry(path: Path) -> None:
    store = SqliteStore(path, "gateway")
    account = Account(int(time.time()), "anthropic", "anthropic/claude-haiku-4-5", "ci")
    await store.write([(account, Amounts(4, 1234, 567, 2_500_000))], [], [], time.time())
    await store.close()


def run(config: Path, *arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "120", "HOME": str(config.parent)}).invoke(command, arguments, obj={"config": config})
    assert result.exit_code == 0, result.output
    return result.output


def test_cli_spend_table_shows_limits_models_and_clients(config: Path, tmp_path: Path) -> None:
    asyncio.run(registry(ledger_path(tmp_path)))
    output = run(config)
    lines = [" ".join(line.replace("│", " ").split()) for line in output.splitlines()]
    assert "everybody requests today 4 10 6" in lines
    assert "everybody cost this month $2.5000 $5.5000 $3.0000" in lines
    assert "client ci requests today 4 3 0" in lines
    assert lines.count("model anthropic/claude-haiku-4-5 4 1,234 567 $2.5000") == 3


def test_json(config: Path, tmp_path: Path) -> None:
    asyncio.run(registry(ledger_path(tmp_path)))
    report = json.loads(run(config, "--json"))
    used = {"requests": 4, "input_tokens": 1234, "output_tokens": 567, "microdollars": 2_500_000, "unpriced": 0}
    assert report["periods"]["day"]["used"]["client:ci"] == used
    assert report["periods"]["month"]["used"][""] == used
    [budget] = [budget for budget in report["budgets"] if budget["quantity"] == "microdollars"]
    assert budget.pop("resetsAt") > time.time()
    assert budget == {
        "period": "month",
        "quantity": "microdollars",
        "most": 5_500_000,
        "scope": "",
        "hard": False,
        "used": 2_500_000,
        "warning": None,
    }


def test_cli_spend_without_a_ledger_all_is_zero_and_none_is_made(config: Path, tmp_path: Path) -> None:
    assert "$0.0000" in run(config)
    assert not ledger_path(tmp_path).exists()


def test_cli_spend_damaged_ledger_is_said_to_be_one(config: Path, tmp_path: Path) -> None:
    ledger_path(tmp_path).write_bytes(b"not a database at all, though it is long enough" * 100)
    result = CliRunner(env={"HOME": str(tmp_path)}).invoke(command, [], obj={"config": config})
    assert result.exit_code == 1
    assert "cannot be read" in result.output
