"""Budget set aside for one call: topped up while the answer is written, settled or released at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.spending import Amounts, Limit, PaidBy
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import BudgetExceededError
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim, Reservation, Standing
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.money import microdollars
from openclaw_oauthrouter.policy.sizing import Size

TopUp = Callable[["Held", int], Amounts]

_TRIES = 3
_DOUBT = 1.5
_STEP = 1024
"""Tokens that are set aside at least when more is needed: a booking for every word would cost more than it counts."""


class Held:
    """What the ledger holds for a call.

    :ivar output_tokens: of the answer it is for
    :ivar most_output: what the upstream is told not to exceed
    :ivar standings: how the limits stood before the call
    :ivar overdraft: what running answers may use beyond a limit that is not hard: one whole answer
    :ivar tightest: the limit that allows the shortest answer; ``None`` where none minds how long it gets
    """

    __slots__ = ("most_output", "output_tokens", "overdraft", "reservation", "size", "standings", "tightest")

    def __init__(
        self,
        reservation: Reservation,
        standings: Sequence[Standing],
        size: Size,
        output_tokens: int,
        most_output: int,
        overdraft: Amounts,
        tightest: Standing | None,
    ) -> None:
        self.reservation = reservation
        self.standings = standings
        self.size = size
        self.output_tokens = output_tokens
        self.most_output = most_output
        self.overdraft = overdraft
        self.tightest = tightest

    def lenient_claims(self) -> list[Claim]:
        """The claims, with the overdraft where they are not hard."""
        return [
            claim
            if claim.limit.hard
            else claim._replace(limit=_with_more(claim.limit, getattr(self.overdraft, claim.limit.quantity)))
            for claim, *_ in self.standings
        ]


@value(frozen=True, slots=True)
class Books:
    """What all reservations of one spend guard share.

    :ivar refuse: makes the error for a limit that is short
    :ivar settled: told of what was booked, for warnings
    """

    ledger: Ledger
    refuse: Callable[[Standing, Amounts], BudgetExceededError]
    settled: Callable[[Sequence[Standing], Account, Amounts], None]
    clock: Callable[[], float]


class OpenReservation:
    """``interfaces.Reservation``: settled or released, whichever comes first; every later call does nothing.

    :param held: ``None`` where no limit counts the call
    :param unknown_cost: what to book for an answer whose cost nobody knows, in micro-dollars; ``None`` books nothing
    """

    __slots__ = ("_account", "_books", "_held", "_open", "_unknown_cost", "output_cap", "warnings")

    def __init__(
        self,
        books: Books,
        account: Account,
        held: Held | None,
        output_cap: int | None,
        warnings: tuple[str, ...] = (),
        unknown_cost: Callable[[Usage], int] | None = None,
    ) -> None:
        self._books = books
        self._account = account
        self._held = held
        self._unknown_cost = unknown_cost
        self._open = True
        self.output_cap = output_cap
        self.warnings = warnings

    @property
    def watched_tokens(self) -> int | None:
        """See ``Reservation``."""
        held = self._held
        if held is None or held.tightest is None:
            return None
        if held.output_tokens < held.most_output:
            return held.output_tokens
        # It was told not to write more. What has come is counted by its characters, so it is given the benefit of the doubt.
        return int(held.most_output * _DOUBT) + _STEP

    async def top_up(self, output_tokens: int) -> None:
        """See ``Reservation``."""
        held = self._held
        if held is None or held.tightest is None or not self._open or output_tokens <= held.output_tokens:
            return
        if held.output_tokens >= held.most_output:
            raise self._books.refuse(held.tightest, held.size.amounts(output_tokens))
        wanted = min(held.most_output, max(output_tokens + _STEP, 2 * held.output_tokens))
        claims = held.lenient_claims()
        for _ in range(_TRIES):
            amounts = held.size.amounts(wanted)
            asked = replace(held.reservation, amounts=amounts)
            outcome = await self._books.ledger.reserve(asked, claims, self._books.clock())
            if outcome.short is None:
                held.output_tokens = wanted
                return
            wanted = min(wanted, held.size.longest(outcome.standings))
            if wanted < output_tokens:
                raise self._books.refuse(outcome.short, held.size.amounts(output_tokens))

    async def settle(self, usage: Usage | None, cost: MeasuredCost | None, *, paid_by: PaidBy | None = None) -> None:
        """See ``Reservation``."""
        if not self._open:
            return
        self._open = False
        account, held, books = self._account, self._held, self._books
        if paid_by is not None and paid_by != account.paid_by:
            account = account._replace(paid_by=paid_by)
        used = self._used(usage, cost)
        if held is None:
            books.ledger.note(account, used)
            return
        await books.ledger.settle(account, used, held.reservation.id)
        books.settled(held.standings, account, used)

    async def release(self) -> None:
        """See ``Reservation``."""
        was_open, self._open = self._open, False
        if was_open and self._held is not None:
            await self._books.ledger.release(self._held.reservation.id)

    def _used(self, usage: Usage | None, cost: MeasuredCost | None) -> Amounts:
        if usage is None:
            return Amounts(1)
        if cost is not None:
            return Amounts(1, usage.input_tokens, usage.output_tokens, microdollars(cost))
        unknown = self._unknown_cost(usage) if self._unknown_cost is not None else 0
        return Amounts(1, usage.input_tokens, usage.output_tokens, unknown, 1)


def _with_more(limit: Limit, more: int) -> Limit:
    return Limit(limit.period, limit.quantity, limit.most + more, limit.scope)
