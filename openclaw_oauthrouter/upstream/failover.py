"""Walks a route: another credential, the next candidate, a repetition last of all, until one answers or the tries are used up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config.upstream import RetrySettings
from openclaw_oauthrouter.errors import (
    AllUpstreamsFailed,
    CredentialError,
    GatewayBusyError,
    InvalidRequestError,
    OAuthRouterError,
    PolicyError,
    UpstreamError,
    UpstreamModelError,
)
from openclaw_oauthrouter.interfaces import Credentials, Dialect, Health, Provider, Reservation, SpeaksSeveral, SpendGuard
from openclaw_oauthrouter.upstream import deadline
from openclaw_oauthrouter.upstream.attempt import Answer, Sender, Target
from openclaw_oauthrouter.upstream.booking import CostOf, book_failure
from openclaw_oauthrouter.upstream.deadline import Deadline

_MOST_COMPARED = 20_000
"""Characters of a message that tell requests apart."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempts:
    """What one walk along a route has seen so far.

    :ivar stops: what ended each candidate's turn
    :ivar passed_over: candidates that were not asked because they are left alone for now, with what keeps them
    :ivar waiting: calls that may be made again once their time has come, with how often they were made
    :ivar downgrading: money was short, cheaper models are tried
    :ivar least_window: the prompt did not fit a window of so many tokens
    """

    request: ChatRequest
    candidates: Sequence[Candidate]
    record: RequestRecord
    client: str | None
    deadline: Deadline
    stops: list[tuple[Candidate, OAuthRouterError]] = field(default_factory=list)
    refusals: list[OAuthRouterError] = field(default_factory=list)
    passed_over: list[tuple[Candidate, Credential | None, UpstreamError]] = field(default_factory=list)
    waiting: list[tuple[UpstreamError, Target, int]] = field(default_factory=list)
    last: UpstreamError | None = None
    calls: int = 0
    downgrading: bool = False
    least_window: int = 0

    def failed(self, candidate: Candidate, error: UpstreamError) -> None:
        """Take note of a candidate that was asked and failed."""
        self.stops.append((candidate, error))
        self.last = error

    @property
    def request_key(self) -> int:
        """Tells this request from others by what it says."""
        messages = self.request.messages
        return hash((len(messages), *(repr(message)[:_MOST_COMPARED] for message in (*messages[:1], *messages[-1:]))))


@value(frozen=True, slots=True)
class OpenedAnswer:
    """An answer, with the budget set aside for it."""

    answer: Answer
    reservation: Reservation


