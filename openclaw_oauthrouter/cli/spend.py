"""``spend``: what was spent today, this week and this month, against the limits."""

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
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.interfaces import Budget
from openclaw_oauthrouter.policy.report import LimitUse, PeriodUse, ScopeUse, SpendReport

_PERIOD_NAMES = {"hour": "this hour", "day": "today", "week": "this week", "month": "this month", "request": "each request"}
_QUANTITY_NAMES: dict[Quantity, str] = {
    "requests": "requests",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "microdollars": "cost",
}
_MOST_ROWS = 30


@click.command("spend")
@click.option("--json", "as_json", is_flag=True, help="For programs; money in millionths of a dollar.")
@click.pass_obj
def command(obj: dict[str, Any], as_json: bool) -> None:
    """Show what was spent today, this week and this month, by model, provider and client key.

    It only reads the ledger, so the gateway need not be running. Requests that are still running are not counted yet.
    """
    try:
        report = _report(subject_of(obj, announce=not as_json).settings)
    except sqlite3.DatabaseError as error:
        raise click.ClickException(f"the spend ledger cannot be read: {error}") from error
    if as_json:
        click.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
        return
    console = create_console()
    console.print(_limits(report))
    for period in report.periods:
        console.print(_use(period, report.zone))
        if period.unpriced:
            names = ", ".join(f"{count:,} × {model}" for model, count in period.unpriced.items())
            console.print(f"cost unknown, in no sum: {names}")


def _report(settings: Settings) -> SpendReport:
    from openclaw_oauthrouter.config.environment import process_environment
    from openclaw_oauthrouter.policy.calendar import Calendar, zone_of
    from openclaw_oauthrouter.policy.report import stored_report

    zone = zone_of(settings.spend_controls.timezone, process_environment().get("TZ"))
    return stored_report(settings, Calendar(zone), time.time(), _budgets_of_plugins(settings))


def _budgets_of_plugins(settings: Settings) -> list[Budget]:
    from openclaw_oauthrouter.plugins import create_plugin_manager

    answers = create_plugin_manager().hook.oauthrouter_register_budgets(settings=settings)
    return [budget for answer in answers for budget in answer]


def _limits(report: SpendReport) -> Table | str:
    if not report.limits:
        return "No limits are set (spend_controls, server.client_keys)."
    table = create_table("who", "what", numbers=("used", "limit", "left"), title="Limits")
    for use in report.limits:
        limit = use.limit
        what = f"{_QUANTITY_NAMES[limit.quantity]} {_PERIOD_NAMES.get(limit.period.name, f'this {limit.period.name}')}"
        numbers = (use.used, limit.most, max(limit.most - use.used, 0))
        amounts = (_amount(limit.quantity, number) for number in numbers)
        table.add_row(_who(limit.scope), what, *amounts, style=_style(use))
    return table


def _style(use: LimitUse) -> str | None:
    if use.warning is None:
        return None
    return "red" if use.used >= use.limit.most else "yellow"


def _use(period: PeriodUse, zone: str) -> Table:
    name = _PERIOD_NAMES.get(period.name, f"this {period.name}").capitalize()
    on_plans = any(one.on_plans for one in period.scopes)
    numbers = (*_QUANTITY_NAMES.values(), *(("on plans",) if on_plans else ()))
    table = create_table("who", numbers=numbers, title=f"{name} ({period.window}, {zone})")
    for row in period.scopes[:_MOST_ROWS] or (ScopeUse("", Amounts()),):
        worth = (_amount("microdollars", row.on_plans),) if on_plans else ()
        table.add_row(_who(row.scope), *(_amount(quantity, getattr(row.used, quantity)) for quantity in _QUANTITY_NAMES), *worth)
    if len(period.scopes) > _MOST_ROWS:
        table.add_row(f"and {len(period.scopes) - _MOST_ROWS} more (--json)")
    return table


def _who(scope: str) -> str:
    return scope.replace(":", " ", 1) or "everybody"


def _amount(quantity: Quantity, amount: int) -> str:
    return f"${amount / 1_000_000:.4f}" if quantity == "microdollars" else f"{amount:,}"
