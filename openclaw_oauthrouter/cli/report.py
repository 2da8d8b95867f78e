"""``report``: what the last days cost and saved, and what failed, from the trace file alone."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.recorded_trace import progress
from openclaw_oauthrouter.cli.trace_lines import dollars, milliseconds, models, printable
from openclaw_oauthrouter.telemetry.report import Sums, TraceReport, busiest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.table import Table

    from openclaw_oauthrouter.telemetry.report_lines import Part

_DAY = 86_400.0
_SHARED_BYTES = 128 << 20
"""Reading less than this takes less time than starting processes for it."""


@click.command("report")
@click.option("--days", default=7, show_default=True, type=click.FloatRange(min=0, min_open=True), help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def command(obj: dict[str, Any], days: float, as_json: bool) -> None:
    """Summarise recent requests: tiers, models, cost, savings, failures, and the slowest ones."""
    from openclaw_oauthrouter.cli.trace import trace_file

    path = trace_file(obj)
    report = read_report(path, since=time.time() - days * _DAY)
    if as_json:
        import orjson

        click.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    elif not report.total.requests:
        click.echo(f"nothing was recorded in the last {days:g} days ({path})")
        if report.damaged:
            click.echo(_damage(report))
    else:
        _print(report)


def read_report(path: Path, since: float) -> TraceReport:
    """Read the trace and its rotated predecessors; a progress bar on stderr if that takes a while.

    :param since: Unix seconds
    """
    from openclaw_oauthrouter.telemetry.report_lines import parts_of
    from openclaw_oauthrouter.telemetry.trace_files import trace_files

    files = [(file, status.st_size) for file in trace_files(path) if (status := file.stat()).st_mtime >= since]
    parts = [part for file, size in files for part in parts_of(file, size)]
    total = sum(part.size for part in parts)
    report = TraceReport()
    with progress(total) as advance:
        workers = min(_cores(), len(parts), 8)
        if total >= _SHARED_BYTES and workers > 1:
            _read_together(report, parts, since, advance, workers)
        else:
            for part in parts:
                report.add_part(part, since, advance)
    return report


def _read_together(
    report: TraceReport, parts: Sequence[Part], since: float, advance: Callable[[int], object], workers: int
) -> None:
    """Read parts in several processes, the newest and largest work first come first served."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    from openclaw_oauthrouter.telemetry.report import report_of

    # Not forked: the progress bar has a thread.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        reading = {pool.submit(report_of, part, since): part for part in parts}
        for done in as_completed(reading):
            report.join(done.result())
            advance(reading[done].size)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _print(report: TraceReport) -> None:
    from openclaw_oauthrouter.cli.output import create_console

    console = create_console()
    _print_totals(console, report)
    console.print(_table("Tiers", report.tiers, report.total))
    console.print(_table("Models", report.models, report.total))
    if len(report.clients) > 1:
        console.print(_table("Clients", report.clients, report.total))
    if report.failures:
        console.print("Failures: " + ", ".join(f"{count} × {what}" for what, count in report.failures.most_common(8)))
    if report.damaged:
        console.print(_damage(report))
    console.print("Slowest:")
    for event in report.slowest():
        moment = time.strftime("%d %b %H:%M:%S", time.localtime(event["ts"] / 1000))
        console.print(f"  {milliseconds(event['latencyMs']):>9}  {moment}  {models(event)}  {event.get('requestId')}")


def _damage(report: TraceReport) -> str:
    return f"{report.damaged:,} damaged lines of the trace were passed over"


def _print_totals(console: Console, report: TraceReport) -> None:
    from rich.text import Text

    total = report.total
    span = " to ".join(
        time.strftime("%d %b %Y %H:%M", time.localtime(moment)) for moment in (report.first or 0, report.last or 0)
    )
    latency = ", ".join(f"{name} {milliseconds(value)}" for name, value in report.latency().items())
    counts = f", {total.failed:,} failed, {report.fallbacks:,} fell back  "
    console.print(
        Text.assemble((f"{total.requests:,} request{'' if total.requests == 1 else 's'}", "bold"), counts, (span, "dim"))
    )
    console.print(
        f"{total.input_tokens:,} tokens in ({_share(total.cached_tokens, total.input_tokens)} from cache), {total.output_tokens:,} out"
    )
    extra = f" ({dollars(total.extra_usage)} of it as a plan's extra usage)" if total.extra_usage else ""
    plans = f", and {dollars(total.on_plans)} worth on subscriptions" if total.on_plans else ""
    console.print(f"{dollars(total.paid)} paid by the token{extra}{plans}")
    if report.windows:
        console.print(f"of plans' windows, by estimate: {window_shares(report)}")
    if total.baseline:
        baseline = ", ".join(report.baselines) or "the baseline model"
        against = f" ({_share(total.saved, total.baseline)}) against always using {baseline}"
        console.print(Text.assemble((f"{dollars(total.saved)} saved", "green"), against))
    if report.unpriced:
        names = ", ".join(f"{count:,} × {printable(name)}" for name, count in report.unpriced.most_common(5))
        console.print(Text.assemble(("cost unknown", "yellow"), f" of {names}: no price is stated or published"))
    console.print(f"latency: {latency or 'nothing answered'}")


def window_shares(report: TraceReport) -> str:
    """What the answers took of plans' windows: ``anthropic 5h 12.3%``; ``unknown`` until two readings differ."""
    parts = (
        f"{printable(name)} {'unknown' if sums.unknown == sums.requests else f'{sums.share:.1%}'}"
        for name, sums in sorted(report.windows.items())
    )
    return ", ".join(parts)


def _table(title: str, sums: dict[str, Sums], total: Sums) -> Table:
    from openclaw_oauthrouter.cli.output import create_table

    table = create_table(title, numbers=("requests", "share", "failed", "tokens in", "out", "paid", "on plans", "saved"))
    for name, one in busiest(sums):
        table.add_row(
            printable(name),
            f"{one.requests:,}",
            _share(one.requests, total.requests),
            f"{one.failed:,}",
            f"{one.input_tokens:,}",
            f"{one.output_tokens:,}",
            dollars(one.paid),
            dollars(one.on_plans),
            dollars(one.saved) if one.baseline else "—",
        )
    return table


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "0%"
