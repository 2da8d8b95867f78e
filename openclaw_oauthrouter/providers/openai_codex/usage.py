"""How full a ChatGPT plan's windows are, asked for beside requests; said in the words of the headers that answers carry."""

from __future__ import annotations

import orjson

PATH = "/backend-api/wham/usage"
"""Codex CLI asks here for what ``/status`` shows."""


def usage_headers(body: bytes) -> dict[str, str]:
    """The answer as headers.

    Seen: ``{"rate_limit": {"primary_window": {"used_percent": 6, "limit_window_seconds": 18000, "reset_after_seconds":
    9000, "reset_at": 1738300000}, "secondary_window": …}, "credits": {"has_credits": true, "unlimited": false}}``.

    :raises ValueError: it is none
    """
    told = orjson.loads(body)
    limits = told.get("rate_limit") if isinstance(told, dict) else None
    if not isinstance(limits, dict):
        raise ValueError("no limits")
    headers: dict[str, str] = {}
    for position in ("primary", "secondary"):
        said = limits.get(f"{position}_window")
        if not isinstance(said, dict) or not _is_number(said.get("used_percent")):
            continue
        headers[f"x-codex-{position}-used-percent"] = str(said["used_percent"])
        if _is_number(said.get("limit_window_seconds")):
            headers[f"x-codex-{position}-window-minutes"] = str(round(said["limit_window_seconds"] / 60))
        for name in ("reset_at", "reset_after_seconds"):
            if _is_number(said.get(name)):
                headers[f"x-codex-{position}-{name.replace('_', '-')}"] = str(round(said[name]))
    credits_ = told.get("credits")
    for name in ("has_credits", "unlimited") if isinstance(credits_, dict) else ():
        if isinstance(credits_.get(name), bool):
            headers[f"x-codex-credits-{name.replace('_', '-')}"] = str(credits_[name]).lower()
    return headers


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
