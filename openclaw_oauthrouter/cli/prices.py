"""``prices``: what models cost, and newer prices from a file; nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from openclaw_oauthrouter.catalog.spelling import misspelt
from openclaw_oauthrouter.cli.grammar import check_names
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.cli.settings import command_settings


@click.group("prices")
def command() -> None:
    """Show what models cost, or install newer prices from a file."""


@command.command("show")
@click.argument("models", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def show(obj: dict[str, Any], models: tuple[str, ...], as_json: bool) -> None:
    """Show prices in US dollars per million tokens: of MODELS (provider/id), or of the models of the tiers."""
    rows = _rows(obj, models)
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        return
    table = create_table(
        "model", "source", numbers=("input", "output", "cache read", "cache write"), title="Dollars per million tokens"
    )
    for row in rows:
        figures = (row["input"], row["output"], row["cacheRead"], row["cacheWrite"])
        table.add_row(row["model"], row["source"], *("—" if figure is None else f"{figure:g}" for figure in figures))
    create_console().print(table)


@command.command("update")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def update(obj: dict[str, Any], file: Path) -> None:
    """Install prices from FILE: data.json of genai-prices (github.com/pydantic/genai-prices, prices/new_data/v2).

    They replace the prices that came with the package when the gateway next starts. `prices reset` restores those.
    """
    from openclaw_oauthrouter.policy.price_file import install_prices

    settings = command_settings(obj).settings
    count = install_prices(file, settings.home)
    click.echo(f"Prices of {count:,} models are in {settings.home}; restart the gateway to use them.")


@command.command("reset")
@click.pass_obj
def reset(obj: dict[str, Any]) -> None:
    """Return to the prices that came with the package."""
    from openclaw_oauthrouter.policy.price_file import PRICE_FILE

    path = command_settings(obj).settings.home / PRICE_FILE
    path.unlink(missing_ok=True)
    click.echo("The prices that came with the package apply again; restart the gateway to use them.")


def _rows(obj: dict[str, Any], models: tuple[str, ...]) -> list[dict[str, Any]]:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    router = Builder(command_settings(obj).settings, create_plugin_manager()).router_alone(assume_credentials=True)
    listed = [info for provider in router.choosing.providers.values() for info in provider.models()]
    for name in models:
        # A model that is newer than any list can be asked for, too; a slip of the fingers cannot.
        known = router.choosing.model_info(name)
        if known is None or misspelt(known, [info for info in listed if info.provider == known.provider]):
            check_names(
                "model",
                [name],
                [info.name for info in listed] + [info.id for info in listed],
                "openclaw-oauthrouter models --all",
            )
    names = models or tuple(dict.fromkeys(name for chain in router.choosing.chains.values() for name in chain))
    rows = []
    for name in names:
        info = router.choosing.model_info(name)
        price = router.prices.price(info) if info is not None else None
        source = "unknown" if info is None or price is None else ("stated" if router.prices.is_stated(info) else "published")
        rows.append(
            {
                "model": name,
                "source": source,
                "input": price and price.input,
                "output": price and price.output,
                "cacheRead": price and price.cache_read,
                "cacheWrite": price and price.cache_write,
            }
        )
    return rows
