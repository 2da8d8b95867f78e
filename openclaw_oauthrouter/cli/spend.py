"""``spend``: what was spent today and this month, against the limits."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import click
import orjson
from rich.table import Table

from openclaw_oauthrouter.canonical.spending import Amounts, Quantity
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.cli.running import subject_of
from openclaw_oauthrouter.policy.report import PERIODS, SpendReport, stored_report

_PERIOD_NAMES = {"day": "today", "month": "this month"}
_QUANTITY_NAMES: dict[Quantity, str] = {
    "requests": "requests",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "microdollars": "cost",
}


@click.command("spend")
@click.option("--json", "as_json", is_flag=True, help="For programs; money in millionths of a dollar.")
@click.pass_obj
def command(obj: dict[str, Any], as_json: bool) -> None:
    """Show what was spent today and this month (UTC), by model and client key.

    Reads the ledger without changing it; the gateway may run or not. Requests that still run are not counted yet.
    """
    try:
        subject = subject_of(obj, announce=not as_json)
        report = stored_report(subject.settings, time.time())
    except sqlite3.DatabaseError as error:
        raise click.ClickException(f"the spend ledger cannot be read: {error}") from error
    if as_json:
        click.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
        return
    console = create_console()
    console.print(_limits(report))
    for table in _uses(report):
        console.print(table)


def _limits(report: SpendReport) -> Table | str:
    if not report.limits:
        return "No limits are set (spendControls, server.clientKeys)."
    table = create_table("who", "what", numbers=("used", "limit", "left"), title="Limits")
    for use in report.limits:
        limit = use.limit
        what = f"{_QUANTITY_NAMES[limit.quantity]} {_PERIOD_NAMES[limit.period]}"
        numbers = (use.used, limit.most, max(limit.most - use.used, 0))
        table.add_row(_who(limit.scope), what, *(_amount(limit.quantity, number) for number in numbers))
    return table


def _uses(report: SpendReport) -> list[Table]:
    tables = []
    for period in PERIODS:
        title = f"{_PERIOD_NAMES[period].capitalize()} ({report.windows[period]}, UTC)"
        table = create_table("who", numbers=tuple(_QUANTITY_NAMES.values()), title=title)
        for row in report.in_period(period):
            table.add_row(_who(row.scope), *_cells(row.used))
        if not table.rows:
            table.add_row("everybody", *_cells(Amounts()))
        tables.append(table)
    return tables


def _cells(used: Amounts) -> list[str]:
    return [_amount(quantity, getattr(used, quantity)) for quantity in _QUANTITY_NAMES]


def _who(scope: str) -> str:
    return scope.replace(":", " ", 1) or "everybody"


def _amount(quantity: Quantity, amount: int) -> str:
    return f"${amount / 1_000_000:.4f}" if quantity == "microdollars" else f"{amount:,}"
