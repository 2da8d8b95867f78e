"""``tiers``: which model serves which tier, why, and at what price."""

from __future__ import annotations

from typing import Any

import click
import orjson

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.routing.tier_report import tier_report

_COLUMNS = ("Tier", "Model", "$ in / out", "Ability", "Window", "Why")


@click.command("tiers")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--all", "everything", is_flag=True, help="Assume that every provider has a credential.")
@click.pass_context
def command(context: click.Context, as_json: bool, everything: bool) -> None:
    """Show the models of each tier in the order in which they are tried.

    Tiers you have not configured are computed from the models that can be used now. Nothing is sent.
    """
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    settings = command_settings(context.obj).settings
    report = tier_report(Builder(settings, create_plugin_manager()).router_alone(assume_credentials=everything))
    if as_json:
        click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2))
        return
    console = create_console()
    table = create_table(*_COLUMNS)
    for tier in Tier:
        for number, row in enumerate(report["tiers"][tier.value]["models"]):
            table.add_row(tier.value if number == 0 else "", *_cells(row))
    console.print(table)
    for note in report["notes"]:
        console.print(note, soft_wrap=True)


def _cells(row: dict[str, Any]) -> tuple[str, str, str, str, str]:
    price = row["price"]
    return (
        row["model"],
        f"{price['input']:g} / {price['output']:g}" if price else "not known",
        f"{row['ability']:g}" if row["ability"] is not None else "",
        f"{row['contextWindow']:,}" if row["contextWindow"] else "",
        row["why"] if row["usable"] else f"{row['why']}; {row['problem']}",
    )
