"""Settings and plugins become a running whole; the only module that sees every room."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import httpx
import pluggy

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Estimate, ModelCard
from openclaw_oauthrouter.classifier.judge import RequestJudge
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.routing import Profile
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError
from openclaw_oauthrouter.health.book import HealthBook
from openclaw_oauthrouter.health.failures import FailureTable
from openclaw_oauthrouter.health.health_file import HealthFile
from openclaw_oauthrouter.health.shared import SharedHealth
from openclaw_oauthrouter.interfaces import Classifier, Dialect, Provider, TraceSink
from openclaw_oauthrouter.pipeline import Pipeline
from openclaw_oauthrouter.policy.ledger import open_ledger
from openclaw_oauthrouter.policy.spend import Spend
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator
from openclaw_oauthrouter.policy.tool_preamble import with_tool_preamble
from openclaw_oauthrouter.routing.catalog import build_catalog
from openclaw_oauthrouter.routing.conversations import Conversations
from openclaw_oauthrouter.routing.model_ids import PROFILES
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.servable import Servable
from openclaw_oauthrouter.routing.tiers import build_chains
from openclaw_oauthrouter.upstream.attempt import Sender
from openclaw_oauthrouter.upstream.failover import Failover
from openclaw_oauthrouter.upstream.origins import Origins
from openclaw_oauthrouter.upstream.transport import create_transport

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that serves requests under one configuration."""

    settings: Settings
    plugins: pluggy.PluginManager
    pipeline: Pipeline
    credentials: CredentialChain
    health: HealthBook
    spend: Spend
    sinks: Sequence[TraceSink]
    judge: RequestJudge
    transport: httpx.AsyncBaseTransport
    health_file: HealthFile
    shared_health: SharedHealth | None

    @property
    def providers(self) -> Sequence[Provider]:
        """The configured upstreams."""
        return list(self.pipeline.upstream.providers.values())

    def usable_providers(self) -> list[str]:
        """Names of those a request could be sent to right now."""
        router = self.pipeline.router
        return [provider.name for provider in self.providers if router.servable.usable(provider.name)]

    def what_is_missing(self) -> str:
        """What to do so that a request can be served, in words."""
        return self.pipeline.router.explain_missing()

    def uses_anthropic_oauth(self) -> bool:
        """Whether requests may go out with an Anthropic OAuth token."""
        for source in self.credentials.sources:
            with suppress(CredentialError):
                found = source.find("anthropic")
                if found:
                    return "sk-ant-oat" in found[0].secret.reveal()
        return False

    def begin(self) -> Sequence[asyncio.Task[Any]]:
        """Start what runs beside the requests; call it within the event loop, and cancel the tasks at the end."""
        self.health_file.load()
        return [asyncio.create_task(self.shared_health.sync(), name="shared health")] if self.shared_health else []

    async def aclose(self) -> None:
        """Close connections and files."""
        await self.transport.aclose()
        self.health_file.save()
        if self.shared_health:
            await self.shared_health.close()
        await self.spend.close()


def assemble(settings: Settings, plugins: pluggy.PluginManager, transport: httpx.AsyncBaseTransport | None = None) -> Runtime:
    """Put the rooms together.

    :param transport: replaces the real one, for tests
    :raises ConfigurationError: what a plugin or setting asks for does not exist
    """
    hook = plugins.hook
    providers = build_providers(settings, plugins)
    credentials = build_credentials(settings, plugins)
    failures = FailureTable(_flat(hook.oauthrouter_failure_rules(settings=settings)))
    health = HealthBook(time.time, rule_for=failures.rule_for)
    prices = build_prices(plugins)
    paid_by_plan = {name for name, provider in providers.items() if provider.subscription}
    spend = Spend(
        settings.spend_controls,
        open_ledger(settings, new_id),
        price=lambda card: None if card.provider in paid_by_plan else prices.price(card),
        clock=time.time,
        new_id=new_id,
        clients=settings.server.client_keys,
        extra_budgets=_flat(hook.oauthrouter_register_budgets(settings=settings)),
    )
    judge = build_judge(settings, plugins)
    router = _router(settings, plugins, providers, credentials, judge, prices, spend.estimate, health.blocked)
    transport = transport or create_transport(settings.upstream)
    sinks = cast("list[TraceSink]", _flat(hook.oauthrouter_register_trace_sinks(settings=settings)))
    dialects = build_dialects(settings, plugins)
    upstream = Failover(
        sender=Sender(transport, settings.upstream.timeouts, health, Origins(), time.time),
        providers=providers,
        dialects=dialects,
        credentials=credentials,
        health=health,
        spend=spend,
        retry=settings.upstream.retry,
        rule_for=failures.rule_for,
        jitter=random.SystemRandom().random,
        clock=time.time,
    )
    preamble = with_tool_preamble if settings.tool_preamble else _unchanged
    pipeline = Pipeline(dialects, router, upstream, preamble, time.time)
    return Runtime(
        settings=settings,
        plugins=plugins,
        pipeline=pipeline,
        credentials=credentials,
        health=health,
        spend=spend,
        sinks=sinks,
        judge=judge,
        transport=transport,
        health_file=HealthFile(settings.home / "health.json", health),
        shared_health=SharedHealth.connect(health, settings.state_url) if settings.state_url else None,
    )


def usable_now(settings: Settings, plugins: pluggy.PluginManager) -> list[str]:
    """Names of the providers that have a credential, found out without opening anything."""
    chain = build_credentials(settings, plugins)
    providers = build_providers(settings, plugins)
    return [name for name, provider in providers.items() if chain.available(name) or not provider.needs_credential]


