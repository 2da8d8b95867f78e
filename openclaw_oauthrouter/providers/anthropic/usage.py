"""How full a Claude plan's windows are, asked for beside requests; said in the words of the headers that answers carry."""

from __future__ import annotations

import orjson

PATH = "/api/oauth/usage"
"""Claude Code asks here with the plan's token, which needs the scope ``user:profile``."""

_WINDOWS = {"five_hour": "5h", "seven_day": "7d", "seven_day_opus": "7d_opus", "seven_day_sonnet": "7d_sonnet"}
_UNIFIED = "anthropic-ratelimit-unified-"
_FULL = 100.0


def usage_headers(body: bytes) -> dict[str, str]:
    """The answer as headers.

    Seen: ``{"five_hour": {"utilization": 25.0, "resets_at": "2026-01-28T15:00:00Z"}, "seven_day": …, "seven_day_opus": null,
    "extra_usage": {"is_enabled": false, "utilization": null}}``, per cents. A full window serves nothing more, unless extra usage does.

    :raises ValueError: it is none
    """
    told = orjson.loads(body)
    if not isinstance(told, dict):
        raise ValueError("no object")
    headers: dict[str, str] = {}
    for name, window in _WINDOWS.items():
        said = told.get(name)
        used = _number(said.get("utilization")) if isinstance(said, dict) else None
        if isinstance(said, dict) and used is not None:
            headers[f"{_UNIFIED}{window}-utilization"] = str(used / 100)
            if used >= _FULL:
                headers[f"{_UNIFIED}{window}-status"] = "rejected"
            resets_at = said.get("resets_at")
            if isinstance(resets_at, (str, int, float)) and not isinstance(resets_at, bool):
                headers[f"{_UNIFIED}{window}-reset"] = str(resets_at)
    if headers and _extra_usage_serves(told.get("extra_usage")):
        headers[f"{_UNIFIED}overage-status"] = "allowed"
    return headers


def _extra_usage_serves(said: object) -> bool:
    if not isinstance(said, dict) or said.get("is_enabled") is not True:
        return False
    used = _number(said.get("utilization"))
    return used is None or used < _FULL


def _number(said: object) -> float | None:
    """A number, also as text; vendors have changed between the two."""
    if isinstance(said, bool) or not isinstance(said, (int, float, str)):
        return None
    try:
        return float(said)
    except ValueError:
        return None
