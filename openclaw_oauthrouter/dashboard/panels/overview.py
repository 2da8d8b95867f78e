"""The figures at the top: requests, tokens, money, since the gateway started."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord

_MOST_NAMES = 50
"""Models of unknown price that are told apart."""


class Overview:
    """Totals since start."""

    name = "overview"
    title = "Since start"

    def __init__(self) -> None:
        self._requests = self._failed = self._fallbacks = self._answered = 0
        self._input = self._output = self._cached = 0
        self._unpriced: dict[str, int] = {}
        self._paid = self._plan = self._extra = self._baseline = self._compared = 0.0

    def update(self, record: RequestRecord) -> None:
        """Add a record to the totals."""
        self._requests += 1
        self._failed += (record.status or 0) >= 400
        self._fallbacks += len({(attempt.provider, attempt.model) for attempt in record.attempts}) > 1
        if record.usage is not None:
            self._answered += 1
            self._input += record.usage.input_tokens
            self._output += record.usage.output_tokens
            self._cached += record.usage.cache_read_input_tokens
        if record.cost is not None:
            self._add_cost(record, record.cost)
        elif record.unpriced:
            model = record.model_answered or "other"
            model = model if model in self._unpriced or len(self._unpriced) < _MOST_NAMES else "other"
            self._unpriced[model] = self._unpriced.get(model, 0) + 1

    def render(self) -> JsonObject:
        """Figures."""
        saved = self._baseline - self._compared
        return {
            "view": "figures",
            "wide": True,
            "items": [
                {"label": "Requests", "value": self._requests, "unit": "count", "note": self._fallback_note()},
                {"label": "Failed", "value": self._failed, "unit": "count", "note": self._failure_note()},
                {"label": "Tokens in", "value": self._input, "unit": "tokens", "note": self._cache_note()},
                {"label": "Tokens out", "value": self._output, "unit": "tokens", "note": self._output_note()},
                {"label": "Cost", "value": self._paid, "unit": "dollars", "note": self._plan_note()},
                {"label": "Saved", "value": saved, "unit": "dollars", "note": self._savings_note(saved), "tone": "good"},
            ],
        }

    def _add_cost(self, record: RequestRecord, cost: float) -> None:
        if record.subscription:
            self._plan += cost
        else:
            self._paid += cost
            self._extra += cost if record.paid_by == "extra" else 0.0
        baseline = record.baseline_cost
        if baseline is not None:
            self._baseline += baseline
            self._compared += cost

    def _fallback_note(self) -> str:
        return f"{self._fallbacks} fell back" if self._fallbacks else "no fallbacks"

    def _failure_note(self) -> str:
        return f"{self._failed / self._requests:.1%} of requests" if self._requests else ""

    def _cache_note(self) -> str:
        return f"{self._cached / self._input:.0%} from cache" if self._input else ""

    def _output_note(self) -> str:
        return f"{self._output / self._answered:,.0f} an answer" if self._answered else ""

    def _plan_note(self) -> str:
        paid = f"+ ${self._plan:,.2f} on plans" if self._plan else "paid by the token"
        if self._extra:
            paid = f"${self._extra:,.2f} of it extra usage, {paid}"
        count = sum(self._unpriced.values())
        return f"{paid}; {count} of unknown cost ({', '.join(sorted(self._unpriced)[:2])})" if count else paid

    def _savings_note(self, saved: float) -> str:
        return f"{saved / self._baseline:.0%} below the baseline" if self._baseline else "against the baseline model"
