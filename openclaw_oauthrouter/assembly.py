"""Settings and plugins become a running whole; the only module that sees every room."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pluggy

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.catalog.references import Problem, check_references
from openclaw_oauthrouter.classifier.request_classifier import RequestClassifier
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError, OAuthRouterError
from openclaw_oauthrouter.health.failures import FailureTable
from openclaw_oauthrouter.health.health_file import HealthFile
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.interfaces import Provider, TraceSink
from openclaw_oauthrouter.kept import KeptAnswers
from openclaw_oauthrouter.parts import (
    build_credentials,
    build_dialects,
    build_prices,
    build_providers,
    build_request_classifier,
    connect_router,
    flat,
)
from openclaw_oauthrouter.pipeline import Pipeline
from openclaw_oauthrouter.policy.calendar import zone_of
from openclaw_oauthrouter.policy.expectations import Expectations
from openclaw_oauthrouter.policy.ledger import open_ledger
from openclaw_oauthrouter.policy.price_file import PRICE_FILE, PublishedTables
from openclaw_oauthrouter.policy.spend import Spend
from openclaw_oauthrouter.policy.tool_preamble import with_tool_preamble
from openclaw_oauthrouter.routing.eligibility import Requirements
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.shared_state.conversations import SharedConversations
from openclaw_oauthrouter.shared_state.health import SharedHealth
from openclaw_oauthrouter.upstream.attempt import Sender
from openclaw_oauthrouter.upstream.debug_log import with_debug_log
from openclaw_oauthrouter.upstream.failover import Failover
from openclaw_oauthrouter.upstream.origins import Origins
from openclaw_oauthrouter.upstream.transport import create_transport

PRICES_AFTER_SECONDS = 0.5
"""When the published prices are read, unless a request needs them before."""

HOLD_MARGIN_SECONDS = 60.0
"""A call may run for ``upstream.timeouts.total``; budget set aside for longer than that belongs to nobody any more."""


def steady_seconds() -> float:
    """Seconds of a clock that nobody sets, which goes on while the machine sleeps where the system has such a one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True, slots=True)
