"""``replay``: what recorded requests would have become under another configuration, before it is applied."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.cli.recorded_trace import RecordedTrace
from openclaw_oauthrouter.cli.trace_lines import dollars, printable

if TYPE_CHECKING:
    from rich.console import Console

    from openclaw_oauthrouter.canonical.json import JsonObject
    from openclaw_oauthrouter.cli.recorded_routing import RecordedRouting, Replayed


@click.command("replay")
@click.option(
    "--config",
    "new",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Configuration to try. Default: the present one.",
)
@click.option("--days", default=7, show_default=True, type=click.FloatRange(min=0, min_open=True), help="How far to look back.")
@click.option("--show", default=20, show_default=True, type=click.IntRange(0), help="Number of changed requests to list.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def command(obj: dict[str, Any], /, new: Path | None, days: float, show: int, as_json: bool) -> None:
    """Route the recorded requests again with today's settings, and show what would change and what it would cost.

    --config FILE tries another configuration. It says what each tier, model, plan window and prompt cache would get. Nothing is sent.

    The trace contains no prompts, so tiers are computed from recorded scores. A different classifier cannot be tried this way.
    """
    from openclaw_oauthrouter.cli.trace import trace_file

    path = _trace_named_by(new) if new is not None and not obj.get("config") else None
    path = path or trace_file(obj)
    trace = RecordedTrace(path, days)
    routed = (event for event in trace.events() if event.get("modelIdResolved"))
    comparison = compare(_routing({"config": new} if new else obj), routed, lean=True)
    if as_json:
        import orjson

        told = {"trace": str(path), "damagedLines": trace.damaged, **comparison.as_json()}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        _print(comparison, show, trace)


@dataclass(slots=True)
class Comparison:
    """The recorded requests and what they would become.

    :ivar kept: tiers taken from the record, since no recorded score could be judged anew
    :ivar classifier: that of the configuration
    :ivar passed_over: records whose decision is not as a gateway writes it
    """

    replayed: list[Replayed] = field(default_factory=list)
    unroutable: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    passed_over: int = 0
    classifier: str = "rules"

    @property
    def changed(self) -> list[Replayed]:
        """Requests that would get another tier or model."""
        return [one for one in self.replayed if one.differs]

    @property
    def priced(self) -> int:
        """Requests whose cost is known both times."""
        return sum(one.cost_then is not None and one.cost_now is not None for one in self.replayed)

    def costs(self) -> tuple[float, float]:
        """US dollars at list price then and now, caches included, of requests whose cost is known both times."""
        known = [(one.cost_then, one.cost_now) for one in self.replayed]
        pairs = [(then, now) for then, now in known if then is not None and now is not None]
        return sum(then for then, _ in pairs), sum(now for _, now in pairs)

    def plans(self) -> dict[str, tuple[float, float]]:
        """US dollars of list price that each plan carried then and would carry now: how much more or less of its windows goes."""
        carried: dict[str, list[float]] = {}
        for one in self.replayed:
            if one.cost_then is None or one.cost_now is None:
                continue
            for place, (plan, cost) in enumerate(((one.plan_then, one.cost_then), (one.plan_now, one.cost_now))):
                if plan is not None:
                    carried.setdefault(plan, [0.0, 0.0])[place] += cost
        return {plan: (then, now) for plan, (then, now) in carried.items()}

    def keys(self) -> tuple[float, float]:
        """US dollars that no plan carries, then and now: what is billed by the token."""
        then, now = self.costs()
        plans = self.plans().values()
        return max(0.0, then - sum(one for one, _ in plans)), max(0.0, now - sum(one for _, one in plans))

    def cached(self) -> tuple[int, int]:
        """Tokens of prompts that came from caches then and would now."""
        return sum(one.cached_then for one in self.replayed), sum(one.cached_now for one in self.replayed)

    def windows(self) -> dict[tuple[str, str], tuple[float, float]]:
        """Share of each plan's window that the requests took then and would take now."""
        from openclaw_oauthrouter.cli.window_shares import window_shares

        return window_shares(self.replayed)

    def tiers(self) -> dict[str, tuple[int, int]]:
        """Requests of each tier then and now."""
        then = Counter(one.tier_then for one in self.replayed)
        now = Counter(one.decision.tier for one in self.replayed)
        return {str(tier): (then[tier], now[tier]) for tier in Tier if then[tier] or now[tier]}

    @property
    def recomputed(self) -> tuple[int, int]:
        """Recorded decisions whose sums follow from their recorded inputs bit for bit, and those that have sums at all."""
        told = [one.recomputed for one in self.replayed if one.recomputed is not None]
        return sum(told), len(told)

    def moves(self) -> Counter[tuple[str, str]]:
        """``(tier and model then, tier and model now)`` of the changed requests."""
        return Counter(
            (f"{one.tier_then or 'as asked'} {one.model_then}", f"{one.decision.tier or 'as asked'} {one.decision.model}")
            for one in self.changed
        )

    def as_json(self) -> JsonObject:
        """For programs; money in US dollars."""
        then, now = self.costs()
        keys = self.keys()
        return {
            "requests": len(self.replayed),
            "changed": len(self.changed),
            "tiersKept": self.kept,
            "passedOver": self.passed_over,
            "priced": self.priced,
            "cost": {"then": round(then, 6), "now": round(now, 6)} if self.priced else None,
            "billedByToken": {"then": round(keys[0], 6), "now": round(keys[1], 6)} if self.priced else None,
            "cachedTokens": dict(zip(("then", "now"), self.cached(), strict=True)),
            "plans": {plan: {"then": round(a, 6), "now": round(b, 6)} for plan, (a, b) in self.plans().items()},
            "windows": [
                {"plan": plan, "window": window, "then": round(a, 6), "now": round(b, 6)}
                for (plan, window), (a, b) in self.windows().items()
            ],
            "tiers": {tier: {"then": a, "now": b} for tier, (a, b) in self.tiers().items()},
            "recomputed": dict(zip(("same", "recorded"), self.recomputed, strict=True)),
            "moves": [{"from": before, "to": after, "requests": count} for (before, after), count in self.moves().most_common()],
            "unroutable": dict(self.unroutable),
            "requestIds": [one.event.get("requestId") for one in self.changed],
        }


