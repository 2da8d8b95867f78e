"""Walks a route: the same hop again, another credential, the next hop, until one answers or the budget of tries is used up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Hop
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
class _Walk:
    """What one walk has seen so far."""

    request: ChatRequest
    hops: Sequence[Hop]
    record: RequestRecord
    client: str | None
    deadline: Deadline
    failures: list[UpstreamError] = field(default_factory=list)
    refusals: list[OAuthRouterError] = field(default_factory=list)
    skipped: bool = False
    calls: int = 0
    least_window: int = 0

    def is_last(self, hop: Hop) -> bool:
        """Whether nothing but this hop is left, and nobody has been asked yet."""
        return not self.calls and hop is self.hops[-1]


@dataclass(frozen=True, slots=True)
class Spoken:
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

    async def open(self, request: ChatRequest, hops: Sequence[Hop], record: RequestRecord, client: str | None) -> Spoken:
        """Try the hops in order until one has its first content.

        :raises UpstreamError: none answered; the last failure, or ``AllUpstreamsFailed`` of several
        :raises PolicyError: no hop is allowed
        :raises CredentialError: no hop has a credential
        """
        walk = _Walk(request, hops, record, client, Deadline.after(self.sender.timeouts.total))
        spoken = await self._first_that_answers(walk, hops)
        if spoken is None and (cheaper := self._cheaper(walk, hops)):
            record.spend_decision = "downgrade"
            spoken = await self._first_that_answers(walk, cheaper)
        if spoken is None:
            raise self._verdict(walk)
        return spoken

    def broke_off(self, target: Target, error: UpstreamError) -> None:
        """Take note of an answer that failed after its first content, when it was too late to ask anybody else."""
        if error.code != deadline.CODE:
            self.health.failed(target.provider.name, target.hop.card.id, target.credential_name, error)

    async def _first_that_answers(self, walk: _Walk, hops: Sequence[Hop]) -> Spoken | None:
        for hop in hops:
            if not self._leads_here(walk, hop):
                continue
            spoken = await self._hop(walk, hop)
            if spoken is not None:
                return spoken
            if self._is_spent(walk) or self._is_final(walk):
                break
        return None

    def _is_spent(self, walk: _Walk) -> bool:
        """Whether the request has had its number of calls or its time."""
        return walk.calls >= self.retry.max_total_attempts or walk.deadline.passed

    def _cheaper(self, walk: _Walk, hops: Sequence[Hop]) -> Sequence[Hop]:
        last = walk.refusals[-1] if walk.refusals and not walk.failures else None
        return self.spend.cheaper(last, hops) if isinstance(last, PolicyError) else ()

    def _leads_here(self, walk: _Walk, hop: Hop) -> bool:
        if walk.least_window and (hop.card.context_window or 0) <= walk.least_window:
            return False
        if not hop.only_on or hop is walk.hops[0]:
            return True
        if not walk.failures:
            return walk.skipped
        last = walk.failures[-1]
        return last.upstream_status in hop.only_on or last.upstream_status is None

    def _is_final(self, walk: _Walk) -> bool:
        if not walk.failures:
            return False
        actions = self.rule_for(walk.failures[-1]).actions
        return not actions or not ({"next_hop", "larger_hop"} & set(actions))

    def _verdict(self, walk: _Walk) -> OAuthRouterError:
        if len(walk.failures) > 1:
            return AllUpstreamsFailed(tuple(walk.failures))
        if walk.failures:
            return walk.failures[0]
        return walk.refusals[0]

    async def _hop(self, walk: _Walk, hop: Hop) -> Spoken | None:
        provider = self.providers[hop.card.provider]
        try:
            credentials = await self._credentials_for(walk, provider)
        except CredentialError as error:
            walk.refusals.append(error)
            return None
        failure: UpstreamError | None = None
        for credential in self._in_order(walk, hop, credentials):
            target = Target(hop, provider, self.dialects[provider.dialect], credential)
            outcome = await self._credential(walk, target)
            if outcome is None or isinstance(outcome, Spoken):
                return outcome
            failure = outcome
            if "next_credential" not in self.rule_for(failure).actions or self._is_spent(walk):
                break
        if failure is not None:
            walk.failures.append(failure)
            if "larger_hop" in self.rule_for(failure).actions:
                walk.least_window = max(walk.least_window, hop.card.context_window or 0)
        return None

    def _in_order(self, walk: _Walk, hop: Hop, credentials: Sequence[Credential | None]) -> Sequence[Credential | None]:
        """Credentials that nothing speaks against.

        If something speaks against all, a hop the router chose is passed over. One the user chose (a model by name, a stop of
        ``rateLimitFallback``) is passed over only for a window that its provider told is used up, and the last of a route never:
        the provider's own answer says more than our guess.
        """
        against = self._reasons(hop, credentials, self.health.blocked)
        good = [credential for credential, reason in zip(credentials, against, strict=True) if reason is None]
        if good or not credentials:
            return good
        if hop.tier is None:
            against = self._reasons(hop, credentials, self.health.exhausted)
        if walk.is_last(hop) or None in against:
            return credentials[:1]
        name = credentials[0].name if credentials[0] else None
        walk.record.attempts.append(Attempt(hop.card.provider, hop.card.id, name, url="", outcome="skipped", reason=against[0]))
        walk.skipped = True
        return ()

    def _reasons(
        self, hop: Hop, credentials: Sequence[Credential | None], judge: Callable[[str, str, str | None], str | None]
    ) -> list[str | None]:
        return [judge(hop.card.provider, hop.card.id, credential.name if credential else None) for credential in credentials]

    async def _credentials_for(self, walk: _Walk, provider: Provider) -> Sequence[Credential | None]:
        if not provider.needs_credential and not self.credentials.available(provider.name):
            return (None,)
        return await self.credentials.resolve(provider.name, walk.record.conversation)

    async def _credential(self, walk: _Walk, target: Target) -> Spoken | UpstreamError | None:
        """All calls with one credential; ``None`` when our own rules refuse the hop."""
        renewed = False
        number = 0
        while True:
            outcome = await self._call(walk, target)
            if not isinstance(outcome, UpstreamError) or self._is_spent(walk):
                return outcome
            actions = self.rule_for(outcome).actions
            if "renew" in actions and not renewed and target.credential is not None:
                renewed = True
                fresh = await self.credentials.renew(target.credential)
                if fresh is not None:
                    # Another credential, so not a repetition.
                    target = Target(target.hop, target.provider, target.dialect, fresh)
                    continue
            number += 1
            if "retry" not in actions or number >= self.retry.attempts or not await self._waited(walk, outcome, number - 1):
                return outcome

    async def _call(self, walk: _Walk, target: Target) -> Spoken | UpstreamError | None:
        card, name = target.hop.card, target.credential_name
        try:
            estimate = self.spend.estimate(walk.request, card)
            reservation = await self.spend.reserve(target.hop, estimate, walk.client, by_plan=target.by_plan)
        except PolicyError as error:
            walk.refusals.append(error)
            walk.record.spend_decision, walk.record.spend_code = "deny", error.code
            return None
        walk.record.spend_decision = "allow"
        walk.calls += 1
        attempt = Attempt(target.provider.name, card.id, name, url="")
        walk.record.attempts.append(attempt)
        try:
            answer = await self.sender.call(self.spend.cap(walk.request, card), target, attempt, walk.deadline)
        except InvalidRequestError as error:
            # Another dialect may well be able to say it: a refusal of this hop only.
            attempt.outcome, attempt.reason = type(error).__name__, error.message
            walk.refusals.append(error)
            await reservation.release()
            return None
        except UpstreamError as error:
            if not walk.deadline.passed:  # the last one asked may have had no time left
                self.health.failed(target.provider.name, card.id, name, error)
            await reservation.release()
            return error
        except BaseException:
            await reservation.release()
            raise
        self.health.succeeded(target.provider.name, card.id, name)
        return Spoken(answer, reservation)

    async def _waited(self, walk: _Walk, failure: UpstreamError, number: int) -> bool:
        """Wait before the same call again: full jitter, or as long as the provider asks; not at all if that is too long."""
        seconds = failure.retry_after
        if seconds is None:
            seconds = self.jitter() * self.retry.base_seconds * 2**number
        elif seconds > self.retry.max_wait_seconds:
            return False
        if seconds >= walk.deadline.remaining:
            return False
        await asyncio.sleep(seconds)
        return True
