"""Which of 25 models should work on a task: a policy chosen on one half of the tasks, scored on the other, many times over.

Nothing in a task's words tells which model it needs (rank correlation of any score with the share of models that fail: below .1), so the
policy is the router's sum over whole tasks: dollars, and the price of falling short. It picks one model for all.
Solved and paid are as published for each task and model; a task handed over in the middle is not among them.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openclaw_oauthrouter.routing.cost import SHORTFALL

SPLITS = 200


@dataclass(frozen=True)
class Scored:
    """Over the splits; solved and cost as shares of the best fixed model's."""

    solved: float
    solved_low: float
    cost: float
    against_mix: float
    chosen: dict[str, int]


def scored(tasks: Sequence[dict[str, Any]], *, seed: int = 0) -> Scored:
    """Choose on one half, score on the other."""
    rng = random.Random(seed)
    models = sorted(tasks[0]["results"])
    everything = range(len(tasks))
    # Most solved of all; of equals the dearest, for that is the one people fix.
    best = max(models, key=lambda model: result(tasks, model, everything))
    solved, cost, against = [], [], []
    chosen: dict[str, int] = {}
    for _ in range(SPLITS):
        order = list(everything)
        rng.shuffle(order)
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        pick = best_by_the_sum({model: result(tasks, model, one) for model in models}, len(one))
        got, paid = result(tasks, pick, other)
        full, dear = result(tasks, best, other)
        solved.append(got / full)
        cost.append(paid / dear)
        against.append(paid / cheapest_mix([result(tasks, model, other) for model in models], got))
        chosen[pick] = chosen.get(pick, 0) + 1
    return Scored(
        statistics.mean(solved), sorted(solved)[SPLITS // 20], statistics.mean(cost), statistics.median(against), chosen
    )


def best_by_the_sum(table: dict[str, tuple[int, float]], tasks: int) -> str:
    """The model of the least sum: what its work costs, and the router's price of each task that is not solved.

    That price is the ``quality`` profile's for one tier below the one needed, in multiples of what a task costs at the model that solves
    most.
    """
    stake = max(table.values())[1] / tasks
    price = SHORTFALL["quality"] * stake
    return min(table, key=lambda model: table[model][1] + price * (tasks - table[model][0]))


def cheapest_mix(results: Sequence[tuple[int, float]], solved: int) -> float:
    """What the cheapest mix of two fixed models with as many solved costs, drawn by lot."""
    best = min((cost for got, cost in results if got >= solved), default=float("inf"))
    for got, cost in results:
        for more, dearer in results:
            if got < solved < more:
                share = (solved - got) / (more - got)
                best = min(best, cost + share * (dearer - cost))
    return best


def result(tasks: Sequence[dict[str, Any]], model: str, positions: Sequence[int] | range) -> tuple[int, float]:
    """Solved, and US dollars."""
    rows = [tasks[position]["results"][model] for position in positions]
    return sum(row[0] for row in rows), sum(row[1] for row in rows)
