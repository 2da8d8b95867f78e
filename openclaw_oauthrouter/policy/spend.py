"""The spend guard: set aside before a call what it is expected to use, book after it what it did, leak nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.pricing import Price, cost_of
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo, Tier
from openclaw_oauthrouter.canonical.spending import REQUEST, Amounts, Limit, PaidBy, PlannedCall
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import BudgetExceededError, CostBudgetExceededError, PolicyError
from openclaw_oauthrouter.interfaces import Budget
from openclaw_oauthrouter.policy.alarms import Alarms, Messenger
from openclaw_oauthrouter.policy.budgets import built_in_budgets, limits_of
from openclaw_oauthrouter.policy.calendar import Calendar
from openclaw_oauthrouter.policy.expectations import Expectations
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim, Outcome, Reservation, Standing
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.money import FREE, Rate, rate_of
from openclaw_oauthrouter.policy.output_cap import with_output_cap
from openclaw_oauthrouter.policy.refusal import budget_exceeded, unpriced_model
from openclaw_oauthrouter.policy.report import since, spend_report
from openclaw_oauthrouter.policy.reservation import Books, Held, OpenReservation
from openclaw_oauthrouter.policy.sizing import SMALL_ANSWER, SMALL_DECLARED, Size, limits_answers, whole_answer
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator, answer_tokens

_TRIES = 5
"""How often a call is made to fit what others leave; they may take more in the meantime."""

_MOST_MODELS = 1000
OTHER = "other"
"""What models are booked under once there are too many names: an endpoint may answer to whatever a client invents."""


@value(frozen=True, slots=True)
class _Asked:
    """One call, as far as the guard has looked at it.

    :ivar declared: tokens the answer may have at most
    :ivar wanted: tokens to set aside for it
    :ivar exact: the upstream cannot be told to write less
    """

    account: Account
    limits: Sequence[Limit]
    size: Size
    declared: int
    wanted: int
    streams: bool
    exact: bool
    unknown_cost: Callable[[Usage], int] | None

    @property
    def smallest(self) -> int:
        """Tokens of the smallest answer that would do."""
        return self.declared if self.exact else min(self.declared, SMALL_ANSWER)

    @property
    def hard(self) -> bool:
        """Whether a limit on the answer must never be exceeded."""
        return any(limit.hard for limit in self.limits if limit.quantity in ("output_tokens", "microdollars"))


class Spend:
    """``interfaces.SpendGuard`` over a ledger.

    :param price: what a model costs without special terms; ``None`` where nothing is known
    :param clients: ``server.clientKeys``
    :param extra_budgets: rules of plugins, asked after the built-in ones
    :param hold_seconds: how long a call may run before its reservation counts as abandoned; beyond ``upstream.timeouts.total``
    :param zone: where days begin
    :param expectations: how long answers are; shared with whoever tells costs beforehand
    :param dearest: the dearest price that is known, for ``unpriced = "count-as-dearest"``
    :raises ConfigurationError: a plugin's limits are none
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
        zone: tzinfo = UTC,
        expectations: Expectations | None = None,
        dearest: Callable[[], Price | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._price = price
        self._clock = clock
        self._new_id = new_id
        self._hold_seconds = hold_seconds
        self._dearest = dearest
        self.expectations = expectations if expectations is not None else Expectations()
        budgets = (*built_in_budgets(settings, clients or {}), *extra_budgets)
        self._budgets = [budget for budget in budgets if not getattr(budget, "idle", False)]
        self._limits = dict.fromkeys(limits_of(budgets))
        self._named = {limit.scope for limit in self._limits}
        self.calendar = Calendar(zone, [limit.period for limit in self._limits])
        notify = Messenger(settings.warn_command, settings.warn_url) if settings.warn_command or settings.warn_url else None
        self._alarms = Alarms(settings.warn_at, notify)
        self._tokens = TokenEstimator(exact_near=settings.max_request_input_tokens)
        self._books = Books(ledger, self._refuse_more, self._settled, clock)
        self._models: set[str] = set()
        self._accounts: dict[tuple[str, str | None, str, PaidBy], Account] = {}
        self._on_extra_usage: set[str] = set()

    def cap(self, request: ChatRequest, info: ModelInfo, most: int | None = None) -> ChatRequest:
        """See ``SpendGuard``."""
        ours = self._settings.max_request_output_tokens
        if ours is not None and request.max_output_tokens is None:
            request = with_output_cap(request, info, ours)
        return request if most is None else with_output_cap(request, info, most)

    def estimate(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        """See ``SpendGuard``; well under a millisecond for a body of 100 kB."""
        stated = request.max_output_tokens
        most = answer_tokens(self._settings.max_request_output_tokens if stated is None else stated, info)
        return Estimate(self._tokens.input_tokens(request), most)

    async def reserve(
        self,
        candidate: Candidate,
        estimate: Estimate,
        client: str | None,
        *,
        by_plan: bool = False,
        conversation: str | None = None,
        streams: bool = False,
        stated: bool = True,
        exact: bool = False,
        quiet: bool = False,
    ) -> OpenReservation:
        """See ``SpendGuard``. Ask once for each call, fallbacks and repetitions included.

        :param quiet: warn of nothing

        :raises ModelNotAllowedError: a list forbids the model
        :raises RequestTokensTooHighError: the request is too large
        :raises UnpricedModelError: a budget in money cannot count it
        :raises CostBudgetExceededError: money is short; see ``cheaper``
        :raises BudgetExceededError: requests or tokens are short
        :raises LedgerUnavailableError: nothing can be counted now
        """
        now = self._clock()
        info = candidate.info
        by_plan = by_plan and info.provider not in self._on_extra_usage
        limits: Sequence[Limit] = ()
        if self._budgets:
            call = PlannedCall(info, estimate, client, conversation)
            limits = [limit for budget in self._budgets for limit in budget.check(call)]
        paid_by: PaidBy = "plan" if by_plan else "api"
        if not limits:
            return OpenReservation(self._books, self._account(info, client, "", paid_by, now), None, None)
        rate, limits, unknown_cost = self._rated(info, estimate, limits, by_plan)
        booked = conversation if any(limit.scope.startswith("conversation:") for limit in limits) else None
        account = self._account(info, client, booked or "", paid_by, now)
        size = Size(estimate.input_tokens, rate)
        declared = estimate.output_tokens
        wanted = declared
        if not (stated and declared <= SMALL_DECLARED):
            wanted = min(declared, self.expectations.likely(conversation, info.name, candidate.tier))
        if exact:
            wanted = declared
        asked = _Asked(account, limits, size, declared, wanted, streams, exact, unknown_cost)
        return await self._set_aside(asked, now, quiet=quiet)

    async def refusal(self, candidate: Candidate, estimate: Estimate, client: str | None, **how: Any) -> PolicyError | None:
        """See ``SpendGuard``.

        :param how: as for ``reserve``
        """
        try:
            reservation = await self.reserve(candidate, estimate, client, quiet=True, **how)
        except PolicyError as error:
            return error
        await reservation.release()
        return None

    def cheaper(self, refusal: PolicyError, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """See ``SpendGuard``; candidates whose price is not known are left out."""
        if self._settings.on_exceeded != "downgrade" or not isinstance(refusal, CostBudgetExceededError):
            return ()
        priced = [
            (price.input + price.output, candidate)
            for candidate in candidates
            if (price := self._price(candidate.info)) is not None
        ]
        return [candidate for _, candidate in sorted(priced, key=lambda pair: pair[0])]

    def learn(self, conversation: str | None, info: ModelInfo, tier: Tier | None, output_tokens: int) -> None:
        """See ``SpendGuard``."""
        self.expectations.learn(conversation, info.name, tier, output_tokens)

    def is_final(self, refusal: PolicyError) -> bool:
        """See ``SpendGuard``."""
        return isinstance(refusal, BudgetExceededError) and refusal.general

    async def snapshot(self) -> JsonObject:
        """What was spent, and of what budgets: ``SpendReport.as_json``."""
        now = self._clock()
        rows = await self._ledger.rows(since(self.calendar, now, self._limits), float("inf"))
        return spend_report(rows, list(self._limits), self.calendar, now, self._settings.warn_at).as_json()

    async def close(self) -> None:
        """Write what is left, then close the ledger."""
        await self._ledger.close()

    def _account(self, info: ModelInfo, client: str | None, conversation: str, paid_by: PaidBy, now: float) -> Account:
        moment, key = self.calendar.moment(now), (info.name, client, conversation, paid_by)
        account = self._accounts.get(key)
        if account is None or account.moment != moment:
            if len(self._accounts) >= _MOST_MODELS:
                self._accounts.clear()
            account = Account(moment, info.provider, self._booked_model(info), client or "", conversation, paid_by)
            self._accounts[key] = account
        return account

    def _booked_model(self, info: ModelInfo) -> str:
        model = info.name
        if model not in self._models:
            if len(self._models) >= _MOST_MODELS and f"model:{model}" not in self._named:
                return OTHER
            self._models.add(model)
        return model

    def _rated(
        self, info: ModelInfo, estimate: Estimate, limits: Sequence[Limit], by_plan: bool
    ) -> tuple[Rate, Sequence[Limit], Callable[[Usage], int] | None]:
        """What the call costs, the limits that count it, and what to book for it where its cost stays unknown."""
        for limit in limits:
            if limit not in self._limits:
                self._note_limit(limit)
        in_money = [limit for limit in limits if limit.quantity == "microdollars"]
        if not in_money:
            return FREE, limits, None
        others = [limit for limit in limits if limit.quantity != "microdollars"]
        if by_plan:
            return FREE, others, None
        price = self._price(info)
        if price is not None:
            # What costs nothing is refused by no budget in money, however much that is overdrawn.
            return (FREE, others, None) if price.free else (rate_of(price, estimate.input_tokens), limits, None)
        if self._settings.unpriced == "refuse":
            raise unpriced_model(info, in_money[0])
        dearest = self._dearest() if self._settings.unpriced == "count-as-dearest" else None
        if dearest is None:
            return FREE, others, None
        return rate_of(dearest, estimate.input_tokens), limits, lambda usage: round(cost_of(usage, dearest) * 1e6)

    def _note_limit(self, limit: Limit) -> None:
        """A limit that no budget told of beforehand; those of single clients and conversations are not listed."""
        self.calendar.add(limit.period)
        if len(self._limits) < _MOST_MODELS and not limit.scope.startswith("conversation:"):
            self._limits[limit] = None
            self._named.add(limit.scope)

    async def _set_aside(self, asked: _Asked, now: float, *, quiet: bool = False) -> OpenReservation:
        claims = [Claim(limit, *self.calendar.span(limit.period, now)) for limit in asked.limits]
        each = [Standing(claim, 0, 0) for claim in claims if claim.limit.period is REQUEST]
        lasting = [claim for claim in claims if claim.limit.period is not REQUEST]
        room = asked.size.longest(each)
        if room < asked.smallest:
            raise self._short(each[0], asked, now)
        declared = min(asked.declared, room)
        output = declared if asked.hard else min(asked.wanted, declared)
        reservation = Reservation(self._new_id(), asked.account, asked.size.amounts(output), now + self._hold_seconds)
        if not lasting:
            return OpenReservation(self._books, asked.account, None, None if declared == asked.declared else declared)
        outcome, output = await self._fitted(asked, reservation, lasting, output, now)
        room = min(declared, asked.size.longest(outcome.standings))
        if output < declared and not asked.streams and not asked.hard and limits_answers(outcome.standings):
            output = await self._enlarged(asked, reservation, lasting, outcome, output, declared, now)
            room = output
        elif asked.hard:
            room = output
        held = Held(
            reservation,
            outcome.standings,
            asked.size,
            output,
            room,
            asked.size.amounts(room),
            tightest := asked.size.tightest([*outcome.standings, *each]),
        )
        cap = room if room < asked.declared and tightest is not None else None
        seen = () if quiet else outcome.standings
        warnings = tuple(words for one in seen if (words := self._alarms.see(one.claim, one.used)))
        return OpenReservation(self._books, asked.account, held, cap, warnings, asked.unknown_cost)

    async def _fitted(
        self, asked: _Asked, reservation: Reservation, claims: Sequence[Claim], output: int, now: float
    ) -> tuple[Outcome, int]:
        """Set aside what is wanted, or the longest answer that what is left pays for.

        :raises BudgetExceededError: not even a small one
        """
        for _ in range(_TRIES):
            outcome = await self._ledger.reserve(_resized(reservation, asked.size, output), claims, now)
            if outcome.short is None:
                return outcome, output
            room = asked.size.longest(outcome.standings)
            if room < asked.smallest:
                break
            output = min(output, room)
        smallest = asked.size.amounts(asked.smallest)
        short = next((one for one in outcome.standings if getattr(smallest, one.claim.limit.quantity) > one.rest), outcome.short)
        raise self._short(short or outcome.standings[0], asked, now)

    async def _enlarged(
        self,
        asked: _Asked,
        reservation: Reservation,
        claims: Sequence[Claim],
        outcome: Outcome,
        output: int,
        declared: int,
        now: float,
    ) -> int:
        """An answer in one piece cannot be topped up: set aside more, and tell the upstream to keep to it."""
        room = asked.size.longest(outcome.standings)
        target = whole_answer(output, room, declared, alone=not any(one.held for one in outcome.standings))
        if target <= output:
            return output
        larger = await self._ledger.reserve(_resized(reservation, asked.size, target), claims, now)
        return target if larger.short is None else output

    def _short(self, standing: Standing, asked: _Asked, now: float) -> BudgetExceededError:
        return budget_exceeded(standing, asked.size.amounts(asked.smallest), self.calendar, now)

    def _refuse_more(self, standing: Standing, wanted: Amounts) -> BudgetExceededError:
        return budget_exceeded(standing, wanted, self.calendar, self._clock())

    def _settled(self, standings: Sequence[Standing], account: Account, used: Amounts) -> None:
        """Warn if that reached another share; what a plan's extra usage paid is money from the next call on."""
        for claim, before, _ in standings:
            if account.within(claim):
                self._alarms.see(claim, before + getattr(used, claim.limit.quantity))
        if account.paid_by == "extra":
            self._on_extra_usage.add(account.provider)
        elif account.paid_by == "plan":
            self._on_extra_usage.discard(account.provider)


def _resized(reservation: Reservation, size: Size, output: int) -> Reservation:
    return Reservation(reservation.id, reservation.account, size.amounts(output), reservation.expires_at)
