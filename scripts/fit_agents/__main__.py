"""Fits what agents' requests have of their own: ``python scripts/fit_agents tasks.jsonl``.

Reads coding tasks with the results of many models and the steps of one real run each; writes ``classifier/data/agents.json``: cut points
that rise with the length of a task, and the chance of failure by what has happened in flight. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openclaw_oauthrouter.classifier
from openclaw_oauthrouter.canonical.routing import Flight, RequestFeatures
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.excerpt import excerpt_and_letters
from openclaw_oauthrouter.classifier.flight import RECENT, TROUBLE_FEATURES, trouble_features
from openclaw_oauthrouter.classifier.parameters import AGENT_LETTERS, Parameters
from openclaw_oauthrouter.classifier.rules import Rules

DATA = Path(openclaw_oauthrouter.classifier.__file__).parent / "data" / "agents.json"

SHARES = {"economy": (0.55, 0.9), "balanced": (0.4, 0.82), "quality": (0.15, 0.55)}
"""Policy: shares of the tasks below COMPLEX and below REASONING. Which tasks need the strongest model is not in their words."""

STEPS = (20, 30, 40)
RIDGE = 0.2
RUN = "Gemini 3 Pro Preview (2025-11-18)"


def main() -> int:
    """Fit, then write the file, or say whether it is as shipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--check", action="store_true", help="compare with the shipped file instead of writing it")
    arguments = parser.parse_args()
    tasks = [json.loads(line) for line in arguments.tasks.read_text("utf-8").splitlines()]
    data = {"cut_points": {name: cuts(tasks, learned=name == "with_learned") for name in ("with_learned", "without_learned")}}
    data["shares"] = {name: list(below) for name, below in SHARES.items()}
    data["trouble"] = trouble(tasks)
    data["remaining_calls"] = remaining(tasks)
    text = json.dumps(data, indent=1) + "\n"
    same = DATA.exists() and DATA.read_text("utf-8") == text
    if not arguments.check:
        DATA.write_text(text, "utf-8")
    print("as a new fit gives it" if same else "differs from what was shipped")
    print(f"chance of failure: AUC {auc_by_repository(tasks):.3f} by repository, folds of five")
    return 1 if arguments.check and not same else 0


def cuts(tasks: Sequence[dict[str, Any]], *, learned: bool) -> dict[str, Any]:
    """How the score rises with a task's length, and where the tiers begin at ``AGENT_LETTERS`` letters."""
    parameters = Parameters.load(learned=learned)
    # With fixed borders, so that a fit does not follow from the one before.
    rules = Rules(builtin_dimensions(parameters.weights), learned=learned, cut_points=parameters.cut_points("balanced"))
    scores, lengths = [], []
    for task in tasks:
        text, letters = excerpt_and_letters(task["text"].strip())
        scores.append(rules.classify(RequestFeatures(text, len(task["text"]), letters=letters)).score)
        lengths.append(math.log(letters + 1))
    slope = round(statistics.linear_regression(lengths, scores).slope, 3)
    level = sorted(score - slope * (length - math.log(AGENT_LETTERS + 1)) for score, length in zip(scores, lengths, strict=True))
    at = {
        name: {"COMPLEX": _quantile(level, below[0]), "REASONING": _quantile(level, below[1])} for name, below in SHARES.items()
    }
    return {"slope": slope, "profiles": at}


def _quantile(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def flight_at(task: dict[str, Any], calls: int) -> tuple[Flight, int] | None:
    """A run's flight after so many calls, and the next prompt's tokens; ``None`` when the run was over by then."""
    steps = task["steps"]
    if len(steps) <= calls:
        return None
    done = steps[:calls]
    failed = [bool(step[2]) for step in done]
    untested = 0
    for step in done:
        untested = 0 if step[6] else untested + bool(step[5])
    flight = Flight(
        calls=calls,
        failures=sum(failed),
        recent_failures=sum(failed[-RECENT:]),
        tracebacks=sum(bool(step[4]) for step in done),
        repeats=sum(bool(step[7]) for step in done),
        edits=sum(bool(step[5]) for step in done),
        tests=sum(bool(step[6]) for step in done),
        untested_edits=untested,
        output_characters=sum(step[3] for step in done),
    )
    return flight, steps[calls][0]


def _rows(tasks: Sequence[dict[str, Any]]) -> list[tuple[tuple[float, ...], int]]:
    rows = []
    for task in tasks:
        for calls in STEPS:
            found = flight_at(task, calls)
            if found:
                rows.append((trouble_features(*found), 1 - task["results"][RUN][0]))
    return rows


def trouble(tasks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Logistic regression of failure on what has happened, and within which bounds that was seen."""
    rows = _rows(tasks)
    *weights, bias = _logistic(rows)
    figures = zip(*(row for row, _ in rows), strict=True)
    return {
        "weights": dict(zip(TROUBLE_FEATURES, (round(w, 3) for w in weights), strict=True)),
        "seen": {name: [round(min(seen), 3), round(max(seen), 3)] for name, seen in zip(TROUBLE_FEATURES, figures, strict=True)},
        "bias": round(bias, 3),
    }


def auc_by_repository(tasks: Sequence[dict[str, Any]]) -> float:
    """Of the score for runs of repositories it was not fitted on."""
    names = sorted({task["id"].partition("__")[0] for task in tasks})
    scored = []
    for fold in range(5):
        held = set(names[fold::5])
        fit = _logistic(_rows([task for task in tasks if task["id"].partition("__")[0] not in held]))
        for row, failed in _rows([task for task in tasks if task["id"].partition("__")[0] in held]):
            scored.append((fit[-1] + sum(w * x for w, x in zip(fit, row, strict=False)), failed))
    good = [score for score, failed in scored if not failed]
    bad = [score for score, failed in scored if failed]
    return sum((a > b) + 0.5 * (a == b) for a in bad for b in good) / (len(good) * len(bad))


def _logistic(rows: Sequence[tuple[tuple[float, ...], int]]) -> list[float]:
    """Weights, the intercept last; a ridge on all but the intercept; Newton's method."""
    size = len(rows[0][0]) + 1
    beta = [0.0] * size
    for _ in range(25):
        gradient = [RIDGE * b for b in beta[:-1]] + [0.0]
        hessian = [[RIDGE * (i == j and i < size - 1) for j in range(size)] for i in range(size)]
        for row, failed in rows:
            x = (*row, 1.0)
            p = 1 / (1 + math.exp(-sum(b * v for b, v in zip(beta, x, strict=True))))
            for i in range(size):
                gradient[i] += (p - failed) * x[i]
                for j in range(size):
                    hessian[i][j] += p * (1 - p) * x[i] * x[j]
        step = _solve(hessian, gradient)
        beta = [b - s for b, s in zip(beta, step, strict=True)]
    return beta


def _solve(matrix: list[list[float]], vector: list[float]) -> list[float]:
    size = len(vector)
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, size):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    solution = [0.0] * size
    for i in reversed(range(size)):
        solution[i] = (rows[i][size] - sum(rows[i][j] * solution[j] for j in range(i + 1, size))) / rows[i][i]
    return solution


def remaining(tasks: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Calls that runs still had to go, by the calls they had had."""
    lengths = [len(task["steps"]) for task in tasks]
    return {
        str(calls): round(statistics.mean(length - calls for length in lengths if length > calls), 1)
        for calls in (0, 5, 10, 20, 30, 40, 60)
    }


if __name__ == "__main__":
    raise SystemExit(main())
