"""``top``: a live view of the last minutes in a terminal, from the trace file; the gateway may run or not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.cli.report import window_shares
from openclaw_oauthrouter.cli.trace_lines import TIER_STYLES, dollars, event_line, milliseconds, printable
from openclaw_oauthrouter.telemetry.report import TraceReport, busiest

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_READ_AT_FIRST = 2000
_BAR = 24
_NOTICES_EVERY = 15.0


@click.command("top")
@click.option(
    "--minutes", default=10, show_default=True, type=click.FloatRange(min=0, min_open=True), help="How far to look back."
)
@click.option("--every", default=1, show_default=True, type=click.FloatRange(min=0.1), help="Seconds between two updates.")
@click.option("--once", is_flag=True, help="Print one view and stop.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(obj: dict[str, Any], minutes: float, every: float, once: bool, as_json: bool) -> None:
    """Watch the gateway live: rate, tiers, models, cost, and the latest requests. Ctrl-C ends it.

    With --json, or if the output is not a terminal, it prints one view and stops.
    """
    from rich.live import Live

    from openclaw_oauthrouter.cli.output import create_console
    from openclaw_oauthrouter.cli.trace import trace_file
    from openclaw_oauthrouter.telemetry.reader import FollowedFile, last_lines

    path = trace_file(obj)
    recent = RecentEvents(minutes * 60)
    recent.add(last_lines(path, _READ_AT_FIRST), time.time())
    console = create_console()
    if as_json:
        import orjson

        click.echo(orjson.dumps(recent.report().as_json(), option=orjson.OPT_INDENT_2))
        return
    recent.notices = _notices(obj)
    if once or not console.is_terminal:
        console.print(recent.view(console.height))
        return
    live = Live(console=console, screen=True, auto_refresh=False)
    # Ctrl-C is how one leaves, not a failure.
    with suppress(KeyboardInterrupt), FollowedFile(path) as followed, live:
        asked = time.monotonic()
        while True:
            recent.add(followed.read(), time.time())
            if time.monotonic() - asked > _NOTICES_EVERY:
                recent.notices, asked = _notices(obj), time.monotonic()
            live.update(recent.view(console.height), refresh=True)
            time.sleep(every)


class RecentEvents:
    """The requests of the last ``seconds``, and how they look."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.notices: list[Text] = []
        self.events: deque[JsonObject] = deque()

    def add(self, events: Iterable[JsonObject], now: float) -> None:
        """Take new requests and forget those that are too old."""
        self.events.extend(events)
        self.events = deque(event for event in self.events if event["ts"] / 1000 >= now - self._seconds)

    def report(self) -> TraceReport:
        """Their sums."""
        report = TraceReport()
        for event in self.events:
            report.add(event)
        return report

    def view(self, height: int) -> RenderableType:
        """The whole screen."""
        from rich.console import Group
        from rich.text import Text

        report = self.report()
        warnings = self.notices or _budget_warnings(self.events)
        if report.windows:
            warnings.append(Text(f"of plans' windows, by estimate: {window_shares(report)}", "dim"))
        parts: list[RenderableType] = [self._headline(report), *warnings, "", _tiers(report), "", _models(report), ""]
        used = 8 + len(warnings) + len(report.tiers) + min(len(report.models), 6)
        latest = list(self.events)[-max(3, height - used - 2) :]
        parts.extend(event_line(event) for event in reversed(latest))
        if not latest:
            parts.append(Text("no requests yet; send one and it shows here", "dim"))
        return Group(*parts)

    def _headline(self, report: TraceReport) -> Text:
        from rich.text import Text

        total = report.total
        latency = report.latency()
        return Text.assemble(
            (f"{total.requests}", "bold"),
            f" request{'' if total.requests == 1 else 's'} in {self._seconds / 60:g} min ({total.requests / self._seconds * 60:.1f}/min)   ",
            (f"{total.failed} failed", "red" if total.failed else ""),
            f"   p50 {milliseconds(latency.get('p50'))}  p99 {milliseconds(latency.get('p99'))}   ",
            f"{dollars(total.paid)} paid  ",
            (f"{dollars(total.saved)} saved", "green"),
            (f"  {total.unpriced} of unknown cost" if total.unpriced else "", "yellow"),
        )


def _notices(obj: dict[str, Any]) -> list[Text]:
    """What the running gateway says that one should know; nothing where none runs."""
    from rich.text import Text

    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.errors import ConfigurationError
    from openclaw_oauthrouter.proxy.local_client import ask_gateway

    try:
        told = ask_gateway(command_settings(obj, announce=False).settings, "GET", "/debug/notices")["notices"]
    except (ConfigurationError, KeyError):
        return []
    return [Text(printable(str(one["words"])), "red" if one["level"] == "bad" else "yellow") for one in told]


def _budget_warnings(events: Sequence[JsonObject]) -> list[Text]:
    """Limits that were nearly used when the latest request came that a limit counts."""
    from rich.text import Text

    latest = next((event["spend"]["warnings"] for event in reversed(events) if (event.get("spend") or {}).get("warnings")), ())
    return [Text(f"budget: {printable(str(words))} used", "yellow") for words in latest]


def _tiers(report: TraceReport) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for name, sums in busiest(report.tiers):
        share = sums.requests / report.total.requests
        style = TIER_STYLES.get(name, "dim")
        bar = "█" * max(1, round(share * _BAR))
        grid.add_row(Text(name, style), f"{sums.requests}", Text(f"{bar:<{_BAR}}", style), f"{share:.0%}")
    return grid


def _models(report: TraceReport) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for name, sums in busiest(report.models)[:6]:
        failed = Text(f"{sums.failed} failed" if sums.failed else "", "red")
        grid.add_row(Text(printable(name), overflow="fold"), f"{sums.requests}", dollars(sums.paid + sums.on_plans), failed)
    return grid
