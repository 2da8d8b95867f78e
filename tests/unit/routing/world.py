"""A small world to route in: providers with models, a classifier that says what it is told, a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import (
    Classification,
    Estimate,
    ModelInfo,
    Payer,
    Payment,
    Price,
    RequestFeatures,
    Tier,
    TurnKind,
)
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.config.upstream import RateLimitFallbackSettings
from openclaw_oauthrouter.routing.choosing import Choosing
from openclaw_oauthrouter.routing.cost import shadow_price
from openclaw_oauthrouter.routing.eligibility import Eligibility
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.routing.tiers import named_tiers

TODAY = date(2026, 11, 22)

SMALL = ModelInfo("alpha", "small", 200_000, 8_000, price=Price(1, 5, 0.1, 1.25))
MIDDLE = ModelInfo("beta", "middle", 400_000, 8_000, price=Price(2, 10, 0.2, 2.0))
LARGE = ModelInfo("alpha", "large", 1_000_000, 8_000, price=Price(3, 15, 0.3, 3.75))
HUGE = ModelInfo("alpha", "huge", 1_000_000, 8_000, price=Price(5, 25, 0.5, 6.25))
TIERS: Mapping[str, Any] = {
    "SIMPLE": {"primary": "alpha/small"},
    "MEDIUM": {"primary": "beta/middle"},
    "COMPLEX": {"primary": "alpha/large"},
    "REASONING": {"primary": "alpha/huge"},
}


@dataclass(frozen=True)
class FakeProvider:
    """What the router needs of a provider.

    :ivar any_model: takes ids that it does not list
    """

    name: str
    listed: Sequence[ModelInfo] = ()
    any_model: bool = False
    needs_credential: bool = True

    def models(self) -> Sequence[ModelInfo]:
        return self.listed

    def model_info(self, model: str) -> ModelInfo | None:
        known = next((info for info in self.listed if info.id == model), None)
        return known or (ModelInfo(self.name, model) if self.any_model else None)


def providers(*others: FakeProvider) -> dict[str, Any]:
    """``alpha`` and ``beta``, and whoever else there is."""
    return {
        provider.name: provider
        for provider in (FakeProvider("alpha", (SMALL, LARGE, HUGE)), FakeProvider("beta", (MIDDLE,)), *others)
    }


@dataclass
class World:
    """A router, and the strings it hangs on.

    :ivar tier: what the classifier says
    :ivar down: provider or ``provider/model`` -> why not
    :ivar tokens: length of every prompt
    :ivar turn: what the classifier takes the turn for
    :ivar features: what it saw
    :ivar payments: who pays, by provider
    :ivar seen: previous tiers and profiles the classifier was told
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    fallback: RateLimitFallbackSettings = field(default_factory=RateLimitFallbackSettings)
    providers: dict[str, Any] = field(default_factory=providers)
    tier: Tier = Tier.SIMPLE
    usable: set[str] = field(default_factory=lambda: {"alpha", "beta"})
    down: dict[str, str] = field(default_factory=dict)
    tokens: int = 1000
    now: float = 1_000_000.0
    turn: TurnKind = "task"
    trouble: float | None = None
    features: dict[str, Any] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    accounts: dict[str, dict[str, Payment]] = field(default_factory=dict)
    seen: list[tuple[Tier | None, str]] = field(default_factory=list)

    def router(self, **parts: Any) -> Router:
        settings = RoutingSettings.model_validate({"tiers": TIERS, **self.settings})
        choosing = Choosing(
            providers=self.providers,
            chains={tier: named.models for tier, named in named_tiers(settings).items()},
            eligibility=Eligibility(self.usable.__contains__, self._blocked, frozenset(settings.exclude), lambda: TODAY),
            prices=Prices(clock=lambda: self.now),
            payers=self._payers,
            explain_missing=lambda: "add a credential",
            clock=lambda: self.now,
        )
        named: dict[str, Any] = {
            "settings": settings,
            "fallback": self.fallback,
            "choosing": choosing,
            "classify": self._classify,
            "conversations": Conversations(lambda: self.now, settings.sticky_seconds),
            "estimate": lambda request, info: Estimate(self.tokens, request.max_output_tokens or 500),
            "expected_output": lambda *_: 4096,
            "revise": lambda request, decision: None,
        }
        return Router(**{**named, **parts})

    def _payers(self, info: ModelInfo, now: float) -> Sequence[Payer]:
        accounts = self.accounts.get(info.provider)
        if accounts is not None:
            return [Payer(name, shadow_price(payment, now)) for name, payment in accounts.items()]
        return [Payer(None, shadow_price(self.payments.get(info.provider, Payment()), now))]

    def _classify(
        self, request: ChatRequest, known: Conversation | None, profile: str, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]:
        self.seen.append((known.tier if known else None, profile))
        features = replace(RequestFeatures("hi", 2, input_tokens=input_tokens), **self.features)
        return features, Classification(self.tier, 0.1, 0.8, "test", "said so", turn=self.turn, trouble=self.trouble)

    def _blocked(self, provider: str, model: str) -> str | None:
        return self.down.get(provider) or self.down.get(f"{provider}/{model}")


def asking(model: str = "auto", *parts: Any, **fields: Any) -> ChatRequest:
    """A request."""
    return ChatRequest("openai_chat_completions", model, (Message("user", parts or (TextPart("hi"),)),), **fields)
