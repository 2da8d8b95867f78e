"""Newer prices from a file: taken up when they are prices, refused when they are not, never fetched."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.cli.prices import command
from openclaw_oauthrouter.policy.price_file import PRICE_FILE, PublishedTables
from openclaw_oauthrouter.routing.prices import Prices

HAIKU = ModelInfo("anthropic", "claude-haiku-4-5")
DATA = [
    {
        "id": "anthropic",
        "name": "Anthropic",
        "api_pattern": "https://api\\.anthropic\\.com",
        "models": [
            {
                "id": "claude-haiku-4-5",
                "match": {"starts_with": "claude-haiku-4-5"},
                "prices": {"input_mtok": 70, "output_mtok": {"base": 1, "tiers": [{"start": 10, "price": 2}]}},
            }
        ],
    }
]


def priced(home: Path) -> float | None:
    prices = Prices(clock=lambda: 0.0, snapshot=PublishedTables(home / PRICE_FILE).snapshot)
    return prices.actual(HAIKU, Usage(1_000_000, 1_000_000))


def run(tmp_path: Path, *arguments: str) -> str:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"home": str(tmp_path / "state")}))
    result = CliRunner().invoke(command, arguments, obj={"config": config})
    return f"{result.exit_code} {result.output}{result.exception or ''}"


def test_update_takes_the_place_of_the_packages_prices_and_reset_goes_back(tmp_path: Path) -> None:
    published = priced(tmp_path / "state")
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    assert "Prices of 1 models" in run(tmp_path, "update", str(tmp_path / "data.json"))
    assert priced(tmp_path / "state") == pytest.approx(72)
    run(tmp_path, "reset")
    assert priced(tmp_path / "state") == published != 72


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("{}", "is not a list of providers"),
        ("[]", "is not a list of providers"),
        ('[{"id": "x"}]', "is not data of genai-prices"),
        ('[{"id": "x", "name": "x", "api_pattern": "x", "models": [{"id": "m"}]}]', "is not data of genai-prices"),
    ],
)
def test_update_refuses_what_is_no_price_list_and_changes_nothing(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "data.json").write_text(text)
    assert words in run(tmp_path, "update", str(tmp_path / "data.json"))
    assert not (tmp_path / "state" / PRICE_FILE).exists()


def test_price_file_damaged_file_is_logged_and_the_packages_prices_are_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / PRICE_FILE).write_text("[")
    with caplog.at_level(logging.ERROR):
        assert priced(tmp_path) == priced(tmp_path / "nowhere")
    assert "the prices of the installed package are used" in caplog.text


def test_show_tells_stated_published_and_unknown_apart(tmp_path: Path) -> None:
    rows = json.loads(run(tmp_path, "show", "--json", "anthropic/claude-haiku-4-5", "openai/no-such").partition(" ")[2])
    assert [(row["model"], row["source"], row["input"]) for row in rows] == [
        ("anthropic/claude-haiku-4-5", "published", 1.0),
        ("openai/no-such", "unknown", None),
    ]
