"""What a ledger is asked and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from openclaw_oauthrouter.canonical.spending import EVERYBODY, Amounts, Limit


@dataclass(frozen=True, slots=True)
class Hold:
    """Amounts set aside for one call, until it is settled or released.

    :ivar id: unique
    :ivar day: the UTC day it is booked to, however long the call takes
    :ivar model: the model's scope
    :ivar client: the client's scope; ``EVERYBODY`` when there is none
    :ivar expires_at: Unix seconds after which nobody can still be at work on it
    """

    id: str
    day: str
    model: str
    client: str
    amounts: Amounts
    expires_at: float

    @property
    def scopes(self) -> tuple[str, ...]:
        """Each scope once."""
        named = (self.model, self.client) if self.client != EVERYBODY else (self.model,)
        return (EVERYBODY, *named)

    @property
    def windows(self) -> tuple[str, str]:
        """Day and month."""
        return (self.day, self.day[:7])


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The limit that does not leave enough.

    :ivar used: settled
    :ivar held: set aside by calls that still run
    """

    limit: Limit
    used: int
    held: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """What one scope used in one window.

    :ivar window: ``2026-11-22`` or ``2026-11``
    """

    window: str
    scope: str
    used: Amounts


class Ledger(Protocol):
    """Counts what was used and what is set aside; exact under any concurrency of tasks, processes and crashes.

    Every method raises ``LedgerUnavailableError`` when the store cannot be reached.

    :ivar immediate: a change that is cut off by cancellation has not been made; one that was made has returned
    """

    immediate: bool

    async def reserve(self, hold: Hold, limits: Sequence[Limit], now: float) -> Shortfall | None:
        """Set the hold's amounts aside if every limit leaves room; all or nothing, one atomic step.

        Where a limit is short, holds of dead processes and expired ones are dropped before it is judged.
        """

    async def settle(self, hold: Hold, used: Amounts) -> None:
        """Book to day and month and drop the hold; also books where the hold was dropped meanwhile, or never made."""

    async def release(self, hold: Hold) -> None:
        """Drop the hold."""

    async def rows(self, windows: Collection[str]) -> Sequence[Row]:
        """What was settled in these windows, all scopes."""

    async def close(self) -> None:
        """Let go of the store."""
