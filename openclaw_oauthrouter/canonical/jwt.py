"""Reads the claims of an access token of ours; no signature is checked, since nothing is decided by them but headers and expiry."""

from __future__ import annotations

import base64
import json
from typing import Any

from openclaw_oauthrouter.canonical.json import JsonObject

_OPENAI_AUTH = "https://api.openai.com/auth"

LATEST = 253_402_300_799
"""Unix seconds: the end of the year 9999. No calendar here goes further, so a later time is no time."""


def claims(token: str) -> JsonObject:
    """The payload of a JWT; ``{}`` for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def account_id(token: str) -> str | None:
    """The ChatGPT account a token belongs to: the nested claim, else one of the two flat ones older tokens had."""
    found = claims(token)
    candidates = (_auth(found).get("chatgpt_account_id"), found.get("chatgpt_account_id"), found.get("account_id"))
    return next((value for value in candidates if isinstance(value, str) and value), None)


def plan(token: str) -> str | None:
    """The ChatGPT plan a token belongs to: ``plus``, ``pro``, …"""
    found = claims(token)
    candidates = (_auth(found).get("chatgpt_plan_type"), found.get("chatgpt_plan_type"))
    return next((value for value in candidates if isinstance(value, str) and value), None)


def expires_at(token: str) -> float | None:
    """Unix seconds at which a token expires; ``None`` when it does not say, or names no time there will be."""
    expiry = claims(token).get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
        return None
    return float(expiry) if 0 <= expiry <= LATEST else None


def _auth(found: JsonObject) -> dict[str, Any]:
    nested = found.get(_OPENAI_AUTH)
    return nested if isinstance(nested, dict) else {}
