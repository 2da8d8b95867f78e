"""Counts what was used and what is set aside, over any store: what could not be written is kept and written later."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.spending import Amounts
from openclaw_oauthrouter.errors import LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim, LedgerLostError, Outcome, Reservation, Row, Store
from openclaw_oauthrouter.tasks import end_tasks

_log = logging.getLogger(__name__)

BATCH_SECONDS = 0.02
"""How long a booking that no budget waits for may lie in memory, and so be lost with a process that is killed."""

_KEEP_SECONDS = 40 * 86_400
"""Totals of this process that are remembered: no period in use is longer than a month."""

_MOST_ACCOUNTS = 20_000


class Ledger:
    """One process's view of the counts.

    Each process adds up what it settled, by account, and states these totals to the store; the sum over processes is what was used.
    A total may be stated twice, late, or into a store that was made anew, without being counted twice.

    :param retry_seconds: pause before a write that failed is tried again
    :param examine_seconds: how often the store is looked at although nothing is written
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        batch_seconds: float = BATCH_SECONDS,
        retry_seconds: float = 0.5,
        examine_seconds: float = 20.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._batch_seconds = batch_seconds
        self._retry_seconds = retry_seconds
        self._examine_seconds = examine_seconds
        self._totals: dict[Account, Amounts] = {}
        self._unwritten: set[Account] = set()
        self._drops: set[str] = set()
        self._unknown: set[str] = set()
        self._writing = asyncio.Lock()
        self._due: asyncio.TimerHandle | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._flush_task: asyncio.Task[None] | None = None
        self._unreachable = False
        self._loss = ""

    async def reserve(self, reservation: Reservation, claims: Sequence[Claim], now: float) -> Outcome:
        """See ``Store``; when it cannot be told whether the reservation was made, it is dropped later.

        :raises LedgerUnavailableError: nothing can be counted now
        """
        self._keep()
        if self._unwritten:
            await self._flush()
        try:
            try:
                return await self._store.reserve(reservation, claims, now)
            except LedgerLostError as error:
                await self._restore(error)
                return await self._store.reserve(reservation, claims, now)
        except BaseException:
            self._unknown.add(reservation.id)
            self._write_soon()
            raise

    async def settle(self, account: Account, used: Amounts, reservation: str | None = None) -> None:
        """Book what one call used and drop its reservation; on return it outlives this process, or will be tried again.

        Never fails: what cannot be written now is written as soon as it can be.
        """
        self.note(account, used, reservation)
        await self._flush()

    def note(self, account: Account, used: Amounts, reservation: str | None = None) -> None:
        """As ``settle``, but written within ``batch_seconds``, together with others: for calls that no budget waits for."""
        before = self._totals.get(account)
        self._totals[account] = used if before is None else before + used
        self._unwritten.add(account)
        if reservation is not None:
            self._drops.add(reservation)
        if self._due is None:
            self._write_soon()

    async def release(self, reservation: str) -> None:
        """Drop a reservation."""
        self._drops.add(reservation)
        await self._flush()

    async def rows(self, start: float, end: float) -> Sequence[Row]:
        """What was settled in accounts that began from ``start`` to before ``end``.

        :raises LedgerUnavailableError: it cannot be read
        """
        await self._flush()
        return await self._store.rows(start, end)

    async def close(self) -> None:
        """Write what is left, then let go of the store."""
        await end_tasks(task for task in (self._keeper, self._flush_task) if task is not None)
        if self._due is not None:
            self._due.cancel()
        await self._flush()
        if self._unwritten:
            _log.error("spending on %d accounts could not be booked: the ledger stayed out of reach", len(self._unwritten))
        await self._store.close()

    def abandon(self) -> None:
        """Let go of the store before anything was counted, as when a start fails; usable where no event loop is."""
        self._store.abandon()

    def _write_soon(self) -> None:
        if self._due is None:
            pause = self._retry_seconds if self._unreachable else self._batch_seconds
            self._due = asyncio.get_running_loop().call_later(pause, self._begin_flush)

    def _begin_flush(self) -> None:
        self._due = None
        if self._flush_task is None or self._flush_task.done():
            self._flush_task = asyncio.ensure_future(self._flush())
        else:
            self._write_soon()

    async def _flush(self) -> None:
        """Write everything that is not written yet; those who come meanwhile are written together, next."""
        while self._unwritten or self._drops or self._unknown:
            async with self._writing:
                accounts, self._unwritten = self._unwritten, set()
                drops, self._drops = self._drops, set()
                unknown, self._unknown = self._unknown, set()
                written = not (accounts or drops or unknown)
                try:
                    written = written or await self._write(accounts, drops, unknown)
                finally:
                    if not written:
                        self._unwritten |= accounts
                        self._drops |= drops
                        self._unknown |= unknown
                        self._write_soon()
            if not written:
                return

    async def _write(self, accounts: set[Account], drops: set[str], unknown: set[str]) -> bool:
        try:
            try:
                totals = [(account, self._totals[account]) for account in accounts]
                await self._store.write(totals, drops, unknown, self._clock())
            except LedgerLostError as error:
                await self._restore(error)
                await self._store.write((), drops, unknown, self._clock())
        except LedgerUnavailableError as error:
            if not self._unreachable:
                _log.warning("%s; what is settled meanwhile is kept and booked later", error)
            self._unreachable = True
            return False
        if self._unreachable:
            _log.warning("the spend ledger can be written again")
        self._unreachable = False
        return True

    async def _restore(self, error: LedgerLostError) -> None:
        if str(error) != self._loss:  # said once, however many requests meet it
            _log.error("%s; a new one is made and what this process knows to be spent is written back", error)
        self._loss = str(error)
        await self._store.restore(list(self._totals.items()), self._clock())
        self._loss = ""

    def _keep(self) -> None:
        if self._keeper is None:
            self._keeper = asyncio.ensure_future(self._look_after())

    async def _look_after(self) -> None:
        """Notice a ledger that is gone although nobody writes, and forget totals that no period counts any more."""
        while True:
            await asyncio.sleep(self._examine_seconds)
            await self.examine()
            self._forget()

    async def examine(self) -> None:
        """Look at the store once; what is lost is made anew, what lies elsewhere goes where it belongs."""
        try:
            await self._store.examine(self._clock())
        except LedgerLostError as error:
            with contextlib.suppress(LedgerUnavailableError):
                await self._restore(error)
        except LedgerUnavailableError as error:
            if not self._unreachable:
                _log.error("%s", error)
            self._unreachable = True

    def _forget(self) -> None:
        if len(self._totals) > _MOST_ACCOUNTS // 2:
            since = self._clock() - _KEEP_SECONDS
            for account in [one for one in self._totals if one.moment < since and one not in self._unwritten]:
                del self._totals[account]
