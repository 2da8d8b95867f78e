"""The figures at the top: requests, tokens, money, of the span that is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel

_MOST_NAMES = 50
"""Models of unknown price that are told apart."""

_SUMS = ("requests", "failed", "rerouted", "input", "output", "cached", "paid", "extra", "plan", "saved", "baseline", "unpriced")


class Overview(CountingPanel):
    """Totals: of a span where the gateway keeps a trace, else since it started."""

    name = "overview"
    title = "Since start"

    def __init__(self) -> None:
        self._total: dict[str, float] = dict.fromkeys(_SUMS, 0)
        self._unpriced: set[str] = set()

    def count(self, sums: RequestSums) -> None:
        """Add requests to the totals."""
        total = self._total
        total["requests"] += sums.requests
        total["failed"] += sums.requests if sums.failed else 0
        total["rerouted"] += sums.rerouted
        total["input"] += sums.input
        total["output"] += sums.output
        total["cached"] += sums.cache_read
        if sums.subscription:
            total["plan"] += sums.cost
        else:
            total["paid"] += sums.cost
            total["extra"] += sums.cost if sums.paid_by == "extra" else 0.0
        total["baseline"] += sums.baseline
        total["saved"] += sums.saved
        if sums.unpriced:
            total["unpriced"] += sums.unpriced
            if len(self._unpriced) < _MOST_NAMES:
                self._unpriced.add(sums.model or "other")

    def render(self) -> JsonObject:
        """Figures."""
        return _view(self._total, sorted(self._unpriced))

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for any span."""
        unpriced = sorted(name or "other" for name, model in sums["models"].items() if model["unpriced"])
        return {**_view(sums["total"], unpriced), "title": "Figures"}


def _view(total: JsonObject, unpriced: Sequence[str]) -> JsonObject:
    return {
        "view": "figures",
        "wide": True,
        "total": {name: total[name] for name in _SUMS},
        "items": [
            {"label": "Requests", "value": total["requests"], "unit": "count", "note": _rerouted(total)},
            {"label": "Failed", "value": total["failed"], "unit": "count", "note": _share(total["failed"], total["requests"], "of requests")},
            {"label": "Tokens in", "value": total["input"], "unit": "tokens", "note": _share(total["cached"], total["input"], "from cache")},
            {"label": "Tokens out", "value": total["output"], "unit": "tokens", "note": _output(total)},
            {"label": "Cost", "value": total["paid"], "unit": "dollars", "note": _paid(total, unpriced)},
            {"label": "Saved", "value": total["saved"], "unit": "dollars", "note": _saved(total), "tone": "good"},
        ],
    }  # fmt: skip


def _rerouted(total: JsonObject) -> str:
    return f"{total['rerouted']} rerouted" if total["rerouted"] else "none rerouted"


def _share(part: float, whole: float, words: str) -> str:
    if not whole:
        return ""
    return f"{part / whole:.{0 if part in (0, whole) or words == 'from cache' else 1}%} {words}"


def _output(total: JsonObject) -> str:
    answered = total["requests"] - total["failed"]
    return f"{total['output'] / answered:,.0f} an answer" if answered else ""


def _paid(total: JsonObject, unpriced: Sequence[str]) -> str:
    words = f"+ ${total['plan']:,.2f} on plans" if total["plan"] else "paid by the token"
    if total["extra"]:
        words = f"${total['extra']:,.2f} of it extra usage, {words}"
    return f"{words}; {total['unpriced']} of unknown cost ({', '.join(unpriced[:2])})" if total["unpriced"] else words


def _saved(total: JsonObject) -> str:
    return f"{total['saved'] / total['baseline']:.0%} below the baseline" if total["baseline"] else "against the baseline model"
