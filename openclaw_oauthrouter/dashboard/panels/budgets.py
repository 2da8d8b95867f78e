"""How much of each budget is used, and when it begins anew."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import JsonObject

_MICRO = 1_000_000


class Budgets:
    """The budgets of ``/debug/spend``.

    Each of its ``budgets`` has ``period``, ``quantity``, ``scope``, ``used``, ``most``, ``resetsAt`` (Unix seconds) and ``warning``, the
    highest share to warn at that is reached.
    """

    name = "budgets"
    title = "Budgets"
    source = "spend"

    def show(self, snapshot: JsonObject) -> JsonObject:
        """Gauges."""
        items = [_budget(budget) for budget in snapshot.get("budgets", ())]
        return {"view": "gauges", "items": items, "empty": "No budget is set (spend_controls)."}


def _budget(budget: JsonObject) -> JsonObject:
    used, most, quantity = budget["used"], budget["most"], budget["quantity"]
    words = str(quantity).replace("microdollars", "dollars").replace("_", " ")
    scope = f" · {budget['scope']}" if budget.get("scope") else ""
    return {
        "label": f"{words} {'an' if budget['period'] == 'hour' else 'a'} {budget['period']}{scope}",
        "used": used / most if most else 1.0,
        "note": f"{_amount(used, quantity)} of {_amount(most, quantity)}",
        "resetsAt": budget.get("resetsAt"),
        "state": _state(budget),
    }


def _state(budget: JsonObject) -> str:
    """As the user wants to be warned (``spend_controls.warn_at``)."""
    if budget["used"] >= budget["most"]:
        return "bad"
    return "warn" if budget.get("warning") is not None else "ok"


def _amount(number: float, quantity: str) -> str:
    return f"${number / _MICRO:,.2f}" if quantity == "microdollars" else f"{number:,.0f}"
