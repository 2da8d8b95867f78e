"""Sums over recorded requests: what ``report`` prints, from the trace file alone."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial

import msgspec

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.telemetry.line_shape import Line, line_of
from openclaw_oauthrouter.telemetry.report_lines import Part, lines_of

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

    def add(self, line: Line) -> None:
        """Add one request."""
        self.requests += 1
        self.failed += (line.status or 0) >= 400
        tokens, cost = line.tokens, line.cost
        if tokens is not None:
            self.input_tokens += tokens.input
            self.cached_tokens += tokens.cache_read
            self.output_tokens += tokens.output
        if cost is not None:
            if cost.actual is not None:
                self._add_cost(cost.actual, cost.baseline, line.paid_by or ("plan" if line.subscription else "api"))
            self.unpriced += bool(cost.unpriced)

    def join(self, other: Sums) -> None:
        """Add all of others."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

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

    def _add_cost(self, actual: float, baseline: float | None, paid_by: str) -> None:
        if paid_by == "plan":
            self.on_plans += actual
        else:
            self.paid += actual
            self.extra_usage += actual if paid_by == "extra" else 0.0
        if baseline is not None:
            self.baseline += baseline
            self.compared += actual


_NUMBERS = tuple(each.name for each in fields(Sums))


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

    def join(self, other: WindowSums) -> None:
        """Add all of others."""
        self.requests += other.requests
        self.share += other.share
        self.unknown += other.unknown

    def as_json(self) -> JsonObject:
        """Names as in the trace."""
        return {"requests": self.requests, "estimatedShare": round(self.share, 6), "unknown": self.unknown}


@dataclass(slots=True)
class TraceReport:
    """Everything ``report`` says; add events in any order."""

    failures: Counter[str] = field(default_factory=Counter)
    baselines: Counter[str] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)
    windows: defaultdict[str, WindowSums] = field(default_factory=partial(defaultdict, WindowSums))
    fallbacks: int = 0
    damaged: int = 0
    first: float | None = None
    last: float | None = None
    _groups: dict[tuple[str, str, str], Sums] = field(default_factory=dict)
    _latencies: array[float] = field(default_factory=partial(array, "d"))  # type: ignore[arg-type]
    _slowest: list[tuple[float, float, str, Line]] = field(default_factory=list)

    def add(self, event: JsonObject) -> None:
        """Add one request."""
        self.add_line(line_of(event))

    def add_line(self, line: Line) -> None:
        """Add one request; each is counted once, for what it has in common with others, and told apart when somebody asks."""
        moment = line.ts
        if self.first is None or moment < self.first * 1000:
            self.first = moment / 1000
        if self.last is None or moment > self.last * 1000:
            self.last = moment / 1000
        group = (line.routing_tier or "chosen by the client", line.model_id_routed or "none", line.client or "unnamed")
        sums = self._groups.get(group)
        if sums is None:
            sums = self._groups[group] = Sums()
        sums.add(line)
        if line.fallback is not None and line.fallback.triggered:
            self.fallbacks += 1
        if line.routing is not None and line.routing.baseline_model:
            self.baselines[line.routing.baseline_model] += 1
        if line.cost is not None and line.cost.unpriced:
            self.unpriced[line.cost.unpriced] += 1
        for window in line.windows or ():
            self.windows[f"{line.provider_id} {window.window}"].add(window.estimated_share)
        if line.status is not None and line.status >= 400:
            self.failures[f"{line.status} {line.error_type or ''}".strip()] += 1
        elif line.latency_ms is not None:
            self._note_latency(line, line.latency_ms)

    def add_part(self, part: Part, since: float, advance: Callable[[int], object] = int) -> None:
        """Add the requests of a part of a file that are not older than ``since`` (Unix seconds).

        :param advance: told the bytes read
        """
        first = since * 1000
        for lines, damaged, length in lines_of(part):
            for line in lines:
                if line.ts >= first:
                    self.add_line(line)
            self.damaged += damaged
            advance(length)

    @property
    def total(self) -> Sums:
        """All requests."""
        total = Sums()
        for sums in self._groups.values():
            total.join(sums)
        return total

    @property
    def tiers(self) -> dict[str, Sums]:
        """By tier."""
        return self._by(0)

    @property
    def models(self) -> dict[str, Sums]:
        """By the model that answered."""
        return self._by(1)

    @property
    def clients(self) -> dict[str, Sums]:
        """By client."""
        return self._by(2)

    def _by(self, place: int) -> dict[str, Sums]:
        found: dict[str, Sums] = {}
        for group, sums in self._groups.items():
            found.setdefault(group[place], Sums()).join(sums)
        return found

    def join(self, other: TraceReport) -> None:
        """Add all of another report."""
        for group, sums in other._groups.items():
            self._groups.setdefault(group, Sums()).join(sums)
        for name, window in other.windows.items():
            self.windows[name].join(window)
        self.failures += other.failures
        self.baselines += other.baselines
        self.unpriced += other.unpriced
        self.fallbacks += other.fallbacks
        self.damaged += other.damaged
        moments = [moment for moment in (self.first, other.first) if moment is not None]
        self.first = min(moments, default=None)
        self.last = max((moment for moment in (self.last, other.last) if moment is not None), default=None)
        self._latencies.extend(other._latencies)
        self._slowest = heapq.nlargest(SLOWEST, (*self._slowest, *other._slowest), key=lambda entry: entry[:3])
        heapq.heapify(self._slowest)

    def latency(self) -> dict[str, float]:
        """Milliseconds by percentile (nearest rank) of answered requests; empty without any."""
        ordered = sorted(self._latencies)
        if not ordered:
            return {}
        return {f"p{percent}": ordered[max(0, -(-len(ordered) * percent // 100) - 1)] for percent in PERCENTILES}

    def slowest(self) -> list[JsonObject]:
        """The slowest answered requests, slowest first."""
        return [msgspec.to_builtins(line) for *_, line in sorted(self._slowest, key=lambda entry: entry[0], reverse=True)]

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

    def _note_latency(self, line: Line, latency: float) -> None:
        self._latencies.append(latency)
        if len(self._slowest) >= SLOWEST and latency < self._slowest[0][0]:
            return
        entry = (latency, line.ts, str(line.request_id), line)
        if len(self._slowest) < SLOWEST:
            heapq.heappush(self._slowest, entry)
        elif entry[:3] > self._slowest[0][:3]:
            heapq.heapreplace(self._slowest, entry)


def report_of(part: Part, since: float) -> TraceReport:
    """The report of one part, for a process of its own."""
    report = TraceReport()
    report.add_part(part, since)
    return report


def busiest(sums: dict[str, Sums]) -> list[tuple[str, Sums]]:
    """By number of requests, most first."""
    return sorted(sums.items(), key=lambda item: item[1].requests, reverse=True)
