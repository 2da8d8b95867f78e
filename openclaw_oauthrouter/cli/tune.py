"""``tune``: agents' cut points from the user's own tasks, with what they would change before it is changed, and a way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.canonical.routing import DimensionScore, Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.cli.grammar import UsageProblem
from openclaw_oauthrouter.cli.recorded_trace import RecordedTrace

if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.json import JsonObject
    from openclaw_oauthrouter.classifier.parameters import AgentCutPoints, CutPoints
    from openclaw_oauthrouter.config import Settings

_KEY = "routing.agent_cut_points"
LEAST_TASKS = 50
"""Tasks below which shares say more of chance than of the user's work."""
LARGEST_SHARE = 0.6
"""Share of the tasks beyond which one tier has too many of them."""


@click.command("tune")
@click.option("--days", default=30, show_default=True, type=click.FloatRange(min=0, min_open=True), help="How far to look back.")
@click.option("--apply", "apply_", is_flag=True, help="Write the new borders to the configuration file.")
@click.option("--undo", is_flag=True, help="Restore what was set before the last --apply.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def command(obj: dict[str, Any], /, days: float, apply_: bool, undo: bool, as_json: bool) -> None:
    """Fit the borders between the tiers to your own agents' tasks, and show the share of each tier before and after.

    The words of a task do not say whether it needs a stronger model. What can be fitted is the share of your tasks that each tier gets.
    The trace contains scores, but no prompts. Nothing changes without --apply.
    """
    from openclaw_oauthrouter.cli.config import change_file, config_path
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.cli.trace import trace_file
    from openclaw_oauthrouter.telemetry.routing_shape import is_whole

    settings = command_settings(obj).settings
    path, before = config_path(obj), _Before(settings.home / "tune-undo.json")
    if undo:
        if apply_:
            raise UsageProblem("--apply and --undo together mean nothing")
        change_file(path, _KEY, before.last())
        before.forget_last()
        click.echo(f"{_KEY} has been restored in {path} to its value before the last tune.")
        return
    trace = RecordedTrace(trace_file(obj), days)
    found = tune(settings, filter(is_whole, trace.events()))
    if as_json:
        import orjson

        click.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2))
    else:
        _print(found, trace)
    if apply_:
        if found.obstacle is not None:
            raise click.ClickException(f"{found.obstacle}; nothing has been changed")
        if found.after == settings.routing.agent_cut_points:
            click.echo(f"{_KEY} is already set to this in {path}.", err=as_json)
            return
        before.keep(settings.routing.agent_cut_points)
        try:
            change_file(path, _KEY, list(found.after))
        except BaseException:
            before.forget_last()
            raise
        click.echo(f"{_KEY} is set in {path}; 'openclaw-oauthrouter tune --undo' takes it back.", err=as_json)


@value(frozen=True, slots=True)
class Tuned:
    """Borders now and fitted, and what each makes of the recorded tasks.

    :ivar before: scores at which COMPLEX and REASONING begin for agents' tasks, as configured
    """

    tasks: int
    before: tuple[float, float]
    after: tuple[float, float]
    shares_before: dict[Tier, float]
    shares_after: dict[Tier, float]

    @property
    def obstacle(self) -> str | None:
        """Why these borders are better not set; ``None`` where nothing speaks against them."""
        if self.tasks < LEAST_TASKS:
            return f"{self.tasks} tasks are too few; at least {LEAST_TASKS} are needed"
        tier = max(self.shares_after, key=lambda tier: self.shares_after[tier])
        share = self.shares_after[tier]
        if share > LARGEST_SHARE and share >= max(self.shares_before.values()):
            return f"the tasks are too much alike for borders to divide them: {share:.0%} of them would be {tier}"
        return None

    def as_json(self) -> JsonObject:
        """For programs."""
        return {
            "tasks": self.tasks,
            "enough": self.tasks >= LEAST_TASKS,
            "obstacle": self.obstacle,
            "before": {
                "cutPoints": list(self.before),
                "shares": {tier.value: share for tier, share in self.shares_before.items()},
            },
            "after": {"cutPoints": list(self.after), "shares": {tier.value: share for tier, share in self.shares_after.items()}},
        }


