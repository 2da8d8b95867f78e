"""Which requests a reader asks for; judges records in memory and lines of the trace file alike."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.value import value


@value(frozen=True, slots=True)
class TraceFilter:
    """Every field that is ``None`` asks for nothing.

    :ivar since: Unix seconds; requests that began later
    :ivar tier: ``SIMPLE`` … ``REASONING``
    :ivar model: part of the requested, resolved or answering model's name, any case
    :ivar status: an exact status
    :ivar status_class: 2 for 2xx, 4 for 4xx, …
    """

    since: float | None = None
    tier: str | None = None
    model: str | None = None
    status: int | None = None
    status_class: int | None = None

    def admits(self, record: RequestRecord) -> bool:
        """Whether a record is among those asked for."""
        tier = record.decision.tier if record.decision is not None else None
        models = (record.model_requested, record.model_resolved, record.model_answered)
        return self._fits(record.started_at, tier, models, record.status)

    def admits_event(self, event: JsonObject) -> bool:
        """The same for a record's public JSON."""
        models = (event.get("modelIdRequested"), event.get("modelIdResolved"), event.get("modelIdRouted"))
        return self._fits(event["ts"] / 1000, event.get("routingTier"), models, event.get("status"))

    def _fits(self, moment: float, tier: str | None, models: Iterable[str | None], status: int | None) -> bool:
        return (
            (self.since is None or moment > self.since)
            and (self.tier is None or tier == self.tier)
            and (self.model is None or any(name is not None and self.model.lower() in name.lower() for name in models))
            and (self.status is None or status == self.status)
            and (self.status_class is None or (status or 0) // 100 == self.status_class)
        )
