"""How much of each subscription's windows is used, and when they begin anew."""

from __future__ import annotations

from datetime import datetime

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord


class Windows:
    """The plan windows that providers report in their headers."""

    name = "windows"
    title = "Subscription windows"
    source = "health"

    def update(self, record: RequestRecord) -> None:
        """Nothing to count: providers report these themselves."""

    def show(self, snapshot: JsonObject) -> JsonObject:
        """Gauges."""
        items = [_window(window) for window in snapshot.get("windows", ()) if window.get("used") is not None]
        return {"view": "gauges", "items": items, "empty": "No provider has reported a plan's window yet."}


def _window(window: JsonObject) -> JsonObject:
    resets_at = window.get("resets_at")
    where = [window["provider"], window.get("model")]
    return {
        "label": f"{' '.join(part for part in where if part)} · {window['window']}",
        "used": window["used"],
        "note": window.get("credential"),
        "resetsAt": None if resets_at is None else datetime.fromisoformat(resets_at).timestamp(),
        "state": "bad" if window.get("exhausted") else None,
    }
