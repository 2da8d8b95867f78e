"""Weighted logistic regression, the only estimator used here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

Array = Any

STEP_EMPHASIS = (1.0, 1.0, 2.0)
"""How much each step between bands counts; the last, from a program or word problem to a hard task, costs most when taken wrongly."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Find coefficients such that ``offset + matrix @ coefficients`` has the sign of ``signs``.

    :ivar matrix: dense or sparse, one row an example
    :ivar signs: -1 or 1
    :ivar weights: of the examples
    :ivar penalty: of each squared coefficient's distance from ``prior``
    :ivar offset: a score the examples already have
    """

    matrix: Array
    signs: Array
    weights: Array
    penalty: Array
    prior: Array
    offset: Array

    def loss(self, coefficients: Array) -> tuple[float, Array]:
        """Penalised negative log-likelihood and its gradient."""
        margin = (self.offset + self.matrix @ coefficients) * self.signs
        away = coefficients - self.prior
        value = float(self.weights @ np.logaddexp(0, -margin) + 0.5 * self.penalty @ away**2)
        pull = -self.signs * self.weights * expit(-margin)
        return value, self.matrix.T @ pull + self.penalty * away


def solve(problem: Problem, bounds: list[tuple[float | None, float | None]] | None = None) -> Array:
    """The coefficients of least loss."""
    options = {"maxiter": 500, "ftol": 1e-10, "gtol": 1e-6}
    return minimize(problem.loss, problem.prior, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x


def balanced(bands: Array, groups: list[tuple[str, str]]) -> Array:
    """Weights that make bands count alike, and large sources inside a band count by the root of their size."""
    keys = list(zip(groups, bands.tolist(), strict=True))
    counts = {key: keys.count(key) for key in set(keys)}
    weights = np.array([counts[key] ** -0.5 for key in keys])
    for band in np.unique(bands):
        weights[bands == band] *= len(bands) / 4 / weights[bands == band].sum()
    return weights


def stepped(weights: Array) -> Array:
    """Weights of the three questions "harder than band 0, 1, 2?", one after the other."""
    return np.concatenate([weights * emphasis for emphasis in STEP_EMPHASIS])
