"""Least tiers that words ask for, however short the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value


@value(frozen=True, slots=True)
class MinimumTier:
    """Holds when a word of one list and, where there is a second list, a word of that stand in the text.

    :ivar any_list: name of the keyword list that triggers it
    :ivar with_list: name of the list that must join; ``None`` when the first is enough
    """

    name: str
    tier: Tier
    any_list: str
    with_list: str | None

    def explain(self, keywords: Mapping[str, Sequence[str]]) -> str | None:
        """Why it holds, in words; ``None`` when it does not."""
        trigger = keywords.get(self.any_list)
        if not trigger:
            return None
        if self.with_list is None:
            return f"{self.name} ({trigger[0].strip(', ')})"
        partner = keywords.get(self.with_list)
        return f"{self.name} ({trigger[0]}, {partner[0]})" if partner else None


def load_minimum_tiers(data: JsonObject) -> tuple[tuple[MinimumTier, ...], dict[str, list[str]]]:
    """The least tiers, highest first, and the keyword lists they need."""
    minimum_tiers = []
    lists: dict[str, list[str]] = {}
    for row in data["minimum_tiers"]:
        own = f"minimum tier: {row['name']}"
        with_list = f"{own}, with" if "with" in row else None
        any_list = own
        if isinstance(row["any"], str):
            any_list = f"minimum tier: {row['any']}"
        else:
            lists[any_list] = row["any"]
        if with_list:
            lists[with_list] = row["with"]
        minimum_tiers.append(MinimumTier(row["name"], Tier(row["tier"]), any_list, with_list))
    return tuple(sorted(minimum_tiers, key=lambda minimum: -minimum.tier.rank)), lists


def highest_minimum_tier(minimum_tiers: Sequence[MinimumTier], keywords: Mapping[str, Sequence[str]]) -> tuple[Tier, str] | None:
    """The first of the highest ones that hold, and why."""
    for minimum in minimum_tiers:
        reason = minimum.explain(keywords) if minimum.any_list in keywords else None
        if reason is not None:
            return minimum.tier, reason
    return None
