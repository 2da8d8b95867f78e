"""Sums over recorded requests: what ``report`` prints, from the trace file alone."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.json import JsonObject

SLOWEST = 5
PERCENTILES = (50, 90, 99)


@dataclass(slots=True)
class Sums:
    """Requests that have something in common.

    :ivar paid: US dollars paid by the token, a plan's extra usage included
    :ivar extra_usage: what of that a plan billed as extra usage
    :ivar on_plans: what the API would have charged for answers that a subscription paid
    :ivar baseline: what the baseline model would have cost, where that is known
    :ivar compared: what the same requests did cost
    :ivar unpriced: answers whose cost nobody knows; in none of the sums
    """

    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    paid: float = 0.0
    extra_usage: float = 0.0
    on_plans: float = 0.0
    baseline: float = 0.0
    compared: float = 0.0
    unpriced: int = 0

    def add(self, event: JsonObject) -> None:
        """Add one request."""
        self.requests += 1
        self.failed += (event.get("status") or 0) >= 400
        tokens = event.get("tokens") or {}
        self.input_tokens += tokens.get("input", 0)
        self.cached_tokens += tokens.get("cacheRead", 0)
        self.output_tokens += tokens.get("output", 0)
        cost = event.get("cost") or {}
        if cost.get("actual") is not None:
            self._add_cost(cost, event.get("paidBy") or ("plan" if event.get("subscription") else "api"))
        self.unpriced += bool(cost.get("unpriced"))

    @property
    def saved(self) -> float:
        """US dollars below the baseline."""
        return self.baseline - self.compared

    def as_json(self) -> JsonObject:
        """Names as in the trace."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "inputTokens": self.input_tokens,
            "cachedInputTokens": self.cached_tokens,
            "outputTokens": self.output_tokens,
            "paid": round(self.paid, 6),
            "extraUsage": round(self.extra_usage, 6),
            "onPlans": round(self.on_plans, 6),
            "baseline": round(self.baseline, 6),
            "saved": round(self.saved, 6),
            "unpriced": self.unpriced,
        }

    def _add_cost(self, cost: JsonObject, paid_by: str) -> None:
        actual = cost["actual"]
        if paid_by == "plan":
            self.on_plans += actual
        else:
            self.paid += actual
            self.extra_usage += actual if paid_by == "extra" else 0.0
        if cost.get("baseline") is not None:
            self.baseline += cost["baseline"]
            self.compared += actual


@dataclass(slots=True)
class WindowSums:
    """Answers that a plan's window paid.

    :ivar share: what they are taken to have used up; 1 is a whole window
    :ivar unknown: answers of which that is not known
    """

    requests: int = 0
    share: float = 0.0
    unknown: int = 0

    def add(self, share: float | None) -> None:
        """Add one answer."""
        self.requests += 1
        self.share += share or 0.0
        self.unknown += share is None

    def as_json(self) -> JsonObject:
        """Names as in the trace."""
        return {"requests": self.requests, "estimatedShare": round(self.share, 6), "unknown": self.unknown}


@dataclass(slots=True)
class TraceReport:
    """Everything ``report`` says; add events in any order."""

    total: Sums = field(default_factory=Sums)
    tiers: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    models: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    clients: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    failures: Counter[str] = field(default_factory=Counter)
    baselines: Counter[str] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)
    windows: defaultdict[str, WindowSums] = field(default_factory=lambda: defaultdict(WindowSums))
    fallbacks: int = 0
    damaged: int = 0
    first: float | None = None
    last: float | None = None
    _latencies: array[float] = field(default_factory=lambda: array("d"))
    _slowest: list[tuple[float, float, str, JsonObject]] = field(default_factory=list)

    def add(self, event: JsonObject) -> None:
        """Add one request."""
        moment = event["ts"] / 1000
        self.first = moment if self.first is None else min(self.first, moment)
        self.last = moment if self.last is None else max(self.last, moment)
        self.total.add(event)
        self.tiers[event.get("routingTier") or "chosen by the client"].add(event)
        self.models[event.get("modelIdRouted") or "none"].add(event)
        self.clients[event.get("client") or "unnamed"].add(event)
        self.fallbacks += bool((event.get("fallback") or {}).get("triggered"))
        if (event.get("status") or 0) >= 400:
            self.failures[f"{event.get('status')} {event.get('errorType') or ''}".strip()] += 1
        self._note_baseline(event)
        self._note_unpriced(event)
        for window in event.get("windows") or ():
            self.windows[f"{event.get('providerId')} {window['window']}"].add(window.get("estimatedShare"))
        self._note_latency(event)

    def note_damaged(self) -> None:
        """Count a line that could not be read."""
        self.damaged += 1

    def latency(self) -> dict[str, float]:
        """Milliseconds by percentile (nearest rank) of answered requests; empty without any."""
        ordered = sorted(self._latencies)
        if not ordered:
            return {}
        return {f"p{percent}": ordered[max(0, -(-len(ordered) * percent // 100) - 1)] for percent in PERCENTILES}

    def slowest(self) -> list[JsonObject]:
        """The slowest answered requests, slowest first."""
        return [event for *_, event in sorted(self._slowest, key=lambda entry: entry[0], reverse=True)]

    def as_json(self) -> JsonObject:
        """The report for programs; times in Unix seconds, money in US dollars."""
        baseline = self.baselines.most_common(1)
        return {
            "from": self.first,
            "to": self.last,
            "total": self.total.as_json(),
            "fallbacks": self.fallbacks,
            "damagedLines": self.damaged,
            "baselineModel": baseline[0][0] if baseline else None,
            "unpriced": dict(self.unpriced.most_common()),
            "planWindows": {name: sums.as_json() for name, sums in sorted(self.windows.items())},
            "tiers": {name: sums.as_json() for name, sums in busiest(self.tiers)},
            "models": {name: sums.as_json() for name, sums in busiest(self.models)},
            "clients": {name: sums.as_json() for name, sums in busiest(self.clients)},
            "failures": dict(self.failures.most_common()),
            "latencyMs": self.latency(),
            "slowest": [
                {name: event.get(name) for name in ("requestId", "ts", "modelIdRouted", "routingTier", "latencyMs")}
                for event in self.slowest()
            ],
        }

    def _note_baseline(self, event: JsonObject) -> None:
        model = (event.get("routing") or {}).get("baselineModel")
        if model:
            self.baselines[model] += 1

    def _note_unpriced(self, event: JsonObject) -> None:
        model = (event.get("cost") or {}).get("unpriced")
        if model:
            self.unpriced[model] += 1

    def _note_latency(self, event: JsonObject) -> None:
        latency = event.get("latencyMs")
        if latency is None or (event.get("status") or 0) >= 400:
            return
        self._latencies.append(latency)
        entry = (latency, event["ts"], str(event.get("requestId")), event)
        if len(self._slowest) < SLOWEST:
            heapq.heappush(self._slowest, entry)
        elif entry[:3] > self._slowest[0][:3]:
            heapq.heapreplace(self._slowest, entry)


def busiest(sums: dict[str, Sums]) -> list[tuple[str, Sums]]:
    """By number of requests, most first."""
    return sorted(sums.items(), key=lambda item: item[1].requests, reverse=True)
