"""Newer prices from a file: taken up when they are prices, refused when they are not, never fetched."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.cli.prices import command
from openclaw_oauthrouter.policy import price_file
from openclaw_oauthrouter.policy.price_file import PRICE_FILE, TABLE_FILE, PriceTable, PublishedTables, package_edition
from openclaw_oauthrouter.routing.prices import Prices
from scripts.update_catalog import published_prices

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
    prices = Prices(clock=lambda: 0.0, published=PublishedTables(home / PRICE_FILE).find)
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


def test_tables_shipped_one_says_what_the_library_says() -> None:
    shipped = PriceTable(**json.loads(published_prices.TARGET.read_text()))
    if shipped.of != package_edition():
        pytest.skip(f"the table is of {shipped.of}: python -m scripts.update_catalog renews it")
    assert published_prices.text() == published_prices.TARGET.read_text(), "python -m scripts.update_catalog"


def test_tables_know_the_catalogs_models_without_the_library(tmp_path: Path) -> None:
    table = tmp_path / TABLE_FILE
    PublishedTables(tmp_path / PRICE_FILE).prepare()
    assert table.exists() != (shipped_edition_of_prices() == package_edition())
    code = (
        "import sys; from pathlib import Path; from openclaw_oauthrouter.policy.price_file import PublishedTables\n"
        f"tables = PublishedTables(Path({str(tmp_path / PRICE_FILE)!r})); tables.prepare()\n"
        "print(tables.find('anthropic', 'claude-haiku-4-5', 'http://127.0.0.1:1').prices[0].figures['input'])\n"
        "print('genai_prices' in sys.modules, tables.find('anthropic', 'claude-haiku-4-5-20251001', None) is not None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[(0,", "1.0)]", "False", "True"]


def shipped_edition_of_prices() -> str:
    edition: str = json.loads(published_prices.TARGET.read_text())["of"]
    return edition


@pytest.mark.parametrize("state", ["none", "damaged", "of another edition"])
def test_tables_of_another_edition_are_made_once_and_kept(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_oauthrouter.policy.price_file.package_edition", lambda: "genai-prices 0.2.99")
    table = tmp_path / TABLE_FILE
    if state != "none":
        table.write_text(
            "{" if state == "damaged" else '{"of": "genai-prices 0.1", "models": {"anthropic/claude-haiku-4-5": null}}'
        )
    first = PublishedTables(tmp_path / PRICE_FILE)
    assert first.find("anthropic", "claude-haiku-4-5", None) is not None
    first.prepare()
    assert json.loads(table.read_text())["of"] == "genai-prices 0.2.99"
    assert table.stat().st_mode & 0o077 == 0

    def no_library(*_: object) -> object:
        raise AssertionError("the library was asked")

    monkeypatch.setattr(PublishedTables, "_read", no_library)
    again = PublishedTables(tmp_path / PRICE_FILE)
    again.prepare()
    assert again.find("anthropic", "claude-haiku-4-5", None) == first.find("anthropic", "claude-haiku-4-5", None)


def test_tables_of_the_users_file_hold_until_it_changes(tmp_path: Path) -> None:
    (tmp_path / PRICE_FILE).write_text(json.dumps(DATA))
    PublishedTables(tmp_path / PRICE_FILE).prepare()
    assert json.loads((tmp_path / TABLE_FILE).read_text())["of"].startswith(PRICE_FILE)
    assert priced(tmp_path) == pytest.approx(72)
    (tmp_path / PRICE_FILE).write_text(json.dumps(DATA).replace("70", "170"))
    assert priced(tmp_path) == pytest.approx(172)
    (tmp_path / PRICE_FILE).unlink()
    assert priced(tmp_path) == priced(tmp_path / "nowhere")


def test_edition_is_what_is_installed(tmp_path: Path) -> None:
    assert price_file.package_edition() == f"genai-prices {version('genai-prices')}"
    # Nothing beside the package tells, or too much does.
    package = tmp_path / "genai_prices" / "__init__.py"
    assert price_file._version_beside(None) == version("genai-prices")
    assert price_file._version_beside(ModuleSpec("genai_prices", None, origin=str(package))) == version("genai-prices")
    (tmp_path / "genai_prices-9.8.dist-info").mkdir()
    assert price_file._version_beside(ModuleSpec("genai_prices", None, origin=str(package))) == "9.8"
    (tmp_path / "genai_prices-9.9.dist-info").mkdir()
    assert price_file._version_beside(ModuleSpec("genai_prices", None, origin=str(package))) == version("genai-prices")
