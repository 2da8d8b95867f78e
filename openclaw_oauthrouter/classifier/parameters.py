"""The default classifier's fitted numbers, as the data file holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.classifier.lexicon import read_data
from openclaw_oauthrouter.errors import ConfigurationError

CutPoints = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
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
    return tuple(Tier)[sum(score >= start for start in sorted(cuts))]


def _cut_points(starts: Mapping[str, float]) -> CutPoints:
    return starts["MEDIUM"], starts["COMPLEX"], starts["REASONING"]