@value(frozen=True, slots=True)
class Failover:
    """Finds an upstream that answers.

    :ivar rule_for: the table of failures
    :ivar jitter: a random number in [0, 1)
    :ivar cost_of: US dollars of what a call used that failed; ``None`` when nobody knows
    """

    sender: Sender
    providers: Mapping[str, Provider]
    dialects: Mapping[str, Dialect]
    credentials: Credentials
    health: Health
    spend: SpendGuard
    retry: RetrySettings
    rule_for: Callable[[UpstreamError], FailureRule]
    jitter: Callable[[], float]
    clock: Clock
    cost_of: CostOf

    async def open(
        self, request: ChatRequest, candidates: Sequence[Candidate], record: RequestRecord, client: str | None
    ) -> OpenedAnswer:
        """Try the candidates in order until one has its first content.

        :raises UpstreamError: none answered; the only failure, or ``AllUpstreamsFailed`` of several
        :raises PolicyError: no candidate is allowed
        :raises CredentialError: no candidate has a credential
        :raises GatewayBusyError: too many requests at a time
        """
        attempts = Attempts(request, candidates, record, client, Deadline.after(self.sender.timeouts.total))
        opened = await self._first_that_answers(attempts, candidates)
        if opened is None and not attempts.calls:
            opened = await self._ask_all_the_same(attempts)
        if opened is None:
            opened = await self._ask_again(attempts)
        if opened is None and (cheaper := self._cheaper(attempts, candidates)):
            attempts.downgrading = True
            opened = await self._first_that_answers(attempts, cheaper)
            record.spend_decision = "downgrade"
            record.downgraded_from = candidates[0].info.name
        if opened is None:
            raise self._verdict(attempts)
        return opened

    def broke_off(self, target: Target, error: UpstreamError) -> None:
        """Take note of an answer that failed after its first content, when it was too late to ask anybody else."""
        if error.code != deadline.CODE:
            self.health.failed(target.provider.name, target.candidate.info.id, target.credential_name, error)

    async def _first_that_answers(self, attempts: Attempts, candidates: Sequence[Candidate]) -> OpenedAnswer | None:
        for candidate in candidates:
            if (attempts.least_window or candidate.only_on) and not self._applies(attempts, candidate):
                continue
            provider, conversation = candidate.info.provider, attempts.record.conversation
            try:
                credentials = self.credentials.remembered(provider, conversation) or await self._credentials_of(
                    provider, conversation
                )
            except CredentialError as error:
                attempts.refusals.append(error)
                attempts.stops.append((candidate, error))
            else:
                if candidate.accounts:
                    credentials = by_sum(candidate.accounts, credentials)
                if self.health.troubled:
                    credentials = self._in_order(attempts, candidate, credentials)
                opened = await self._try_credentials(attempts, candidate, credentials)
                if opened is not None:
                    return opened
            if self._is_spent(attempts) or self._is_final(attempts):
                break
        return None

    async def _ask_all_the_same(self, attempts: Attempts) -> OpenedAnswer | None:
        """Everything that fits is left alone: ask the first, whose own answer says more than our guess.

        Unless it asked for that itself: while a provider's time runs it is not asked.
        """
        stopped, attempts.passed_over = attempts.passed_over, []
        for candidate, credential, standing in stopped:
            target = self._target(attempts, candidate, credential)
            wait = self.health.told(target.provider.name, candidate.info.id, target.credential_name)
            attempts.stops = [stop for stop in attempts.stops if stop[1] is not standing]
            if wait is None:
                return await self._try_credentials(attempts, candidate, (credential,))
            attempts.failed(candidate, wait)
            attempts.waiting.append((wait, target, 0))
        return None

    async def _ask_again(self, attempts: Attempts) -> OpenedAnswer | None:
        """Nothing else is left: repeat the call that need not wait for long, after that time and a little more.

        One call for each repetition that is allowed, not one for each candidate: what failed everywhere will hardly work a moment later.
        """
        for number in range(self.retry.attempts - min((made for _, _, made in attempts.waiting), default=0)):
            if self._is_spent(attempts) or not attempts.waiting or attempts.last is None:
                return None
            if not self.rule_for(attempts.last).actions:
                return None
            failure, target, made = min(attempts.waiting, key=lambda call: call[0].retry_after or 0.0)
            if made >= self.retry.attempts or not await self._waited(attempts, failure, number):
                return None
            attempts.waiting.remove((failure, target, made))
            outcome = await self._call(attempts, target)
            if not isinstance(outcome, UpstreamError):
                return outcome
            attempts.last = outcome
            attempts.stops = [(candidate, outcome if error is failure else error) for candidate, error in attempts.stops]
            if "retry" in self.rule_for(outcome).actions:
                attempts.waiting.append((outcome, target, made + 1))
        return None

    def _is_spent(self, attempts: Attempts) -> bool:
        """Whether the request has had its number of calls or its time."""
        return attempts.calls >= self.retry.max_total_attempts or attempts.deadline.passed

    def _cheaper(self, attempts: Attempts, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        last = attempts.refusals[-1] if attempts.refusals and attempts.last is None else None
        return self.spend.cheaper(last, candidates) if isinstance(last, PolicyError) else ()

    def _applies(self, attempts: Attempts, candidate: Candidate) -> bool:
        """Whether a candidate's conditions are met by what has happened so far."""
        if attempts.least_window and (candidate.info.context_window or 0) <= attempts.least_window:
            return False
        if not candidate.only_on or candidate is attempts.candidates[0]:
            return True
        last = attempts.last
        if last is None:
            return bool(attempts.passed_over)
        return last.upstream_status is None or bool({last.upstream_status, last.status_code} & set(candidate.only_on))

    def _is_final(self, attempts: Attempts) -> bool:
        """Whether nobody else need be asked, as when the request itself is at fault, or a budget for all models is used up."""
        refusal = attempts.refusals[-1] if attempts.refusals else None
        if isinstance(refusal, PolicyError) and self.spend.is_final(refusal) and not attempts.downgrading:
            return True
        return attempts.last is not None and not {"next_candidate", "larger_candidate"} & set(
            self.rule_for(attempts.last).actions
        )

    def _verdict(self, attempts: Attempts) -> OAuthRouterError:
        """What the client is told: first what stopped the first candidate, then the rest in order."""
        if attempts.last is None:
            return (attempts.refusals or [error for _, error in attempts.stops])[0]
        if len(attempts.stops) > 1:
            route = list(attempts.candidates)
            stops = sorted(attempts.stops, key=lambda stop: route.index(stop[0]) if stop[0] in route else len(route))
            named = [(candidate.info.provider, error) for candidate, error in stops]
            return AllUpstreamsFailed(named, attempts.last if self._is_final(attempts) else None)
        return attempts.last

    async def _try_credentials(
        self, attempts: Attempts, candidate: Candidate, credentials: Sequence[Credential | None]
    ) -> OpenedAnswer | None:
        failure: UpstreamError | None = None
        for credential in credentials:
            target = self._target(attempts, candidate, credential)
            outcome = await self._call(attempts, target)
            if isinstance(outcome, UpstreamError):
                outcome = await self._call_again(attempts, target, outcome)
            if outcome is None or isinstance(outcome, OpenedAnswer):
                return outcome
            failure = outcome
            if "next_credential" not in self.rule_for(failure).actions or self._is_spent(attempts):
                break
        if failure is not None:
            attempts.failed(candidate, failure)
            if "larger_candidate" in self.rule_for(failure).actions:
                attempts.least_window = max(attempts.least_window, candidate.info.context_window or 0)
        return None

    def _target(self, attempts: Attempts, candidate: Candidate, credential: Credential | None) -> Target:
        info = candidate.info
        provider = self.providers[info.provider]
        # Not isinstance(): looking for the methods of a Protocol takes longer than all the rest of this.
        several: SpeaksSeveral | None = provider if hasattr(provider, "dialect_for") else None  # type: ignore[assignment]
        name = provider.dialect if several is None else several.dialect_for(info, attempts.request)
        return Target(candidate, provider, self.dialects[name], credential)

    def _in_order(
        self, attempts: Attempts, candidate: Candidate, credentials: Sequence[Credential | None]
    ) -> Sequence[Credential | None]:
        """Credentials that nothing speaks against.

        If something speaks against all, a candidate the router chose is passed over. One the user chose (a model by name, a stop of
        ``rateLimitFallback``) is passed over only for what its provider told: a window that is used up, a Retry-After.
        """
        against = self._reasons(candidate, credentials, self.health.blocked)
        good = [credential for credential, reason in zip(credentials, against, strict=True) if reason is None]
        if good or not credentials:
            return good
        if candidate.tier is None:
            told = self._reasons(candidate, credentials, self._told)
            free = [credential for credential, reason in zip(credentials, told, strict=True) if reason is None]
            if free:
                return free[:1]
        name = credentials[0].name if credentials[0] else None
        provider, model = candidate.info.provider, candidate.info.id
        attempts.record.attempts.append(Attempt(provider, model, name, url="", outcome="skipped", reason=against[0]))
        standing = self.health.standing(provider, model, name)
        attempts.passed_over.append((candidate, credentials[0], standing))
        attempts.stops.append((candidate, standing))
        return ()

    def _told(self, provider: str, model: str, credential: str | None) -> str | None:
        told = self.health.told(provider, model, credential)
        return told.message if told else self.health.exhausted(provider, model, credential)

    def _reasons(
        self,
        candidate: Candidate,
        credentials: Sequence[Credential | None],
        why_not: Callable[[str, str, str | None], str | None],
    ) -> list[str | None]:
        return [
            why_not(candidate.info.provider, candidate.info.id, credential.name if credential else None)
            for credential in credentials
        ]

    async def _credentials_of(self, provider: str, conversation: str | None) -> Sequence[Credential | None]:
        found = self.credentials
        if not self.providers[provider].needs_credential and not found.available(provider) and not found.paused(provider):
            return (None,)
        return await found.resolve(provider, conversation)

    async def _call_again(
        self, attempts: Attempts, target: Target, failure: UpstreamError
    ) -> OpenedAnswer | UpstreamError | None:
        """All further calls with one credential; ``None`` when our own rules refuse the candidate."""
        renewed = False
        number = 0
        outcome: OpenedAnswer | UpstreamError | None = failure
        while isinstance(outcome, UpstreamError) and not self._is_spent(attempts):
            actions = self.rule_for(outcome).actions
            fresh = None
            if "renew" in actions and not renewed and target.credential is not None:
                renewed = True
                fresh = await self.credentials.renew(target.credential)
            if fresh is not None:
                # Another credential, so not a repetition.
                target = Target(target.candidate, target.provider, target.dialect, fresh)
            else:
                number += 1
                if not self._repeats_at_once(outcome) or number >= self.retry.attempts:
                    if "retry" in actions and number < self.retry.attempts:
                        attempts.waiting.append((outcome, target, number))
                    return outcome
                if not await self._waited(attempts, outcome, number - 1):
                    return outcome
            outcome = await self._call(attempts, target)
        return outcome

    def _repeats_at_once(self, failure: UpstreamError) -> bool:
        """Whether the same call again comes before anybody else: never while a provider wants to be left alone."""
        actions = self.rule_for(failure).actions
        return bool(actions) and actions[0] == "retry" and failure.retry_after is None

    async def _call(self, attempts: Attempts, target: Target) -> OpenedAnswer | UpstreamError | None:
        info, name = target.candidate.info, target.credential_name
        request, record = attempts.request, attempts.record
        try:
            estimate = self.spend.estimate(request, info)
            reservation = await self.spend.reserve(
                target.candidate,
                estimate,
                attempts.client,
                by_plan=target.by_plan,
                conversation=record.conversation,
                streams=request.stream,
                stated=request.max_output_tokens is not None,
            )
        except PolicyError as error:
            attempts.refusals.append(error)
            record.spend_decision, record.spend_code = "deny", error.code
            return None
        record.spend_decision = "allow"
        record.budget_warnings = reservation.warnings
        attempts.calls += 1
        attempt = Attempt(target.provider.name, info.id, name, url="")
        record.attempts.append(attempt)
        try:
            request = self.spend.cap(request, info, reservation.output_cap)
            answer = await self.sender.call(request, target, attempt, attempts.deadline)
        except (InvalidRequestError, GatewayBusyError) as error:
            # Another dialect may well be able to say it, another provider's connections may be free: a refusal of this candidate only.
            attempt.outcome, attempt.reason = type(error).__name__, error.message
            attempts.refusals.append(error)
            await reservation.release()
            return None
        except UpstreamError as error:
            self._note(attempts, target, error)
            await book_failure(reservation, attempt, error, info, estimate.input_tokens, self.cost_of)
            return error
        except BaseException as error:
            await book_failure(reservation, attempt, error, info, estimate.input_tokens, self.cost_of)
            raise
        self.health.succeeded(target.provider.name, info.id, name)
        return OpenedAnswer(answer, reservation)

    def _note(self, attempts: Attempts, target: Target, error: UpstreamError) -> None:
        if attempts.deadline.passed:
            return  # the last one asked may have had no time left
        provider, model = target.provider.name, target.candidate.info.id
        key = attempts.request_key if self.rule_for(error).scope == "request" else None
        self.health.failed(provider, model, target.credential_name, error, key)
        if isinstance(error, UpstreamModelError):
            _log.warning(
                "%s does not serve the model %r, which the configuration names: %s", provider, model, error.message[:200]
            )

    async def _waited(self, attempts: Attempts, failure: UpstreamError, number: int) -> bool:
        """Wait before the same call again: full jitter, or as long as the provider asks and a little more; not at all if that is too long."""
        backoff = self.jitter() * self.retry.base_seconds * 2**number
        told = failure.retry_after or 0.0
        if told > self.retry.max_wait_seconds or told + backoff >= attempts.deadline.remaining:
            return False
        await asyncio.sleep(told + backoff)
        return True


def by_sum(accounts: Sequence[str], credentials: Sequence[Credential | None]) -> Sequence[Credential | None]:
    """The accounts that routing found, in its order; all where none of them is there any more."""
    held = {one.name: one for one in credentials if one is not None}
    return [held[name] for name in accounts if name in held] or credentials