def tune(settings: Settings, events: Iterable[JsonObject]) -> Tuned:
    """Fit to the tasks of a trace: the first turn of each, where the default classifier took it for an agent's.

    Tasks that were scored with the learned term count only where that takes part now, and those without it only where it does not.
    """
    from openclaw_oauthrouter.classifier.learned import LearnedScore
    from openclaw_oauthrouter.classifier.parameters import AgentCutPoints, Parameters, letters_of

    routing = settings.routing
    points = AgentCutPoints.load(learned=routing.learned_score)
    if routing.agent_cut_points is not None:
        points = points.with_profile(routing.profile, routing.agent_cut_points)
    cuts = routing.cut_points or Parameters.load(learned=routing.learned_score).cut_points(routing.profile)
    own = routing.cut_points is None or routing.agent_cut_points is not None  # else the same borders are set for all requests
    tasks: list[tuple[float, float, Tier]] = []
    for told in _tasks(events):
        if any(one["name"] == LearnedScore.name for one in told["dimensions"]) != routing.learned_score:
            continue
        letters = letters_of(DimensionScore(one["name"], one["score"], one["weight"]) for one in told["dimensions"])
        score = sum(one["score"] * one["weight"] for one in told["dimensions"])
        if letters is not None:
            tasks.append((score, letters, _least(told.get("floors", ()))))
    before = points.profiles[routing.profile] if own else cuts[1:]
    after = points.fitted(routing.profile, [points.level(score, letters) for score, letters, _ in tasks]) if tasks else before
    fitted = points.with_profile(routing.profile, after)
    now = points if own else None
    return Tuned(
        len(tasks), before, after, _shares(tasks, now, routing.profile, cuts), _shares(tasks, fitted, routing.profile, cuts)
    )


def _tasks(events: Iterable[JsonObject]) -> Iterable[JsonObject]:
    seen: set[str] = set()
    for event in events:
        told = event.get("routing") or {}
        conversation = event.get("conversation") or str(event.get("requestId"))
        if told.get("method") != "rules" or not told.get("agent") or told.get("turn") != "task" or conversation in seen:
            continue
        seen.add(conversation)
        yield told


def _least(floors: Sequence[str]) -> Tier:
    """The highest tier that the task's words asked for."""
    asked = [Tier(word) for floor in floors if (word := floor.removeprefix("at least ").partition(":")[0]) in set(Tier)]
    return max(asked, key=lambda tier: tier.rank, default=Tier.SIMPLE)


def _shares(
    tasks: Sequence[tuple[float, float, Tier]], points: AgentCutPoints | None, profile: str, cuts: CutPoints
) -> dict[Tier, float]:
    from openclaw_oauthrouter.classifier.parameters import tier_at

    tiers = Counter(
        max(tier_at(score, points.at(profile, cuts, letters) if points else cuts), least, key=lambda tier: tier.rank)
        for score, letters, least in tasks
    )
    return {tier: round(tiers[tier] / len(tasks), 3) if tasks else 0.0 for tier in Tier}


@value(frozen=True, slots=True)
class _Before:
    """What stood in the configuration before each change of ours that has not been taken back."""

    path: Path

    def keep(self, points: tuple[float, float] | None) -> None:
        """Note one more."""
        self._write([*self._read(), points])

    def last(self) -> Any:
        """The borders before the last change; ``None``: there were none.

        :raises ClickException: none is known
        """
        kept = self._read()
        if not kept:
            raise click.ClickException("nothing to take back: tune --apply has changed nothing here")
        return kept[-1]

    def forget_last(self) -> None:
        """It has been taken back."""
        kept = self._read()[:-1]
        if kept:
            self._write(kept)
        else:
            self.path.unlink(missing_ok=True)

    def _read(self) -> list[Any]:
        import orjson

        if not self.path.exists():
            return []
        try:
            told = orjson.loads(self.path.read_bytes())
            # Earlier versions kept only one.
            return told["changes"] if "changes" in told else [told["before"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            words = f"{self.path} is damaged; 'openclaw-oauthrouter config undo' takes changes back too"
            raise click.ClickException(words) from None

    def _write(self, kept: list[Any]) -> None:
        import orjson

        from openclaw_oauthrouter.config.private_file import write_private

        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.path, orjson.dumps({"changes": kept}))

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def _print(found: Tuned, trace: RecordedTrace) -> None:
    from openclaw_oauthrouter.cli.output import create_console, create_table

    console = create_console()
    console.print(f"{found.tasks:,} tasks of agents {trace.span}")
    if trace.damage:
        console.print(trace.damage)
    if not found.tasks:
        console.print(f"--apply would refuse: {found.obstacle}.", soft_wrap=True)
        return
    table = create_table("", "COMPLEX from", "REASONING from", *(tier.value for tier in Tier))
    for name, points, shares in (("now", found.before, found.shares_before), ("fitted", found.after, found.shares_after)):
        table.add_row(name, f"{points[0]:.3f}", f"{points[1]:.3f}", *(f"{shares[tier]:.0%}" for tier in Tier))
    console.print(table)
    if found.obstacle is not None:
        console.print(f"--apply would refuse: {found.obstacle}.", soft_wrap=True)
