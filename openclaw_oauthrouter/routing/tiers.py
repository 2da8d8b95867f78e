"""Which models serve which tier: the configuration's word, overridden by plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.config.routing import RoutingSettings, TierName
from openclaw_oauthrouter.errors import ConfigurationError

Chains = Mapping[Tier, tuple[str, ...]]
"""Tier -> model names, primary first."""

RULES_V1_COMPLEX = "anthropic/claude-sonnet-4-6"
"""The original's code says 4-6 where its README says 4-5; ``rules-v1`` follows the code."""


def build_chains(settings: RoutingSettings, from_plugins: Iterable[Mapping[str, Sequence[str]]] = ()) -> Chains:
    """All tiers.

    :param from_plugins: answers of the hook ``oauthrouter_register_tiers``, last registered first
    :raises ConfigurationError: a plugin names a tier that does not exist, or gives one no model
    """
    chains = {Tier(name): (tier.primary, *tier.fallback) for name, tier in settings.tiers.items()}
    if settings.classifier == "rules-v1" and "tiers" not in settings.model_fields_set:
        chains[Tier.COMPLEX] = (RULES_V1_COMPLEX, *chains[Tier.COMPLEX])
    for answer in reversed(list(from_plugins)):
        for name, models in answer.items():
            if name not in get_args(TierName) or not models:
                raise ConfigurationError(
                    f"a plugin's tier {name!r} -> {models!r} is wrong: tiers are {', '.join(get_args(TierName))}, each with one model or more"
                )
            chains[Tier(name)] = tuple(models)
    return chains


def borrowing_order(tier: Tier) -> list[Tier]:
    """The tier itself, then stronger ones, then weaker ones, nearest first: where to look when a tier has nothing to offer."""
    tiers = list(Tier)
    return [*tiers[tier.rank :], *reversed(tiers[: tier.rank])]
