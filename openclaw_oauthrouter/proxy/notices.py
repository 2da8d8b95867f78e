"""What the user should know before it hurts: a window or budget nearly used, a key refused, a model about to retire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Literal

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.credentials.overview import overview
from openclaw_oauthrouter.runtime import Runtime

Level = Literal["warn", "bad"]

_MODELS_A_TIER = 3
"""Of each tier: those further behind are a reserve that is computed anew."""

_REFUSED = ("401", "403", "refused", "revoked", "authentication", "credential")


@value(frozen=True, slots=True)
class Notice:
    """One thing to know.

    :ivar id: the same as long as it is the same matter, so that it is told once and can be dismissed
    :ivar level: ``bad``: something does not work now; ``warn``: it soon may not
    :ivar until: Unix seconds at which it ends by itself; ``None`` when it does not
    """

    id: str
    kind: Literal["window", "budget", "key", "model"]
    level: Level
    words: str
    until: float | None = None

    def as_json(self) -> JsonObject:
        """For pages and programs."""
        return asdict(self)


def notices_of(runtime: Runtime, spend: JsonObject, now: float) -> list[Notice]:
    """All there are, what does not work now first.

    :param spend: what the spend guard knows (``Spend.snapshot``)
    :param now: Unix seconds
    """
    health = runtime.health.snapshot()
    found = [
        *_windows(health, runtime.settings.notices.window_at, now),
        *_budgets(spend),
        *_keys(runtime, health, now),
        *_models(runtime, datetime.fromtimestamp(now, UTC).date()),
    ]
    return sorted(found, key=lambda notice: notice.level != "bad")


def _windows(health: JsonObject, share: float, now: float) -> Iterator[Notice]:
    for window in health["windows"]:
        used, exhausted = window.get("used"), bool(window.get("exhausted"))
        if not exhausted and (used is None or used < share):
            continue
        if window.get("model") and not exhausted:
            continue  # an API's limit of a minute fills and empties all the time
        whose = " ".join(str(part) for part in (window["provider"], window.get("credential")) if part)
        resets = window.get("resets_at")
        until = datetime.fromisoformat(resets).timestamp() if resets else None
        if until is not None and until <= now:
            continue  # it has begun anew since
        words = (
            f"the {window['window']} window of {whose} is used up"
            if exhausted
            else f"{used:.0%} of the {window['window']} window of {whose} is used"
        )
        yield Notice(window_id(whose, window["window"], until, exhausted), "window", "bad" if exhausted else "warn", words, until)


def window_id(whose: str, name: str, until: float | None, exhausted: bool) -> str:
    """The same while it is the same window: providers tell its end in seconds from now, and so a little differently each time.

    :param until: Unix seconds at which it begins anew
    """
    hour = None if until is None else round(until / 3600)
    return f"window:{whose}:{name}:{hour}:{exhausted}"


def _budgets(spend: JsonObject) -> Iterator[Notice]:
    for budget in spend.get("budgets", ()):
        used, most = budget["used"], budget["most"]
        is_full = used >= most
        if not is_full and budget.get("warning") is None:
            continue
        quantity = str(budget["quantity"]).replace("microdollars", "dollars").replace("_", " ")
        scope = f" for {budget['scope']}" if budget.get("scope") else ""
        share = used / most if most else 1.0
        named = f"the budget of {_amount(most, budget['quantity'])} {quantity} {_a(budget['period'])}{scope}"
        words = f"{named} is used up" if is_full else f"{share:.0%} of {named} is used"
        key = f"budget:{budget['period']}:{budget['quantity']}:{budget.get('scope', '')}:{budget.get('resetsAt')}"
        yield Notice(
            f"{key}:{budget.get('warning')}:{is_full}", "budget", "bad" if is_full else "warn", words, budget.get("resetsAt")
        )


def _a(period: str) -> str:
    return f"{'an' if period == 'hour' else 'a'} {period}"


def _amount(number: float, quantity: str) -> str:
    return f"{number / 1e6:,.2f}" if quantity == "microdollars" else f"{number:,.0f}"


def _keys(runtime: Runtime, health: JsonObject, now: float) -> Iterator[Notice]:
    for cooling in health["cooldowns"]:
        reason = str(cooling.get("reason") or "")
        if cooling["scope"] == "credential" and any(word in reason.lower() for word in _REFUSED):
            yield Notice(
                f"key:{cooling['provider']}:{cooling['name']}:refused",
                "key",
                "bad",
                f"{cooling['provider']} refuses {cooling['name']!r}: {reason}",
            )
    settings = runtime.settings
    names = dict.fromkeys((*presets(), *settings.providers))
    for row in overview(runtime.credentials.sources, names, now, settings.credentials.paused):
        if not row.usable and not row.paused and row.name:
            yield Notice(f"key:{row.name}:{row.expires_at}", "key", "bad", row.reason or f"{row.name!r} cannot be used")


def _models(runtime: Runtime, today: date) -> Iterator[Notice]:
    days = runtime.settings.notices.retires_within_days
    if not days:
        return
    for name, where in _in_use(runtime).items():
        info = runtime.pipeline.router.choosing.model_info(name)
        if info is None or info.retires is None or (info.retires - today).days > days:
            continue
        gone = info.retires <= today
        then = f"; {info.successor} takes its place" if info.successor else ""
        words = f"{name} ({where}) {'was retired' if gone else 'retires'} on {info.retires}{then}"
        yield Notice(f"model:{name}:{info.retires}", "model", "bad" if gone else "warn", words)


def _in_use(runtime: Runtime) -> Mapping[str, str]:
    """Models that the user named or that a tier begins with -> where they stand."""
    found: dict[str, str] = {}
    router = runtime.pipeline.router
    for tier in Tier:
        for name in list(router.choosing.chains[tier])[:_MODELS_A_TIER]:
            found.setdefault(name, tier.value)
    for alias, name in router.settings.aliases.items():
        found.setdefault(name, f"alias {alias}")
    return found


class NewNotices:
    """Tells of each notice once, for as long as it lasts.

    :param tell: gets each new one
    """

    def __init__(self, tell: Callable[[Notice], None]) -> None:
        self._tell = tell
        self._known: frozenset[str] = frozenset()

    def see(self, notices: list[Notice]) -> None:
        """Take the present ones."""
        for notice in notices:
            if notice.id not in self._known:
                self._tell(notice)
        self._known = frozenset(notice.id for notice in notices)
