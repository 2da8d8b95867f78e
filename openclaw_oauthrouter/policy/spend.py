"""The spend guard: reserve before a call, settle after it, leak nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.spending import EVERYBODY, Amounts, Limit, PlannedCall, client_scope, model_scope
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import CostBudgetExceededError, LedgerUnavailableError, PolicyError
from openclaw_oauthrouter.interfaces import Budget
from openclaw_oauthrouter.policy.budgets import built_in_budgets, ledger_limits
from openclaw_oauthrouter.policy.ledger.entries import Hold, Ledger
from openclaw_oauthrouter.policy.money import highest_cost, microdollars
from openclaw_oauthrouter.policy.output_cap import with_output_cap
from openclaw_oauthrouter.policy.periods import day_of
from openclaw_oauthrouter.policy.refusal import budget_exceeded
from openclaw_oauthrouter.policy.report import spend_report, windows_at
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator

Change = Callable[[], Coroutine[None, None, None]]
"""A write to the ledger that may safely be tried again after it failed."""

_log = logging.getLogger(__name__)


class Spend:
    """``interfaces.SpendGuard`` over a ledger.

    :param price: what a call of a model really costs; ``None`` where nothing is known or a plan pays. Such calls do not count
        against budgets in money
    :param clients: ``server.clientKeys``
    :param extra_budgets: rules of plugins, asked after the built-in ones
    :param hold_seconds: how long a call may run before its hold counts as abandoned; beyond ``upstream.timeouts.total``
    :param retry_seconds: pauses before a write that failed is tried again
    :param close_seconds: how long ``close`` waits for such writes
    """

    def __init__(
        self,
        settings: SpendSettings,
        ledger: Ledger,
        *,
        price: Callable[[ModelInfo], Price | None],
        clock: Clock,
        new_id: NewId,
        clients: Mapping[str, ClientKeySettings] | None = None,
        extra_budgets: Sequence[Budget] = (),
        hold_seconds: float = 3600.0,
        retry_seconds: Sequence[float] = (0.5, 2.0, 10.0, 60.0),
        close_seconds: float = 5.0,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._price = price
        self._clock = clock
        self._new_id = new_id
        self._hold_seconds = hold_seconds
        self._retry_seconds = retry_seconds
        self._close_seconds = close_seconds
        self._budgets = (*built_in_budgets(settings, clients or {}), *extra_budgets)
        self._limits = ledger_limits(settings, clients or {})
        self._tokens = TokenEstimator(exact_near=settings.max_request_input_tokens)
        self._writing: set[asyncio.Future[None]] = set()

    def cap(self, request: ChatRequest, info: ModelInfo) -> ChatRequest:
        """See ``SpendGuard``."""
        return with_output_cap(request, info, self._settings.max_request_output_tokens)

    def estimate(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        """See ``SpendGuard``; well under a millisecond for a body of 100 kB."""
        return self._tokens.estimate(self.cap(request, info), info)

    async def reserve(self, candidate: Candidate, estimate: Estimate, client: str | None, *, by_plan: bool = False) -> HeldBudget:
        """See ``SpendGuard``. Ask once for each hop, fallbacks included.

        :param by_plan: a subscription pays: budgets in money are not touched
        :raises ModelNotAllowedError: a list forbids the model
        :raises RequestTokensTooHighError: the request is too large
        :raises CostBudgetExceededError: money is short; see ``cheaper``
        :raises BudgetExceededError: requests or tokens are short
        :raises LedgerUnavailableError: nothing can be counted now
        """
        call = PlannedCall(candidate.info, estimate, client)
        now = self._clock()
        price = None if by_plan else self._price(call.info)
        limits = [limit for budget in self._budgets for limit in budget.check(call)]
        if price is None:
            limits = [limit for limit in limits if limit.quantity != "microdollars"]
        hold = self._hold(call, price, now)
        if limits:
            await self._set_aside(hold, limits, now)
        return HeldBudget(hold, self._ledger, self._finish, held=bool(limits), costs_money=price is not None)

    def cheaper(self, refusal: PolicyError, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """See ``SpendGuard``; hops whose price is not known are left out."""
        if self._settings.on_exceeded != "downgrade" or not isinstance(refusal, CostBudgetExceededError):
            return ()
        priced = [
            (price.input + price.output, candidate)
            for candidate in candidates
            if (price := self._price(candidate.info)) is not None
        ]
        return [candidate for _, candidate in sorted(priced, key=lambda pair: pair[0])]

    async def snapshot(self) -> JsonObject:
        """What was spent today and this month, and of what budgets: ``SpendReport.as_json``."""
        now = self._clock()
        rows = await self._ledger.rows(list(windows_at(now).values()))
        return spend_report(rows, self._limits, now).as_json()

    async def close(self) -> None:
        """Wait a little for what ended requests left to be written, then close the ledger."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._close_seconds):
                while writing := set(self._writing):
                    await asyncio.gather(*writing)
                    # From Python 3.12 on, gathering what has ended does not yield, so ``discard`` would never get its turn.
                    self._writing -= writing
        await self._ledger.close()

    def _hold(self, call: PlannedCall, price: Price | None, now: float) -> Hold:
        estimate = call.estimate
        cost = highest_cost(estimate, price)
        return Hold(
            id=self._new_id(),
            day=day_of(now),
            model=model_scope(call.info),
            client=EVERYBODY if call.client is None else client_scope(call.client),
            amounts=Amounts(1, estimate.input_tokens, estimate.output_tokens, cost),
            expires_at=now + self._hold_seconds,
        )

    async def _set_aside(self, hold: Hold, limits: Sequence[Limit], now: float) -> None:
        try:
            short = await self._ledger.reserve(hold, limits, now)
        except asyncio.CancelledError:
            # The ledger may have made the hold before its answer was cut off.
            self._write(lambda: self._ledger.release(hold))
            raise
        if short is not None:
            raise budget_exceeded(short, hold.amounts, now)

    async def _finish(self, change: Change) -> None:
        """Make a change even if the request that wants it is being cancelled."""
        if not self._ledger.immediate:
            await asyncio.shield(self._write(change))
            return
        # The file's ledger never waits but for other processes: a task for every booking would cost more than the booking.
        try:
            await self._first_try(change)
        except asyncio.CancelledError:
            self._write(change)
            raise

    def _write(self, change: Change) -> asyncio.Future[None]:
        """Let a write outlive the request that began it; one that fails is made up for later, and never felt by the client."""
        return self._keep(self._first_try(change))

    async def _first_try(self, change: Change) -> None:
        try:
            await change()
        except LedgerUnavailableError as error:
            _log.warning("%s; trying again", error)
            self._keep(self._further_tries(change))

    async def _further_tries(self, change: Change) -> None:
        for pause in self._retry_seconds:
            await asyncio.sleep(pause)
            try:
                await change()
            except LedgerUnavailableError:
                continue
            return
        _log.error("spending of one request could not be booked: the ledger stayed out of reach")

    def _keep(self, writing: Coroutine[None, None, None]) -> asyncio.Future[None]:
        task = asyncio.ensure_future(writing)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task


class HeldBudget:
    """``interfaces.Reservation``: settled or released, whichever comes first; every later call does nothing.

    :param held: the ledger knows of it; without limits there is nothing to give back
    :param costs_money: whether what the call costs is booked; a plan pays for it otherwise, or nobody knows the price
    """

    def __init__(
        self, hold: Hold, ledger: Ledger, finish: Callable[[Change], Awaitable[None]], *, held: bool, costs_money: bool
    ) -> None:
        self._hold = hold
        self._ledger = ledger
        self._finish = finish
        self._held = held
        self._costs_money = costs_money
        self._open = True

    async def settle(self, usage: Usage | None, cost: float) -> None:
        """See ``Reservation``."""
        if self._close():
            used = self._used(usage, cost)
            await self._finish(lambda: self._ledger.settle(self._hold, used))

    async def release(self) -> None:
        """See ``Reservation``."""
        if self._close() and self._held:
            await self._finish(lambda: self._ledger.release(self._hold))

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        return was_open

    def _used(self, usage: Usage | None, cost: float) -> Amounts:
        if usage is None:
            return self._hold.amounts
        return Amounts(1, usage.input_tokens, usage.output_tokens, microdollars(cost) if self._costs_money else 0)
