"""Walks a route: the same hop again, another credential, the next hop, until one answers or the budget of tries is used up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.config.upstream import RetrySettings
from openclaw_oauthrouter.errors import (
    AllUpstreamsFailed,
    CredentialError,
    InvalidRequestError,
    OAuthRouterError,
    PolicyError,
    UpstreamError,
)
from openclaw_oauthrouter.interfaces import Credentials, Dialect, Health, Provider, Reservation, SpendGuard
from openclaw_oauthrouter.upstream import deadline
from openclaw_oauthrouter.upstream.attempt import Answer, Sender, Target
from openclaw_oauthrouter.upstream.deadline import Deadline


@dataclass(slots=True)
class _Attempts:
    """What one walk has seen so far."""

    request: ChatRequest
    candidates: Sequence[Candidate]
    record: RequestRecord
    client: str | None
    deadline: Deadline
    failures: list[UpstreamError] = field(default_factory=list)
    refusals: list[OAuthRouterError] = field(default_factory=list)
    skipped: bool = False
    calls: int = 0
    least_window: int = 0

    def is_last(self, candidate: Candidate) -> bool:
        """Whether nothing but this hop is left, and nobody has been asked yet."""
        return not self.calls and candidate is self.candidates[-1]


@dataclass(frozen=True, slots=True)
class OpenedAnswer:
    """An answer, with the budget set aside for it."""

    answer: Answer
    reservation: Reservation


@dataclass(frozen=True, slots=True)
class Failover:
    """Finds an upstream that answers.

    :ivar rule_for: the table of failures
    :ivar jitter: a random number in [0, 1)
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

    async def open(
        self, request: ChatRequest, candidates: Sequence[Candidate], record: RequestRecord, client: str | None
    ) -> OpenedAnswer:
        """Try the hops in order until one has its first content.

        :raises UpstreamError: none answered; the last failure, or ``AllUpstreamsFailed`` of several
        :raises PolicyError: no hop is allowed
        :raises CredentialError: no hop has a credential
        """
        attempts = _Attempts(request, candidates, record, client, Deadline.after(self.sender.timeouts.total))
        opened = await self._first_that_answers(attempts, candidates)
        if opened is None and (cheaper := self._cheaper(attempts, candidates)):
            record.spend_decision = "downgrade"
            opened = await self._first_that_answers(attempts, cheaper)
        if opened is None:
            raise self._verdict(attempts)
        return opened

    def broke_off(self, target: Target, error: UpstreamError) -> None:
        """Take note of an answer that failed after its first content, when it was too late to ask anybody else."""
        if error.code != deadline.CODE:
            self.health.failed(target.provider.name, target.candidate.info.id, target.credential_name, error)

    async def _first_that_answers(self, attempts: _Attempts, candidates: Sequence[Candidate]) -> OpenedAnswer | None:
        for candidate in candidates:
            if not self._leads_here(attempts, candidate):
                continue
            opened = await self._try_candidate(attempts, candidate)
            if opened is not None:
                return opened
            if self._is_spent(attempts) or self._is_final(attempts):
                break
        return None

    def _is_spent(self, attempts: _Attempts) -> bool:
        """Whether the request has had its number of calls or its time."""
        return attempts.calls >= self.retry.max_total_attempts or attempts.deadline.passed

    def _cheaper(self, attempts: _Attempts, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        last = attempts.refusals[-1] if attempts.refusals and not attempts.failures else None
        return self.spend.cheaper(last, candidates) if isinstance(last, PolicyError) else ()

    def _leads_here(self, attempts: _Attempts, candidate: Candidate) -> bool:
        if attempts.least_window and (candidate.info.context_window or 0) <= attempts.least_window:
            return False
        if not candidate.only_on or candidate is attempts.candidates[0]:
            return True
        if not attempts.failures:
            return attempts.skipped
        last = attempts.failures[-1]
        return last.upstream_status in candidate.only_on or last.upstream_status is None

    def _is_final(self, attempts: _Attempts) -> bool:
        if not attempts.failures:
            return False
        actions = self.rule_for(attempts.failures[-1]).actions
        return not actions or not ({"next_hop", "larger_hop"} & set(actions))

    def _verdict(self, attempts: _Attempts) -> OAuthRouterError:
        if len(attempts.failures) > 1:
            return AllUpstreamsFailed(tuple(attempts.failures))
        if attempts.failures:
            return attempts.failures[0]
        return attempts.refusals[0]

    async def _try_candidate(self, attempts: _Attempts, candidate: Candidate) -> OpenedAnswer | None:
        provider = self.providers[candidate.info.provider]
        try:
            credentials = await self._credentials_for(attempts, provider)
        except CredentialError as error:
            attempts.refusals.append(error)
            return None
        failure: UpstreamError | None = None
        for credential in self._in_order(attempts, candidate, credentials):
            target = Target(candidate, provider, self.dialects[provider.dialect], credential)
            outcome = await self._credential(attempts, target)
            if outcome is None or isinstance(outcome, OpenedAnswer):
                return outcome
            failure = outcome
            if "next_credential" not in self.rule_for(failure).actions or self._is_spent(attempts):
                break
        if failure is not None:
            attempts.failures.append(failure)
            if "larger_hop" in self.rule_for(failure).actions:
                attempts.least_window = max(attempts.least_window, candidate.info.context_window or 0)
        return None

    def _in_order(
        self, attempts: _Attempts, candidate: Candidate, credentials: Sequence[Credential | None]
    ) -> Sequence[Credential | None]:
        """Credentials that nothing speaks against.

        If something speaks against all, a hop the router chose is passed over. One the user chose (a model by name, a stop of
        ``rateLimitFallback``) is passed over only for a window that its provider told is used up, and the last of a route never:
        the provider's own answer says more than our guess.
        """
        against = self._reasons(candidate, credentials, self.health.blocked)
        good = [credential for credential, reason in zip(credentials, against, strict=True) if reason is None]
        if good or not credentials:
            return good
        if candidate.tier is None:
            against = self._reasons(candidate, credentials, self.health.exhausted)
        if attempts.is_last(candidate) or None in against:
            return credentials[:1]
        name = credentials[0].name if credentials[0] else None
        attempts.record.attempts.append(
            Attempt(candidate.info.provider, candidate.info.id, name, url="", outcome="skipped", reason=against[0])
        )
        attempts.skipped = True
        return ()

    def _reasons(
        self,
        candidate: Candidate,
        credentials: Sequence[Credential | None],
        request_classifier: Callable[[str, str, str | None], str | None],
    ) -> list[str | None]:
        return [
            request_classifier(candidate.info.provider, candidate.info.id, credential.name if credential else None)
            for credential in credentials
        ]

    async def _credentials_for(self, attempts: _Attempts, provider: Provider) -> Sequence[Credential | None]:
        if not provider.needs_credential and not self.credentials.available(provider.name):
            return (None,)
        return await self.credentials.resolve(provider.name, attempts.record.conversation)

    async def _credential(self, attempts: _Attempts, target: Target) -> OpenedAnswer | UpstreamError | None:
        """All calls with one credential; ``None`` when our own rules refuse the hop."""
        renewed = False
        number = 0
        while True:
            outcome = await self._call(attempts, target)
            if not isinstance(outcome, UpstreamError) or self._is_spent(attempts):
                return outcome
            actions = self.rule_for(outcome).actions
            if "renew" in actions and not renewed and target.credential is not None:
                renewed = True
                fresh = await self.credentials.renew(target.credential)
                if fresh is not None:
                    # Another credential, so not a repetition.
                    target = Target(target.candidate, target.provider, target.dialect, fresh)
                    continue
            number += 1
            if "retry" not in actions or number >= self.retry.attempts or not await self._waited(attempts, outcome, number - 1):
                return outcome

    async def _call(self, attempts: _Attempts, target: Target) -> OpenedAnswer | UpstreamError | None:
        info, name = target.candidate.info, target.credential_name
        try:
            estimate = self.spend.estimate(attempts.request, info)
            reservation = await self.spend.reserve(target.candidate, estimate, attempts.client, by_plan=target.by_plan)
        except PolicyError as error:
            attempts.refusals.append(error)
            attempts.record.spend_decision, attempts.record.spend_code = "deny", error.code
            return None
        attempts.record.spend_decision = "allow"
        attempts.calls += 1
        attempt = Attempt(target.provider.name, info.id, name, url="")
        attempts.record.attempts.append(attempt)
        try:
            answer = await self.sender.call(self.spend.cap(attempts.request, info), target, attempt, attempts.deadline)
        except InvalidRequestError as error:
            # Another dialect may well be able to say it: a refusal of this hop only.
            attempt.outcome, attempt.reason = type(error).__name__, error.message
            attempts.refusals.append(error)
            await reservation.release()
            return None
        except UpstreamError as error:
            if not attempts.deadline.passed:  # the last one asked may have had no time left
                self.health.failed(target.provider.name, info.id, name, error)
            await reservation.release()
            return error
        except BaseException:
            await reservation.release()
            raise
        self.health.succeeded(target.provider.name, info.id, name)
        return OpenedAnswer(answer, reservation)

    async def _waited(self, attempts: _Attempts, failure: UpstreamError, number: int) -> bool:
        """Wait before the same call again: full jitter, or as long as the provider asks; not at all if that is too long."""
        seconds = failure.retry_after
        if seconds is None:
            seconds = self.jitter() * self.retry.base_seconds * 2**number
        elif seconds > self.retry.max_wait_seconds:
            return False
        if seconds >= attempts.deadline.remaining:
            return False
        await asyncio.sleep(seconds)
        return True
