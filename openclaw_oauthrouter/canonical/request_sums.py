"""Finished requests that ended alike, as sums: what counters and charts take, instead of one request after the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.spending import PaidBy
from openclaw_oauthrouter.canonical.trace import RequestRecord


@dataclass(slots=True)
class RequestSums:
    """Requests that began in one minute and ended in the same way, summed up.

    :ivar minute: in which they began, since 1970
    :ivar model: that answered
    :ivar status: what the clients got; ``None`` if nothing
    :ivar resolved: requests that were for a model the gateway knows
    :ivar rerouted: requests for which more than one model was asked
    :ivar fresh: input tokens that were neither read from a cache nor written to one
    :ivar priced: requests whose cost is known; so ``unpriced`` those whose tokens nobody knows the price of, and ``compared`` those whose
        cost and baseline are known
    :ivar cost: US dollars; so ``baseline``, of the same requests as ``saved``
    """

    minute: int
    provider: str | None
    model: str | None
    tier: Tier | None
    status: int | None
    error_type: str | None
    paid_by: PaidBy
    requests: int = 0
    resolved: int = 0
    rerouted: int = 0
    input: int = 0
    fresh: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    output: int = 0
    unpriced: int = 0
    priced: int = 0
    cost: float = 0.0
    compared: int = 0
    baseline: float = 0.0
    saved: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether these are failures, whoever's."""
        return (self.status or 0) >= 400

    @property
    def subscription(self) -> bool:
        """As ``RequestRecord.subscription``."""
        return self.paid_by == "plan"

    def add(self, record: RequestRecord) -> None:
        """Count one more."""
        self.requests += 1
        if record.model_resolved is not None:
            self.resolved += 1
        if len(record.attempts) > 1 and len({(attempt.provider, attempt.model) for attempt in record.attempts}) > 1:
            self.rerouted += 1
        usage, cost = record.usage, record.cost
        if usage is not None:
            read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
            fresh = usage.input_tokens - read - written
            self.input += usage.input_tokens
            self.output += usage.output_tokens
            self.fresh += fresh if fresh > 0 else 0
            self.cache_read += read
            self.cache_creation += written
            if cost is None:
                self.unpriced += 1
        if cost is not None:
            self.priced += 1
            self.cost += cost
            if record.baseline_cost is not None:
                self.compared += 1
                self.baseline += record.baseline_cost
                self.saved += record.baseline_cost - cost


class Gathering:
    """Sums up requests until somebody takes the sums.

    :ivar count: requests since they were last taken: whoever keeps one bounds it, because each may have ended in its own way
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[object, ...], RequestSums] = {}
        self.count = 0

    def add(self, record: RequestRecord) -> None:
        """Count a finished request."""
        tier = record.decision.tier if record.decision is not None else None
        minute = int(record.started_at // 60)
        model, status, error = record.model_answered, record.status, record.error_type
        key = (minute, record.provider, model, tier, status, error, record.paid_by)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = RequestSums(minute, record.provider, model, tier, status, error, record.paid_by)
        group.add(record)
        self.count += 1

    def take(self) -> Collection[RequestSums]:
        """What was summed up since the last time."""
        groups, self._groups, self.count = self._groups, {}, 0
        return groups.values()


def sums_of(record: RequestRecord) -> RequestSums:
    """Those of a single request."""
    gathering = Gathering()
    gathering.add(record)
    (sums,) = gathering.take()
    return sums
