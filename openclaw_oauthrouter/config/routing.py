"""``routing``: tiers, classifier, aliases."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from typing import Literal

from openclaw_oauthrouter.config.section import Field, Section, field_validator

Profile = Literal["economy", "balanced", "quality"]
TierName = Literal["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]


class TierSettings(Section):
    """Models of one tier: the primary, and what to try if it cannot answer."""

    primary: str = Field(description="provider/model")
    fallback: tuple[str, ...] = Field((), description="what to try next, in order")
    computed: bool = Field(
        False,
        description="ignore these two and compute the models from those that can be used",
    )


def shipped_tiers(name: Literal["computed", "original", "rules_v1"]) -> dict[TierName, TierSettings]:
    """A table of tiers that ships as data: ``computed`` with every credential (``default_tiers.json``), or one of ``tiers.toml``."""
    if name == "computed":
        rows = json.loads(resources.files(__package__).joinpath("default_tiers.json").read_text(encoding="utf-8"))["tiers"]
    else:
        rows = tomllib.loads(resources.files(__package__).joinpath("tiers.toml").read_text(encoding="utf-8"))[name]
    return {tier: TierSettings(**row, computed=name == "computed") for tier, row in rows.items()}


def default_tiers() -> dict[TierName, TierSettings]:
    """Every tier computed."""
    return shipped_tiers("computed")


class RoutingSettings(Section):
    """How ``auto`` decides."""

    classifier: str = Field("rules", description="classifier to use: rules, rules-v1, or one from a plugin")
    learned_score: bool = Field(True, description="use the learned correction of the default classifier")
    classifier_budget_ms: float = Field(5.0, gt=0, description="a third-party classifier that takes longer is ignored")
    profile: Profile = Field("balanced", description="where the borders between the tiers are, unless a request says otherwise")
    tiers: dict[TierName, TierSettings] = Field(
        default_factory=default_tiers,
        description='models by tier; tiers that are not named are computed from the models that can be used; "original" restores the table of the first edition',
    )
    cut_points: tuple[float, float, float] | None = Field(None, description="scores at which MEDIUM, COMPLEX, REASONING begin")
    agent_cut_points: tuple[float, float] | None = Field(
        None,
        description="scores at which COMPLEX and REASONING begin for an agent's task of 300 letters; they rise with its length; `openclaw-oauthrouter tune` fits them to your own tasks",
    )
    aliases: dict[str, str] = Field(default_factory=dict, description="name that a client may use -> real model")
    exclude: tuple[str, ...] = Field((), description="models that auto never chooses")
    max_tier: TierName | None = Field(None, description="auto never goes above this tier")
    sticky: bool = Field(True, description="a conversation keeps its model as long as that is cheaper or necessary")
    sticky_seconds: float = Field(1800.0, ge=0, description="idle time after which a conversation is forgotten")
    shortfall_price: float | None = Field(
        None,
        ge=0,
        description="price of answering one tier below the one that a task needs, as a multiple of what the work costs at that tier; if absent, the profile decides: economy 0.5, balanced 3, quality 10",
    )
    preference_price: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how much the configured order counts against the price: 1 keeps the order among models that are paid in the same way, 0 takes the cheapest",
    )
    in_flight: bool = Field(
        True, description="let failing commands, repetitions and tracebacks in an agent's task move it up or down a tier"
    )
    baseline: str | None = Field(None, description="model that savings are compared with; if absent, the REASONING primary")

    @field_validator("tiers", mode="before")
    @classmethod
    def _keep_the_other_tiers(cls, value: object) -> object:
        if value == "original":
            return shipped_tiers("original")
        if value == "computed":
            return default_tiers()
        return {**default_tiers(), **value} if isinstance(value, dict) else value


DEFAULT_ROUTING_CONFIG = RoutingSettings()
"""Computed tiers and the default classifier; frozen: change it with ``model_copy(update=…)`` or pass a mapping instead."""
