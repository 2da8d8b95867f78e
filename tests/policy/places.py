"""Where a ledger under test lives, as text that one process can hand to another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.policy.calendar import Calendar
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim, Outcome, Reservation, Store
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteStore

LEASE_SECONDS = 0.4
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY_SECONDS = 86_400
FAR = 4_000_000_000.0
MODEL = "anthropic/claude-haiku-4-5"
CALENDAR = Calendar(UTC)


def open_store(place: str, *, lease_seconds: float = LEASE_SECONDS) -> Store:
    """``redis://host:port/0#prefix``, else the path of a SQLite file."""
    if not place.startswith("redis://"):
        return SqliteStore(Path(place), uuid4().hex)
    from openclaw_oauthrouter.policy.ledger.redis import RedisStore

    url, _, prefix = place.partition("#")
    return RedisStore.connect(url, uuid4().hex, prefix=prefix, lease_seconds=lease_seconds)


def open_ledger(place: str, *, lease_seconds: float = LEASE_SECONDS) -> Ledger:
    """A process's ledger in that place."""
    return Ledger(open_store(place, lease_seconds=lease_seconds), lambda: NOON)


def hold(
    requests: int = 1,
    input_tokens: int = 0,
    output_tokens: int = 0,
    microdollars: int = 0,
    *,
    at: float = NOON,
    client: str = "",
    model: str = MODEL,
    conversation: str = "",
    paid_by: str = "api",
    expires_at: float = FAR,
) -> Reservation:
    amounts = Amounts(requests, input_tokens, output_tokens, microdollars)
    account = Account(int(at // 3600 * 3600), model.partition("/")[0], model, client, conversation, paid_by)
    return Reservation(uuid4().hex, account, amounts, expires_at)


async def reserve(ledger: Ledger, asked: Reservation, limits: list[Limit], now: float = NOON) -> tuple[Limit, int, int] | None:
    """``None`` when it was set aside, else the limit that is short, what is used and what is held."""
    outcome = await attempt(ledger, asked, limits, now)
    return None if outcome.short is None else (outcome.short.claim.limit, outcome.short.used, outcome.short.held)


async def attempt(ledger: Ledger, asked: Reservation, limits: list[Limit], now: float = NOON) -> Outcome:
    for limit in limits:
        CALENDAR.add(limit.period)
    moment = float(asked.account.moment)
    claims = [Claim(limit, *CALENDAR.span(limit.period, moment)) for limit in limits]
    return await ledger.reserve(asked, claims, now)


async def settle(ledger: Ledger, asked: Reservation, used: Amounts | None = None) -> None:
    await ledger.settle(asked.account, asked.amounts if used is None else used, asked.id)


async def used(ledger: Ledger, start: float = 0.0, end: float = FAR, **account: object) -> Amounts:
    total = Amounts()
    for row in await ledger.rows(start, end):
        if all(getattr(row.account, name) == value for name, value in account.items()):
            total += row.used
    return total