class PersistentState:
    """What outlives a change of the configuration: all that was learnt while serving."""

    health: HealthRegistry
    health_file: HealthFile
    shared_health: SharedHealth | None
    conversations: Conversations | SharedConversations
    kept: KeptAnswers
    origins: Origins
    failures: FailureTable
    sinks: Sequence[TraceSink]
    published: PublishedTables
    expectations: Expectations = field(default_factory=Expectations)
    instance: str = field(default_factory=lambda: new_id())
    transports: list[Any] = field(default_factory=list)

    def upstream_in_use(self) -> dict[str, int]:
        """How many requests are under way to each host, by the transport in force."""
        in_use = getattr(self.transports[-1], "in_use", None) if self.transports else None
        found: dict[str, int] = in_use() if in_use is not None else {}
        return found

    def begin(self) -> Sequence[asyncio.Task[Any]]:
        """Start what runs beside the requests; call it within the event loop, and cancel the tasks at the end."""
        self.health_file.load()
        prices = asyncio.create_task(self._read_prices(), name="published prices")
        return [prices, *([asyncio.create_task(self.shared_health.sync(), name="shared health")] if self.shared_health else [])]

    async def _read_prices(self) -> None:
        """Reading them takes a moment, which neither the start nor a request should wait for."""
        await asyncio.sleep(PRICES_AFTER_SECONDS)
        await asyncio.to_thread(self.published.snapshot)

    async def aclose(self) -> None:
        """Write down what is worth keeping."""
        self.health_file.save()
        if self.shared_health:
            await self.shared_health.close()
        if isinstance(self.conversations, SharedConversations):
            await self.conversations.close()
        await self.kept.aclose()


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that serves requests under one configuration."""

    settings: Settings
    plugins: pluggy.PluginManager
    pipeline: Pipeline
    credentials: CredentialChain
    spend: Spend
    request_classifier: RequestClassifier
    transport: httpx.AsyncBaseTransport
    persistent: PersistentState

    @property
    def health(self) -> HealthRegistry:
        """What is known to be out of order."""
        return self.persistent.health

    @property
    def providers(self) -> Sequence[Provider]:
        """The configured upstreams."""
        return list(self.pipeline.upstream.providers.values())

    def usable_providers(self) -> list[str]:
        """Names of those a request could be sent to right now."""
        router = self.pipeline.router
        return [provider.name for provider in self.providers if router.eligibility.usable(provider.name)]

    def what_is_missing(self) -> str:
        """What to do so that a request can be served, in words."""
        return self.pipeline.router.explain_missing()

    def why_not_ready(self) -> str | None:
        """Why ``auto`` cannot answer, in words; ``None`` when it can."""
        try:
            self.pipeline.router.choosing.find(Tier.SIMPLE, Requirements())
        except OAuthRouterError as error:
            return error.message
        return None

    def references(self) -> list[Problem]:
        """Names in the settings that lead nowhere."""
        return check_references(self.settings, self.pipeline.upstream.providers)

    def uses_anthropic_oauth(self) -> bool:
        """Whether requests may go out with an Anthropic OAuth token."""
        for source in self.credentials.sources:
            with suppress(CredentialError):
                found = source.find("anthropic")
                if found:
                    return "sk-ant-oat" in found[0].secret.reveal()
        return False

    async def aclose(self) -> None:
        """Close connections and files."""
        await self.transport.aclose()
        await self.spend.close()


def create_persistent_state(settings: Settings, plugins: pluggy.PluginManager) -> PersistentState:
    """Make what outlives changes of the configuration."""
    failures = FailureTable(flat(plugins.hook.oauthrouter_failure_rules(settings=settings)))
    health = HealthRegistry(time.time, rule_for=failures.rule_for, steady=steady_seconds)
    own = Conversations(time.time, settings.routing.sticky_seconds)
    url = settings.state_url
    return PersistentState(
        health=health,
        health_file=HealthFile(settings.home / "health.json", health),
        shared_health=SharedHealth.connect(health, url) if url else None,
        conversations=SharedConversations.connect(own, url, settings.routing.sticky_seconds) if url else own,
        kept=KeptAnswers(settings.home / "kept-responses.sqlite3", settings.kept_responses, time.time),
        origins=Origins(),
        failures=failures,
        sinks=flat(plugins.hook.oauthrouter_register_trace_sinks(settings=settings)),
        published=PublishedTables(settings.home / PRICE_FILE),
    )


def assemble(settings: Settings, plugins: pluggy.PluginManager, persistent: PersistentState | None = None) -> Runtime:
    """Put the rooms together.

    :param lasting: what an earlier configuration has learnt
    :raises ConfigurationError: what a plugin or setting asks for does not exist
    """
    persistent = persistent or create_persistent_state(settings, plugins)
    providers = build_providers(settings, plugins)
    _refuse_wrong_names(settings, providers)
    credentials = build_credentials(settings, plugins)
    request_classifier, prices = (
        build_request_classifier(settings, plugins),
        build_prices(settings, plugins, persistent.published),
    )
    dialects = build_dialects(settings, plugins)
    connections = create_transport(settings.upstream)
    persistent.transports[:] = [connections]
    transport = with_debug_log(connections, settings.upstream.debug_log, settings.home, time.time)
    spend = _build_spend(settings, plugins, providers, prices, persistent.expectations)
    router = connect_router(
        settings,
        plugins,
        providers,
        credentials,
        request_classifier,
        prices,
        spend.estimate,
        persistent.health,
        persistent.conversations,
        persistent.expectations.median,
    )
    upstream = Failover(
        sender=Sender(
            transport, settings.upstream.timeouts, persistent.health, persistent.origins, time.monotonic, persistent.instance
        ),
        providers=providers,
        dialects=dialects,
        credentials=credentials,
        health=persistent.health,
        spend=spend,
        retry=settings.upstream.retry,
        rule_for=persistent.failures.rule_for,
        jitter=random.SystemRandom().random,
        clock=time.monotonic,
        cost_of=prices.actual,
    )
    preamble = with_tool_preamble if settings.tool_preamble else _unchanged
    keeper = persistent.kept if settings.kept_responses.enabled else None
    pipeline = Pipeline(dialects, router, upstream, preamble, settings.telemetry.prompts, time.monotonic, keeper)
    return Runtime(settings, plugins, pipeline, credentials, spend, request_classifier, transport, persistent)


def _refuse_wrong_names(settings: Settings, providers: Mapping[str, Provider]) -> None:
    """See that no name in the settings can never work.

    :raises ConfigurationError: naming all of them
    """
    if settings.demo:  # whose providers are not those that the settings speak of
        return
    wrong = [str(problem) for problem in check_references(settings, providers) if problem.wrong]
    if wrong:
        raise ConfigurationError("the configuration names what does not exist:\n  " + "\n  ".join(wrong))


def _build_spend(
    settings: Settings,
    plugins: pluggy.PluginManager,
    providers: Mapping[str, Provider],
    prices: Prices,
    expectations: Expectations,
) -> Spend:
    # Before the ledger is opened: a plugin that fails here would leave it open.
    extra_budgets = flat(plugins.hook.oauthrouter_register_budgets(settings=settings))
    return Spend(
        settings.spend_controls,
        open_ledger(settings, new_id, time.time),
        price=prices.price,
        clock=time.time,
        new_id=new_id,
        clients=settings.server.client_keys,
        extra_budgets=extra_budgets,
        hold_seconds=settings.upstream.timeouts.total + HOLD_MARGIN_SECONDS,
        zone=zone_of(settings.spend_controls.timezone, process_environment().get("TZ")),
        expectations=expectations,
        dearest=lambda: prices.dearest(info for provider in providers.values() for info in provider.models()),
    )


def new_id() -> str:
    """A request id as the original made them: 24 hexadecimal digits."""
    return secrets.token_hex(12)


def new_token() -> Secret:
    """A local token: 32 random bytes."""
    return Secret(secrets.token_urlsafe(32))


def _unchanged(request: ChatRequest) -> ChatRequest:
    return request