def build_router(settings: Settings, plugins: pluggy.PluginManager, *, assume_credentials: bool = False) -> Router:
    """A router that starts nothing, for explanations and replays: no health, no ledger, no connections.

    :param assume_credentials: route as if every provider had one
    """
    providers = build_providers(settings, plugins)
    estimator = TokenEstimator(exact_near=None)
    return _router(
        settings,
        plugins,
        providers,
        build_credentials(settings, plugins),
        build_judge(settings, plugins),
        build_prices(plugins),
        estimator.estimate,
        _never_blocked,
        assume_credentials=assume_credentials,
    )


def build_credentials(settings: Settings, plugins: pluggy.PluginManager) -> CredentialChain:
    """All credential sources in the configured order."""
    sources = _flat(plugins.hook.oauthrouter_register_credential_sources(settings=settings))
    return CredentialChain(sources, settings.credentials, time.time, settings.providers)


def build_dialects(settings: Settings, plugins: pluggy.PluginManager) -> dict[str, Dialect]:
    """Dialects by name; a third party's replaces a built-in one of the same name."""
    return _by_name(plugins.hook.oauthrouter_register_dialects(settings=settings))


def build_providers(settings: Settings, plugins: pluggy.PluginManager) -> dict[str, Provider]:
    """Providers by name, each with its cards."""
    registered = _flat(reversed(plugins.hook.oauthrouter_register_model_cards(settings=settings)))
    cards = list(build_catalog(settings.providers, registered).values())
    return _by_name(plugins.hook.oauthrouter_register_providers(settings=settings, cards=cards))


def build_prices(plugins: pluggy.PluginManager) -> Prices:
    """The price list."""
    return Prices(lambda card: plugins.hook.oauthrouter_price_model(card=card))


def build_judge(settings: Settings, plugins: pluggy.PluginManager) -> RequestJudge:
    """The classifier ``routing.classifier`` names, behind third parties' hooks.

    :raises ConfigurationError: there is none of that name; names those there are
    """
    hook = plugins.hook
    dimensions = list(_by_name(hook.oauthrouter_register_dimensions(settings=settings)).values())
    known: dict[str, Classifier] = _by_name(hook.oauthrouter_register_classifiers(settings=settings, dimensions=dimensions))
    wanted = settings.routing.classifier
    if wanted not in known:
        raise ConfigurationError(f"routing.classifier {wanted!r} does not exist; there are {', '.join(sorted(known))}")
    asks = hook.oauthrouter_classify if hook.oauthrouter_classify.get_hookimpls() else None
    return RequestJudge(
        envelopes=_flat(hook.oauthrouter_register_envelopes(settings=settings)),
        classifiers=_by_profile(known[wanted], settings.routing.profile),
        ask_plugins=(lambda features: asks(features=features)) if asks else None,
        budget_seconds=settings.routing.classifier_budget_ms / 1000,
        clock=time.perf_counter,
    )


def what_is_missing(credentials: CredentialChain, providers: Mapping[str, Provider]) -> str:
    """What to do when no provider has a credential."""
    lines = [f"{name}: {credentials.explain(name)}" for name, provider in providers.items() if provider.needs_credential]
    return "no provider can be used yet. " + " | ".join(lines)


def new_id() -> str:
    """A request id as the original made them: 24 hexadecimal digits."""
    return secrets.token_hex(12)


def new_token() -> Secret:
    """A local token: 32 random bytes."""
    return Secret(secrets.token_urlsafe(32))


def _router(
    settings: Settings,
    plugins: pluggy.PluginManager,
    providers: Mapping[str, Provider],
    credentials: CredentialChain,
    judge: RequestJudge,
    prices: Prices,
    estimate: Callable[[ChatRequest, ModelCard], Estimate],
    blocked: Callable[[str, str], str | None],
    *,
    assume_credentials: bool = False,
) -> Router:
    routing = settings.routing
    return Router(
        settings=routing,
        fallback=settings.rate_limit_fallback,
        providers=providers,
        chains=build_chains(routing, plugins.hook.oauthrouter_register_tiers(settings=settings)),
        judge=judge,
        servable=Servable(
            usable=lambda name: assume_credentials or not providers[name].needs_credential or credentials.available(name),
            blocked=blocked,
            excluded=frozenset(routing.exclude),
            # The original's tiers name models that are gone by now; whoever asks for them gets them.
            today=None if routing.classifier == "rules-v1" else lambda: datetime.now(UTC).date(),
        ),
        prices=prices,
        conversations=Conversations(time.time, routing.sticky_seconds),
        estimate=estimate,
        explain_missing=lambda: what_is_missing(credentials, providers),
        revise=plugins.hook.oauthrouter_select_route,
    )


def _by_profile(classifier: Classifier, configured: Profile) -> dict[Profile, Classifier]:
    # A classifier without profiles of its own serves them all; the configured one may have cut points of the user's.
    for_profile = getattr(classifier, "for_profile", None)
    return {name: for_profile(name) if for_profile and name != configured else classifier for name in PROFILES}


def _never_blocked(_provider: str, _model: str) -> str | None:
    return None


def _unchanged(request: ChatRequest) -> ChatRequest:
    return request


def _flat(answers: Iterable[Iterable[_T]]) -> list[_T]:
    return [item for answer in answers for item in answer]


def _by_name(answers: Iterable[Iterable[Any]]) -> dict[str, Any]:
    # The last registered plugin answers first; going backwards lets it have the last word.
    return {item.name: item for answer in reversed(list(answers)) for item in answer}
