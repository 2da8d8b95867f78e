"""How full a Claude plan's windows are, asked for beside requests; said in the words of the headers that answers carry."""

from __future__ import annotations

from datetime import datetime

import orjson

PATH = "/api/oauth/usage"
"""Claude Code asks here with the plan's token, which needs the scope ``user:profile``."""

_WINDOWS = {"five_hour": "5h", "seven_day": "7d", "seven_day_opus": "7d_opus", "seven_day_sonnet": "7d_sonnet"}


def usage_headers(body: bytes) -> dict[str, str]:
    """The answer as headers.

    Seen: ``{"five_hour": {"utilization": 25.0, "resets_at": "2026-01-28T15:00:00Z"}, "seven_day": …, "seven_day_opus": null}``, per cents.
    A full window is no verdict here: whether calls are still served is only said by an answer to one.

    :raises ValueError: it is none
    """
    told = orjson.loads(body)
    if not isinstance(told, dict):
        raise ValueError("no object")
    headers: dict[str, str] = {}
    for name, window in _WINDOWS.items():
        said = told.get(name)
        used = said.get("utilization") if isinstance(said, dict) else None
        if isinstance(said, dict) and isinstance(used, (int, float)) and not isinstance(used, bool):
            headers[f"anthropic-ratelimit-unified-{window}-utilization"] = str(used / 100)
            resets_at = said.get("resets_at")
            if isinstance(resets_at, str):
                headers[f"anthropic-ratelimit-unified-{window}-reset"] = f"{datetime.fromisoformat(resets_at).timestamp():.0f}"
    return headers
