"""Which models answered, and what each cost."""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel

_SHOWN = 8

MOST_NAMES = 200
"""Models that are told apart; some endpoints answer to any name at all."""

OTHER = "other"


@dataclass(slots=True)
class _Sums:
    requests: int = 0
    cost: float = 0.0
    unpriced: int = 0


class Models(CountingPanel):
    """Requests and cost by answering model, the busiest first."""

    name = "models"
    title = "Models"

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}

    def count(self, sums: RequestSums) -> None:
        """Count requests for the model that answered."""
        if sums.model is None:
            return
        name = sums.model if sums.model in self._sums or len(self._sums) < MOST_NAMES else OTHER
        known = self._sums.setdefault(name, _Sums())
        known.requests += sums.requests
        known.cost += sums.cost
        known.unpriced += sums.unpriced

    def render(self) -> JsonObject:
        """A table."""
        busiest = sorted(self._sums.items(), key=lambda item: item[1].requests, reverse=True)[:_SHOWN]
        return _view([[name, sums.requests, None if sums.unpriced == sums.requests else sums.cost] for name, sums in busiest])

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for any span; requests that failed are counted for the model they were meant for."""
        rows = [
            [name, int(model["requests"]), None if model["unpriced"] == model["requests"] else model["paid"] + model["plan"]]
            for name, model in list(sums["models"].items())[:_SHOWN]
            if name
        ]
        return _view(rows)


def _view(rows: list[list[object]]) -> JsonObject:
    columns = [{"label": "model"}, {"label": "requests", "unit": "count"}, {"label": "cost", "unit": "dollars"}]
    return {"view": "table", "columns": columns, "rows": rows, "empty": "No model has answered yet."}