def compare(routing: RecordedRouting, events: Iterable[JsonObject], *, lean: bool = False) -> Comparison:
    """Route every recorded request that got a decision.

    :param lean: keep of each only what is told in the end; whole, tens of thousands do not fit in memory
    """
    from openclaw_oauthrouter.errors import OAuthRouterError
    from openclaw_oauthrouter.telemetry.routing_shape import is_whole

    comparison = Comparison()
    for event in events:
        if not is_whole(event):
            comparison.passed_over += 1
            continue
        try:
            one = routing.route(event)
            comparison.replayed.append(one.lean() if lean else one)
        except OAuthRouterError as error:
            comparison.unroutable[error.message] += 1
    comparison.kept, comparison.classifier = routing.kept, routing.classifier
    return comparison


def _trace_named_by(new: Path) -> Path | None:
    """The trace in the state folder that the configuration to try names itself; ``None`` where it names none, or none lies there."""
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.telemetry.trace_files import trace_files, trace_path

    loaded = command_settings({"config": new}, announce=False)
    path = trace_path(loaded.settings.home)
    return path if loaded.sources.get("home", "").startswith("file ") and trace_files(path) else None


def _routing(obj: dict[str, Any]) -> RecordedRouting:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.cli.recorded_routing import RecordedRouting
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.plugins import create_plugin_manager

    return RecordedRouting(Builder(command_settings(obj, announce=False).settings, create_plugin_manager()).router_alone())


def _print(comparison: Comparison, show: int, trace: RecordedTrace) -> None:
    from rich.text import Text

    from openclaw_oauthrouter.cli.output import create_console

    console = create_console()
    total, changed = len(comparison.replayed), comparison.changed
    if not total and not comparison.passed_over and not comparison.unroutable:
        console.print(f"nothing recorded to replay {trace.span}")
        if trace.damage:
            console.print(trace.damage)
        return
    elsewhere = f", {len(changed):,} would go elsewhere ({len(changed) / max(total, 1):.0%})"
    console.print(Text.assemble((f"{total:,} requests replayed", "bold"), f" {trace.span}", elsewhere))
    same, recorded = comparison.recomputed
    if recorded:
        console.print(f"{same:,} of {recorded:,} recorded sums come out the same from their recorded inputs")
    _print_money(console, comparison)
    shifts = ", ".join(f"{tier} {before:,} → {after:,}" for tier, (before, after) in comparison.tiers().items())
    console.print(f"tiers: {shifts}" if shifts else "no tiers: every request named its model")
    for (before, after), count in comparison.moves().most_common():
        console.print(f"{count:>6} ×  {printable(before)}  →  {printable(after)}")
    if comparison.kept:
        other = comparison.classifier != "rules"
        why = f"{comparison.classifier} cannot be tried without the prompts" if other else "no score of rules stands in the trace"
        console.print(f"{comparison.kept:,} tiers were taken as recorded: {printable(why)}")
    if comparison.passed_over:
        console.print(f"{comparison.passed_over:,} records were passed over: what they hold of a decision is damaged")
    if trace.damage:
        console.print(trace.damage)
    for message, count in comparison.unroutable.most_common():
        console.print(f"{count:>6} ×  cannot be routed: {printable(message)}")
    for one in changed[:show]:
        moment = time.strftime("%d %b %H:%M:%S", time.localtime(one.event["ts"] / 1000))
        before, after = f"{one.tier_then} {one.model_then}", f"{one.decision.tier} {one.decision.model}"
        console.print(f"  {moment}  {one.event.get('requestId')}  {printable(before)} → {printable(after)}")


def _print_money(console: Console, comparison: Comparison) -> None:
    """What is not known is not shown as nothing."""
    if not comparison.priced:
        console.print("cost: not known; no record tells both its tokens and a model whose price is known")
        return
    then, now = comparison.costs()
    share = f" of {comparison.priced:,} of them" if comparison.priced < len(comparison.replayed) else ""
    console.print(f"cost{share}, caches included: {dollars(then)} then, {dollars(now)} now ({_change(then, now)})")
    billed_then, billed_now = comparison.keys()
    console.print(
        f"billed by the token: {dollars(billed_then)} then, {dollars(billed_now)} now ({_change(billed_then, billed_now)})"
    )
    read_then, read_now = comparison.cached()
    console.print(f"tokens of prompts from caches: {read_then:,} then, {read_now:,} now")
    for plan, (then, now) in comparison.plans().items():
        console.print(
            f"carried by the plan of {printable(plan)}, at list price: {dollars(then)} then, {dollars(now)} now ({_change(then, now)})"
        )
    for (plan, window), (then, now) in comparison.windows().items():
        console.print(f"of its windows, by estimate: {printable(plan)} {printable(window)} {then:.1%} then, {now:.1%} now")


def _change(then: float, now: float) -> str:
    return f"{(now - then) / then:+.0%}" if then else "as before" if not now else "new"
