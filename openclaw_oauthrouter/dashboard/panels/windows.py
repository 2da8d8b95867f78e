"""How much of each subscription's windows is used, and when they begin anew."""

from __future__ import annotations

from datetime import datetime

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily

_LENGTH = lazily(r"(?<![\w.])(?P<number>\d+)\s*(?P<unit>min|m|h|d)(?![a-z])")
_UNITS = {"min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class Windows:
    """The plan windows that providers report in their headers."""

    name = "windows"
    title = "Subscription windows"
    source = "health"

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
        "lasts": _seconds(str(window["window"])),
    }


def _seconds(name: str) -> float | None:
    """How long a window lasts, as far as its name tells: ``5h``, ``7d_opus``, ``codex 300 min``."""
    found = _LENGTH.search(name)
    return float(found["number"]) * _UNITS[found["unit"]] if found else None
