"""Which of 25 models should work on a task: a policy chosen on one half of the tasks, scored on the other, many times over.

Nothing in a task's words tells which model it needs (rank correlation of any score with the share of models that fail: below .1), so the
policy is the router's: the sum over whole tasks, dollars and the price of falling short, picks one model to begin with; a task that takes
twice that model's usual calls goes to the one that solves most. Both, and the usual number of calls, are found on the one half.

Solved and paid are as published for each task and model. A task handed over in the middle is not among them, so it is taken to begin anew:
the first model is paid for its share of calls, then the second for all of its own. That it is twice, as in the router, was once chosen
in sight of these tasks. So the table also shows what comes out when the factor is chosen on the one half as everything else is: those
lines owe nothing to the tasks they are scored on. There are three ways to choose it (``RULES``): by the sum, as the one that solves most
within seven tenths of the dollars, and as the cheapest that solves as many as the best model there. What is chosen for being at a bound on
one half lies a little beyond it on the other, so no rule holds both bounds at once; half of these tasks tell shares of solved
tasks apart only when they differ by two or three per cent.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openclaw_oauthrouter.routing.cost import SHORTFALL

SPLITS = 200
TIMES_USUAL = (2.0,)
FACTORS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, float("inf"))
"""Times the usual calls after which a task may change hands, where that is to be chosen; infinite never hands over."""

Tasks = Sequence[dict[str, Any]]
Result = tuple[int, float]
"""Solved, and US dollars."""

MOST_DOLLARS = 0.7
"""Of what the model costs that solves most."""


@dataclass(frozen=True)
class Scored:
    """Over the splits; solved and cost as shares of a fixed model's.

    :ivar solved: against the model that solves most of all tasks, which is known in hindsight only
    :ivar solved_low: exceeded by all but one in twenty splits
    :ivar spread: standard deviation of ``solved`` from split to split
    :ivar solved_chosen: against the one that solves most of the half that was chosen on; so ``cost_chosen``
    :ivar against_mix: cost against the cheapest mix of two fixed models with as many solved, over all splits together; 0 where none solves
        as many
    :ivar against_mix_each: the median over splits of the same, each mix chosen in hindsight on the half that is scored
    """

    solved: float
    solved_low: float
    spread: float
    cost: float
    solved_chosen: float
    cost_chosen: float
    against_mix: float
    against_mix_each: float
    chosen: dict[str, int]


@dataclass(frozen=True)
class Policy:
    """Begin with one model, go on with another from so many calls on."""

    first: str
    calls: float
    then: str

    def result(self, tasks: Tasks) -> tuple[int, float]:
        """Solved, and US dollars."""
        solved, paid = 0, 0.0
        for task in tasks:
            won, cost, calls = task["results"][self.first]
            if calls > self.calls:
                later, more, _ = task["results"][self.then]
                won, cost = later, cost * self.calls / calls + more
            solved += won
            paid += cost
        return solved, paid


def scored(tasks: Tasks, *, factors: Sequence[float] = TIMES_USUAL, rule: str = "least sum", seed: int = 0) -> Scored:
    """Choose on one half, score on the other.

    :param factors: among which the half decides when a task changes hands
    :param rule: how it decides, one of ``RULES``
    """
    rng = random.Random(seed)
    models = sorted(tasks[0]["results"])
    # Most solved of all; of equals the dearest, for that is the one people fix.
    best = max(models, key=lambda model: result(tasks, model))
    rows: list[tuple[float, ...]] = []
    chosen: dict[str, int] = {}
    sums = dict.fromkeys((*models, "policy"), (0, 0.0))
    for _ in range(SPLITS):
        order = list(tasks)
        rng.shuffle(order)
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        known = {model: result(one, model) for model in models}
        policy = best_policy(known, one, factors, rule)
        fixed = {model: result(other, model) for model in models}
        got, paid = policy.result(other)
        at_best, at_chosen = fixed[best], fixed[max(models, key=lambda model: known[model])]
        each = paid / cheapest_mix([*fixed.values()], got)
        rows.append((got / at_best[0], paid / at_best[1], got / at_chosen[0], paid / at_chosen[1], each))
        for model, (more, dearer) in {**fixed, "policy": (got, paid)}.items():
            sums[model] = (sums[model][0] + more, sums[model][1] + dearer)
        chosen[policy.first] = chosen.get(policy.first, 0) + 1
    got, paid = sums.pop("policy")
    solved, cost, solved_chosen, cost_chosen, each_mix = zip(*rows, strict=True)
    return Scored(
        solved=statistics.mean(solved),
        solved_low=sorted(solved)[SPLITS // 20],
        spread=statistics.stdev(solved),
        cost=statistics.mean(cost),
        solved_chosen=statistics.mean(solved_chosen),
        cost_chosen=statistics.mean(cost_chosen),
        against_mix=paid / cheapest_mix([*sums.values()], got),
        against_mix_each=statistics.median(each_mix),
        chosen=chosen,
    )


def most_in_hindsight(tasks: Tasks) -> tuple[int, float, int]:
    """What could be had at all: the most that any two models and any factor solve for ``MOST_DOLLARS``, chosen in sight of every task.

    :return: solved, US dollars, and what the model solves that solves most
    """
    known = {model: result(tasks, model) for model in sorted(tasks[0]["results"])}
    best = max(known.values())
    usual = {model: statistics.mean(task["results"][model][2] for task in tasks) for model in known}
    within = [
        found
        for first in known
        if known[first][1] <= best[1]
        for then in known
        for factor in FACTORS
        if (found := Policy(first, factor * usual[first], then).result(tasks))[1] <= MOST_DOLLARS * best[1]
    ]
    return (*max(within, key=lambda found: (found[0], -found[1])), best[0])


def best_policy(known: dict[str, Result], tasks: Tasks, factors: Sequence[float], rule: str) -> Policy:
    """The policy that a rule picks, by what is known of some tasks."""
    first = best_by_the_sum(known, len(tasks))
    usual = statistics.mean(task["results"][first][2] for task in tasks)
    then = max((model for model in known if model != first), key=lambda model: known[model])
    policies = [Policy(first, factor * usual, then) for factor in factors]
    price = price_of_failing(known, len(tasks))
    return policies[RULES[rule]([policy.result(tasks) for policy in policies], max(known.values()), price)]


def least_sum(results: Sequence[Result], _best: Result, price: float) -> int:
    """Dollars, and the price of each task that is not solved."""
    return min(range(len(results)), key=lambda place: results[place][1] - price * results[place][0])


def most_solved(results: Sequence[Result], best: Result, _price: float) -> int:
    """The most solved tasks for ``MOST_DOLLARS`` of the best model's dollars; where none costs so little, the cheapest."""
    allowed = [place for place, (_, paid) in enumerate(results) if paid <= MOST_DOLLARS * best[1]]
    if not allowed:
        return min(range(len(results)), key=lambda place: results[place][1])
    return max(allowed, key=lambda place: (results[place][0], -results[place][1]))


