"""The default classifier's fitted numbers, as the data file holds them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from openclaw_oauthrouter.canonical.routing import DimensionScore, Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.classifier.dimensions import TokenCount
from openclaw_oauthrouter.classifier.lexicon import read_data
from openclaw_oauthrouter.errors import ConfigurationError

CutPoints = tuple[float, float, float]


@value(frozen=True, slots=True)
class Parameters:
    """One fit; there is one with and one without the learned term.

    :ivar weights: by dimension name
    :ivar profiles: scores at which MEDIUM, COMPLEX and REASONING begin, by profile
    :ivar confidence: ``(intercept, slope)`` of the logistic curve over the distance to the nearest cut point
    :ivar minimum_tier_confidence: share of prompts lifted by their words that belonged there
    """

    weights: Mapping[str, float]
    profiles: Mapping[str, CutPoints]
    confidence: tuple[float, float]
    minimum_tier_confidence: float

    @classmethod
    def load(cls, *, learned: bool) -> Parameters:
        """Read the shipped fit."""
        fit = read_data("rules.json")["with_learned" if learned else "without_learned"]
        profiles = {name: _cut_points(starts) for name, starts in fit["cut_points"].items()}
        intercept, slope = fit["confidence"]
        return cls(fit["weights"], profiles, (intercept, slope), fit["minimum_tier_confidence"])

    def cut_points(self, profile: str) -> CutPoints:
        """Where the tiers of a profile begin.

        :raises ConfigurationError: there is no such profile
        """
        try:
            return self.profiles[profile]
        except KeyError:
            raise ConfigurationError(f"no routing profile {profile!r}; there are {', '.join(self.profiles)}") from None


def tier_at(score: float, cuts: CutPoints) -> Tier:
    """The tier a score falls into; never falls as the score rises."""
    return _TIERS[bisect_right(cuts, score)]


_TIERS = tuple(Tier)


def _cut_points(starts: Mapping[str, float]) -> CutPoints:
    return starts["MEDIUM"], starts["COMPLEX"], starts["REASONING"]


AGENT_LETTERS = 300
"""Length of a task at which an agent's cut points are given; they rise with the logarithm of the length."""


@value(frozen=True, slots=True)
class AgentCutPoints:
    """Where the tiers of agents' tasks begin.

    Agents send whole issues, whose length alone would put each of them into the highest tier. So their borders rise as the score
    does with length, and never lie below those of other requests.

    :ivar slope: by which the score rises with the natural logarithm of the letters
    :ivar profiles: ``(COMPLEX, REASONING)`` at ``AGENT_LETTERS`` letters, by profile
    :ivar shares: of an agent's tasks, those meant to lie below COMPLEX and below REASONING, by profile
    """

    slope: float
    profiles: Mapping[str, tuple[float, float]]
    shares: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, *, learned: bool) -> AgentCutPoints:
        """Read the shipped fit."""
        data = read_data("agents.json")
        fit = data["cut_points"]["with_learned" if learned else "without_learned"]
        profiles = {name: (starts["COMPLEX"], starts["REASONING"]) for name, starts in fit["profiles"].items()}
        return cls(fit["slope"], profiles, {name: (low, high) for name, (low, high) in data.get("shares", {}).items()})

    def with_profile(self, profile: str, starts: tuple[float, float]) -> AgentCutPoints:
        """The same with one profile's borders replaced.

        :raises ConfigurationError: they do not rise
        """
        if starts[0] > starts[1]:
            raise ConfigurationError(f"routing.agent_cut_points must rise from COMPLEX to REASONING, not {starts!r}")
        return AgentCutPoints(self.slope, {**self.profiles, profile: starts}, self.shares)

    def level(self, score: float, letters: float) -> float:
        """A task's score as if it had ``AGENT_LETTERS`` letters: what the profiles' borders are compared with."""
        return score - self.slope * math.log((letters + 1) / (AGENT_LETTERS + 1))

    def fitted(self, profile: str, levels: Sequence[float]) -> tuple[float, float]:
        """Where COMPLEX and REASONING would begin for tasks of these levels, so that the profile's shares of them lie below.

        :param levels: at least one, see ``level``
        """
        ordered = sorted(levels)
        low, high = (round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) for share in self.shares[profile])
        return low, high

    def at(self, profile: str, cuts: CutPoints, letters: float) -> CutPoints:
        """Cut points of a task of so many letters.

        :param cuts: those of other requests
        """
        starts = self.profiles.get(profile)
        if starts is None:
            return cuts
        rise = self.slope * math.log((letters + 1) / (AGENT_LETTERS + 1))
        return cuts[0], max(cuts[1], starts[0] + rise), max(cuts[2], starts[1] + rise)


def letters_of(scores: Iterable[DimensionScore]) -> float | None:
    """A text's length in letters, told from the score of its length; ``None`` when that dimension took no part or is a plugin's."""
    for one in scores:
        if one.name == TokenCount.name:
            return math.exp(one.score * TokenCount.HALF_RANGE + TokenCount.MIDDLE) - 1
    return None
