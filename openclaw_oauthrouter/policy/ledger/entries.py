"""What a ledger is asked and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from openclaw_oauthrouter.canonical.spending import EVERYBODY, Amounts, Limit, PaidBy
from openclaw_oauthrouter.canonical.value import value


class Account(NamedTuple):
    """Where a call is booked; everything a limit or a report may ask for.

    :ivar moment: Unix seconds at which the call's stretch of time began (``Calendar.moment``), however long the call takes
    :ivar model: ``provider/id``
    :ivar client: the client key's name; ``""`` when there is none
    :ivar conversation: its key where a limit is on conversations; ``""`` elsewhere, for there is no end of them
    """

    moment: int
    provider: str
    model: str
    client: str = ""
    conversation: str = ""
    paid_by: PaidBy = "api"

    def within(self, claim: Claim) -> bool:
        """Whether a claim counts it."""
        if not claim.start <= self.moment < claim.end:
            return False
        if claim.limit.quantity == "microdollars" and self.paid_by == "plan":
            return False
        kind, name = claim.scope
        return not kind or getattr(self, kind) == name


class Claim(NamedTuple):
    """A limit in the stretch of time that is asked about.

    :ivar start: Unix seconds; what was booked from here on counts
    :ivar end: Unix seconds; what was booked from here on does not
    """

    limit: Limit
    start: float
    end: float

    @property
    def scope(self) -> tuple[str, str]:
        """The column of an ``Account`` and what it must hold; two empty strings for everybody's."""
        if self.limit.scope == EVERYBODY:
            return "", ""
        kind, _, name = self.limit.scope.partition(":")
        return kind, name


@value(frozen=True, slots=True)
class Reservation:
    """Amounts set aside for one call, until it is settled or released.

    :ivar id: unique; the same id again replaces the amounts
    :ivar expires_at: Unix seconds after which nobody can still be at work on it
    """

    id: str
    account: Account
    amounts: Amounts
    expires_at: float


class Standing(NamedTuple):
    """How a claim stands before a call.

    :ivar used: settled
    :ivar held: set aside by other calls that still run
    """

    claim: Claim
    used: int
    held: int

    @property
    def rest(self) -> int:
        """What is neither used nor set aside; less than nothing where more was used than may be."""
        return self.claim.limit.most - self.used - self.held


@value(frozen=True, slots=True)
class Outcome:
    """What became of an attempt to set something aside.

    :ivar short: the first claim that does not leave enough; ``None`` when the reservation was made
    """

    standings: tuple[Standing, ...]
    short: Standing | None = None


class Row(NamedTuple):
    """What was settled on one account, by all processes."""

    account: Account
    used: Amounts


Writes = Sequence[tuple[Account, Amounts]]
"""All that one process has ever settled on each of these accounts: totals, so that writing them twice changes nothing."""


class Store(Protocol):
    """Where a ledger is kept; exact under any concurrency of tasks, processes and crashes.

    Every method raises ``LedgerUnavailableError`` when it cannot be reached. Each process writes rows of its own and states totals, so
    a write that may or may not have been made is simply made again.

    :ivar immediate: writing waits for nobody but other processes' locks
    """

    immediate: bool

    async def reserve(self, reservation: Reservation, claims: Sequence[Claim], now: float) -> Outcome:
        """Set the amounts aside if every claim leaves room; all or nothing, one atomic step.

        Where a claim is short, reservations of dead processes and expired ones are dropped before it is judged.

        :raises LedgerLostError: what had been counted is gone
        """

    async def write(self, totals: Writes, drops: Collection[str], unknown: Collection[str], now: float) -> None:
        """State this process's totals and drop reservations.

        :param unknown: reservations of which nobody knows whether they were made, or yet will be
        :raises LedgerLostError: what had been counted is gone
        """

    async def rows(self, start: float, end: float) -> Sequence[Row]:
        """What was settled in accounts that began from ``start`` to before ``end``."""

    async def restore(self, totals: Writes, now: float) -> None:
        """Begin anew where what had been counted is gone: state this process's totals and the others' as far as they are known."""

    async def examine(self, now: float) -> None:
        """Look whether all is as it was left.

        :raises LedgerLostError: what had been counted is gone
        """

    async def close(self) -> None:
        """Let go of it."""

    def abandon(self) -> None:
        """Let go of it where nothing was ever asked of it, as when a start fails."""


class LedgerLostError(Exception):
    """The store was deleted, replaced or damaged while in use; ``Ledger`` writes back what is known."""
