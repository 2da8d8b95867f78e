"""Who paid for an answer: dollars by the token, a plan's window, or the extra usage that a plan bills in dollars."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.spending import PaidBy

_UNIFIED = "anthropic-ratelimit-unified-"


def paid_by(by_plan: bool, headers: Mapping[str, str]) -> PaidBy:
    """Read it from an answer's headers.

    Anthropic: the plan's window refuses (``…-status: rejected``) while its extra usage allows (``…-overage-status``), or the claim that
    decided is the extra usage. ChatGPT: a window is used up (``x-codex-…-used-percent``) while there are credits.

    :param by_plan: a subscription answers for the call
    :param headers: lower-case names
    """
    if not by_plan:
        return "api"
    if headers.get(f"{_UNIFIED}representative-claim") == "overage":
        return "extra"
    extra_allowed = headers.get(f"{_UNIFIED}overage-status", "").startswith("allowed")
    if headers.get(f"{_UNIFIED}status") == "rejected" and extra_allowed:
        return "extra"
    if headers.get("x-codex-credits-has-credits", "").lower() == "true" and _is_used_up(headers):
        return "extra"
    return "plan"


def _is_used_up(headers: Mapping[str, str]) -> bool:
    return any(_number(headers.get(f"x-codex-{position}-used-percent")) >= 100 for position in ("primary", "secondary"))


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
