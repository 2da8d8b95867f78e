"""What a walk along a route touches, by script: the sender, the credentials, health and the spend guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.config.upstream import RetrySettings, TimeoutSettings
from openclaw_oauthrouter.errors import (
    BudgetExceededError,
    CostBudgetExceededError,
    CredentialNotFound,
    InvalidRequestError,
    PolicyError,
    UpstreamError,
)
from openclaw_oauthrouter.health.failures import FailureTable
from openclaw_oauthrouter.upstream.failover import Failover, OpenedAnswer

REQUEST = ChatRequest("openai_chat_completions", "auto", (Message("user", (TextPart("hi"),)),))
WINDOWS = {"a": 100_000, "b": 100_000, "c": 1_000_000}
ROUTE = tuple(Candidate(ModelInfo(name, "m", window)) for name, window in WINDOWS.items())
OK = "ok"


@dataclass
class Reservation:
    """A reservation, and what became of it.

    :ivar booked: usage and cost of a call that was settled
    """

    given_back: bool = False
    booked: list[tuple[Any, Any]] = field(default_factory=list)
    output_cap: int | None = None
    warnings: tuple[str, ...] = ()
    watched_tokens: int | None = None

    @property
    def closed(self) -> bool:
        return self.given_back or bool(self.booked)

    async def release(self) -> None:
        self.given_back = True

    async def settle(self, usage: Any, cost: Any, *, paid_by: Any = None) -> None:
        self.booked.append((usage, cost))


@dataclass
class World:
    """Everything a walk touches; implements the sender, the credentials, health and the spend guard.

    :ivar script: what each call meets: ``OK`` or an error; the last one again and again
    :ivar accounts: credentials of each provider
    :ivar refused: provider -> what the spend guard says
    :ivar blocked_names: providers or credentials that are out of order
    :ivar told_errors: providers or credentials that asked to be left alone, with what to answer meanwhile
    :ivar renewals: new secrets, handed out when a credential is read anew
    """

    script: Sequence[Any]
    accounts: dict[str, Sequence[str]] = field(default_factory=lambda: {name: ["one"] for name in WINDOWS})
    refused: dict[str, PolicyError] = field(default_factory=dict)
    downgrade: Sequence[Candidate] = ()
    blocked_names: set[str] = field(default_factory=set)
    told_errors: dict[str | None, UpstreamError] = field(default_factory=dict)
    renewals: list[str] = field(default_factory=list)
    retry: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failed_names: list[str] = field(default_factory=list)
    succeeded_names: list[str] = field(default_factory=list)
    reservations: list[Reservation] = field(default_factory=list)
    record: RequestRecord = field(default_factory=lambda: RequestRecord("r", 0.0, "/", "POST"))
    timeouts: TimeoutSettings = field(default_factory=TimeoutSettings)

    async def open(self, *candidates: Candidate) -> OpenedAnswer:
        provider = SimpleNamespace(dialect="d", needs_credential=True, subscription=False)
        failover = Failover(
            sender=self,  # type: ignore[arg-type]
            providers={name: SimpleNamespace(**vars(provider), name=name) for name in WINDOWS},  # type: ignore[misc]
            dialects={"d": SimpleNamespace()},  # type: ignore[dict-item]
            credentials=self,  # type: ignore[arg-type]
            health=self,  # type: ignore[arg-type]
            spend=self,  # type: ignore[arg-type]
            retry=RetrySettings(**{"base_seconds": 0.0, **self.retry}),
            rule_for=FailureTable().rule_for,
            jitter=lambda: 0.0,
            clock=lambda: 0.0,
            cost_of=lambda info, usage: MeasuredCost(usage.input_tokens + usage.output_tokens),
        )
        return await failover.open(REQUEST, candidates or ROUTE, self.record, None)

    # the sender

    async def call(self, request: ChatRequest, target: Any, attempt: Attempt, deadline: Any) -> Any:
        assert target.credential is not None
        self.calls.append(f"{target.provider.name}/{target.credential.secret.reveal()}")
        outcome = self.script[min(len(self.calls), len(self.script)) - 1]
        attempt.sent = not isinstance(outcome, InvalidRequestError)
        if outcome is OK:
            return SimpleNamespace(target=target)
        raise outcome

    # credentials

    def paused(self, provider: str) -> bool:
        return False

    def available(self, provider: str) -> bool:
        return bool(self.accounts.get(provider))

    def remembered(self, provider: str, conversation: str | None = None) -> Sequence[Credential]:
        return ()

    async def resolve(self, provider: str, conversation: str | None = None) -> Sequence[Credential]:
        if not self.available(provider):
            raise CredentialNotFound(f"no credential for {provider}")
        return [Credential(f"{provider}:{name}", provider, "api_key", Secret(name), "test") for name in self.accounts[provider]]

    async def renew(self, credential: Credential) -> Credential | None:
        if not self.renewals:
            return None
        return Credential(credential.name, credential.provider, "api_key", Secret(self.renewals.pop(0)), "test")

    # health

    @property
    def troubled(self) -> bool:
        return True

    def blocked(self, provider: str, model: str, credential: str | None = None) -> str | None:
        return "cooling down" if {provider, credential} & self.blocked_names else None

    def exhausted(self, provider: str, model: str, credential: str | None = None) -> str | None:
        return "cooling down" if {provider, credential} & self.blocked_names else None

    def calling(self, provider: str, model: str, credential: str | None) -> None:
        pass

    def told(self, provider: str, model: str, credential: str | None = None) -> UpstreamError | None:
        return next((self.told_errors[name] for name in (provider, credential) if name in self.told_errors), None)

    def standing(self, provider: str, model: str, credential: str | None = None) -> UpstreamError:
        return self.told(provider, model, credential) or UpstreamError("cooling down", provider=provider)

    def failed(
        self, provider: str, model: str, credential: str | None, error: UpstreamError, request_key: int | None = None
    ) -> None:
        self.failed_names.append(str(credential))

    def succeeded(self, provider: str, model: str, credential: str | None) -> None:
        self.succeeded_names.append(str(credential))

    # the spend guard

    def cap(self, request: ChatRequest, info: ModelInfo, most: int | None = None) -> ChatRequest:
        return request

    def estimate(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        return Estimate(100, 1)

    async def reserve(self, candidate: Candidate, estimate: Estimate, client: str | None, **_: Any) -> Any:
        if candidate.info.provider in self.refused:
            raise self.refused[candidate.info.provider]
        self.reservations.append(Reservation())
        return self.reservations[-1]

    def is_final(self, refusal: PolicyError) -> bool:
        return isinstance(refusal, BudgetExceededError) and refusal.general

    def cheaper(self, refusal: PolicyError, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        return self.downgrade if isinstance(refusal, CostBudgetExceededError) else ()
