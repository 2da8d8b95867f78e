"""How the classifier's tiers share the requests."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel

_TONES = {Tier.SIMPLE: "simple", Tier.MEDIUM: "medium", Tier.COMPLEX: "complex", Tier.REASONING: "reasoning"}


class Tiers(CountingPanel):
    """Requests by tier; those for a model of the client's own choice stand apart."""

    name = "tiers"
    title = "Tiers"

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Tier, 0)
        self._chosen = 0

    def count(self, sums: RequestSums) -> None:
        """Count requests."""
        if sums.tier is not None:
            self._counts[sums.tier] += sums.requests
        else:
            self._chosen += sums.resolved

    def render(self) -> JsonObject:
        """Shares."""
        return _view(self._counts, self._chosen)

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for any span."""
        counts = {name: int(tier["requests"]) for name, tier in sums["tiers"].items()}
        return _view({tier: counts.get(tier.value, 0) for tier in Tier}, counts.get("", 0))


def _view(counts: Mapping[Tier, int], chosen: int) -> JsonObject:
    items: list[JsonObject] = [{"label": tier.value, "value": counts[tier], "tone": _TONES[tier]} for tier in Tier]
    if chosen:
        items.append({"label": "chosen by the client", "value": chosen, "tone": "quiet"})
    total = sum(item["value"] for item in items)
    return {"view": "shares", "unit": "count", "items": items if total else [], "empty": "No request was routed yet."}
