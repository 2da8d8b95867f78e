"""Shows what reading plan windows is worth: a simulated week of one person's requests, four ways of choosing who answers.

``python benchmarks/plan_windows.py``. Two plans, each with a 5-hour and a weekly window, and an API key behind them. Near the
end the second plan is reset early, as vendors sometimes do. Nothing is measured here, everything is counted: the figures are the same on
every machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from openclaw_oauthrouter.errors import UpstreamRateLimitError
from openclaw_oauthrouter.health.registry import HealthRegistry

HOUR, DAY = 3600.0, 86_400.0
DOLLARS_A_CALL = 0.03
EARLY_RESET = 5.5 * DAY
START = 1_763_337_600.0


@dataclass
class Window:
    """So many calls in so many seconds; opens with its first call, as the vendors' do."""

    minutes: int
    calls: int
    used: int = 0
    ends: float = 0.0

    def is_full(self, now: float) -> bool:
        if now >= self.ends:
            self.used, self.ends = 0, now + self.minutes * 60
        return self.used >= self.calls


@dataclass
class Plan:
    """An upstream paid by a subscription, with the headers of the ChatGPT backend."""

    name: str
    windows: tuple[Window, Window]

    def call(self, now: float) -> tuple[bool, dict[str, str]]:
        full = [window.is_full(now) for window in self.windows]  # each of them, for a call opens both
        answered = not any(full)
        for window in self.windows:
            window.used += answered
        return answered, dict(self._headers())

    def _headers(self) -> Iterator[tuple[str, str]]:
        for position, window in zip(("primary", "secondary"), self.windows, strict=True):
            yield f"x-codex-{position}-used-percent", str(100 * window.used / window.calls)
            yield f"x-codex-{position}-window-minutes", str(window.minutes)
            yield f"x-codex-{position}-reset-at", str(window.ends)


@dataclass
class World:
    """The vendors, and the time."""

    now: float = START
    plans: tuple[Plan, Plan] = field(
        default_factory=lambda: (
            Plan("first plan", (Window(300, 120), Window(10_080, 900))),
            Plan("second plan", (Window(300, 150), Window(10_080, 600))),
        )
    )

    def clock(self) -> float:
        return self.now

    def advance(self, moment: float) -> None:
        if self.now < START + EARLY_RESET <= moment:
            for window in self.plans[1].windows:
                window.ends = 0.0
        self.now = moment


@dataclass
class Tally:
    """What a week came to.

    :ivar answered: calls by who answered them
    :ivar refused: requests nobody answered
    :ivar in_vain: calls of a plan that was used up
    """

    answered: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    in_vain: int = 0

    @property
    def dollars(self) -> float:
        return self.answered.get("API key", 0) * DOLLARS_A_CALL

    def count(self, who: str) -> None:
        self.answered[who] = self.answered.get(who, 0) + 1


Strategy = Callable[[World, Tally], Callable[[], None]]
"""Given a world, how it answers one request."""


def one_plan(world: World, tally: Tally) -> Callable[[], None]:
    """Static routing: every request goes to the first plan."""

    def answer() -> None:
        answered, _ = world.plans[0].call(world.now)
        if answered:
            tally.count(world.plans[0].name)
        else:
            tally.refused += 1

    return answer


def in_turn(world: World, tally: Tally) -> Callable[[], None]:
    """A static chain without memory: first plan, second plan, API key, for each request anew."""
    return lambda: _first_that_answers(world, tally, lambda _plan: True, lambda *_answer: None)


def obeying_what_was_told(world: World, tally: Tally) -> Callable[[], None]:
    """The chain, with a plan left alone until the reset it told."""
    until: dict[str, float] = {}

    def note(plan: Plan, answered: bool, _headers: dict[str, str]) -> None:
        if not answered:
            until[plan.name] = max(window.ends for window in plan.windows if window.used >= window.calls)

    return lambda: _first_that_answers(world, tally, lambda plan: world.now >= until.get(plan.name, 0.0), note)


def health_book(world: World, tally: Tally) -> Callable[[], None]:
    """The chain, with the health book of this package."""
    registry = HealthRegistry(world.clock)

    def note(plan: Plan, answered: bool, headers: dict[str, str]) -> None:
        registry.calling(plan.name, "model", "login")
        registry.observe_headers(plan.name, "login", headers, "model")
        if answered:
            registry.succeeded(plan.name, "model", "login")
        else:
            registry.failed(plan.name, "model", "login", UpstreamRateLimitError("used up", code="usage_limit_reached"))

    return lambda: _first_that_answers(world, tally, lambda plan: registry.blocked(plan.name, "model", "login") is None, note)


def _first_that_answers(
    world: World, tally: Tally, may: Callable[[Plan], bool], note: Callable[[Plan, bool, dict[str, str]], None]
) -> None:
    for plan in world.plans:
        if not may(plan):
            continue
        answered, headers = plan.call(world.now)
        note(plan, answered, headers)
        if answered:
            tally.count(plan.name)
            return
        tally.in_vain += 1
    tally.count("API key")


def moments(seed: int = 1) -> Iterator[float]:
    """When requests come: bursts between 9 and 23 o'clock, about 300 a day."""
    chance = random.Random(seed)
    for day in range(7):
        moment = day * DAY + 9 * HOUR
        while moment < day * DAY + 23 * HOUR:
            yield START + moment
            moment += chance.expovariate(1 / 30) if chance.random() < 0.9 else chance.expovariate(1 / 1400)


def week(strategy: Strategy) -> Tally:
    """Run one strategy through the week."""
    world, tally = World(), Tally()
    answer = strategy(world, tally)
    for moment in moments():
        world.advance(moment)
        answer()
    return tally


STRATEGIES: dict[str, Strategy] = {
    "one plan, static": one_plan,
    "chain without memory": in_turn,
    "chain, told resets obeyed": obeying_what_was_told,
    "chain with the health book": health_book,
}


def main() -> None:
    """Print the table."""
    print(f"{'':28} {'first plan':>10} {'second plan':>11} {'API key':>8} {'refused':>8} {'in vain':>8} {'dollars':>8}")
    for name, strategy in STRATEGIES.items():
        tally = week(strategy)
        counts = [tally.answered.get(who, 0) for who in ("first plan", "second plan", "API key")]
        print(f"{name:28} {counts[0]:10} {counts[1]:11} {counts[2]:8} {tally.refused:8} {tally.in_vain:8} {tally.dollars:8.2f}")


if __name__ == "__main__":
    main()
