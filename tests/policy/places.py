"""Where a ledger under test lives, as text that one process can hand to another."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from openclaw_oauthrouter.canonical.spending import Amounts
from openclaw_oauthrouter.policy.ledger.entries import Hold, Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedger

LEASE_SECONDS = 0.4
DAY = "2026-11-22"
FAR = 4_000_000_000.0


def open_ledger(place: str) -> Ledger:
    """``redis://host:port/0#prefix``, else the path of a SQLite file."""
    if not place.startswith("redis://"):
        return SqliteLedger(Path(place))
    from openclaw_oauthrouter.policy.ledger.redis import RedisLedger

    url, _, prefix = place.partition("#")
    return RedisLedger.connect(url, uuid4().hex, prefix=prefix, lease_seconds=LEASE_SECONDS)


def hold(
    requests: int = 1,
    input_tokens: int = 0,
    output_tokens: int = 0,
    microdollars: int = 0,
    *,
    day: str = DAY,
    client: str = "",
    expires_at: float = FAR,
) -> Hold:
    amounts = Amounts(requests, input_tokens, output_tokens, microdollars)
    return Hold(uuid4().hex, day, "model:anthropic/claude-haiku-4-5", client, amounts, expires_at)


async def used(ledger: Ledger, window: str = DAY, scope: str = "") -> Amounts:
    return next((row.used for row in await ledger.rows([window]) if row.scope == scope), Amounts())