def as_many_solved(results: Sequence[Result], best: Result, _price: float) -> int:
    """The cheapest that solves as many as the best model; where none does, the one that solves most."""
    allowed = [place for place, (solved, _) in enumerate(results) if solved >= best[0]]
    if not allowed:
        return max(range(len(results)), key=lambda place: (results[place][0], -results[place][1]))
    return min(allowed, key=lambda place: results[place][1])


RULES: dict[str, Callable[[Sequence[Result], Result, float], int]] = {
    "least sum": least_sum,
    "most solved for 70 % of the dollars": most_solved,
    "cheapest with as many solved": as_many_solved,
}
"""By name: which of some results on the half to take, given the best fixed model's there and the price of failing."""


def best_by_the_sum(table: dict[str, tuple[int, float]], tasks: int) -> str:
    """The model of the least sum: what its work costs, and the price of each task that is not solved."""
    price = price_of_failing(table, tasks)
    return min(table, key=lambda model: table[model][1] + price * (tasks - table[model][0]))


def price_of_failing(table: dict[str, tuple[int, float]], tasks: int) -> float:
    """The router's price of a task that is not solved, in US dollars.

    It is the ``quality`` profile's for one tier below the one needed, in multiples of what a task costs at the model that solves
    most.
    """
    return SHORTFALL["quality"] * max(table.values())[1] / tasks


def cheapest_mix(results: Sequence[tuple[int, float]], solved: int) -> float:
    """What the cheapest mix of two fixed models with as many solved costs, drawn by lot."""
    best = min((cost for got, cost in results if got >= solved), default=float("inf"))
    for got, cost in results:
        for more, dearer in results:
            if got < solved < more:
                share = (solved - got) / (more - got)
                best = min(best, cost + share * (dearer - cost))
    return best


def result(tasks: Tasks, model: str) -> tuple[int, float]:
    """Solved, and US dollars."""
    rows = [task["results"][model] for task in tasks]
    return sum(row[0] for row in rows), sum(row[1] for row in rows)
