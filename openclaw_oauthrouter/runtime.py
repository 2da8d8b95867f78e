"""What serves requests under one configuration, and what outlives it."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import httpx
import pluggy

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.references import Problem, check_references
from openclaw_oauthrouter.classifier.request_classifier import RequestClassifier
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.errors import CredentialError, OAuthRouterError
from openclaw_oauthrouter.health.failures import FailureTable
from openclaw_oauthrouter.health.health_file import HealthFile
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.interfaces import Provider, TraceSink
from openclaw_oauthrouter.kept import KeptAnswers
from openclaw_oauthrouter.pipeline import Pipeline
from openclaw_oauthrouter.policy.expectations import Expectations
from openclaw_oauthrouter.policy.price_file import PRICE_FILE, PublishedTables
from openclaw_oauthrouter.policy.spend import Spend
from openclaw_oauthrouter.routing.eligibility import Requirements
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.tasks import take_all
from openclaw_oauthrouter.upstream.origins import Origins

if TYPE_CHECKING:
    from openclaw_oauthrouter.shared_state.conversations import SharedConversations
    from openclaw_oauthrouter.shared_state.health import SharedHealth

PRICES_AFTER_SECONDS = 0.5
"""When the published prices are read, unless a request needs them before."""


def steady_clock() -> Clock:
    """Seconds of a clock that nobody sets, which goes on while the machine sleeps where the system has such a one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if clock is None else partial(time.clock_gettime, clock)


@value(frozen=True, slots=True)
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
        return self._of_transport("in_use")

    def upstream_waiting(self) -> dict[str, int]:
        """How many requests wait for a connection to each host."""
        return self._of_transport("waiting")

    def _of_transport(self, name: str) -> dict[str, int]:
        ask = getattr(self.transports[-1], name, None) if self.transports else None
        found: dict[str, int] = ask() if ask is not None else {}
        return found

    def begin(self) -> Sequence[asyncio.Task[Any]]:
        """Start what runs beside the requests; call it within the event loop, and cancel the tasks at the end."""
        self.health_file.load()
        prices = asyncio.create_task(self._read_prices(), name="published prices")
        return [prices, *([asyncio.create_task(self.shared_health.sync(), name="shared health")] if self.shared_health else [])]

    async def _read_prices(self) -> None:
        """Reading them may take a moment, which neither the start nor a request should wait for."""
        await asyncio.sleep(PRICES_AFTER_SECONDS)
        await asyncio.to_thread(self.published.prepare)

    async def aclose(self) -> None:
        """Write down what is worth keeping, and let go of all that is open."""
        await take_all(self.health_file.save, self.let_go)

    async def let_go(self) -> None:
        """Let go of all that is open but the sinks, which belong to those who watch."""
        through_redis = [] if self.shared_health is None else [self.shared_health.close]
        if not isinstance(self.conversations, Conversations):
            through_redis.append(self.conversations.close)
        await take_all(*through_redis, self.kept.aclose)


@value(frozen=True, slots=True)
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
        await take_all(self.transport.aclose, self.pipeline.parsing.aclose, self.spend.close)


def create_persistent_state(settings: Settings, plugins: pluggy.PluginManager) -> PersistentState:
    """Make what outlives changes of the configuration."""
    failures = FailureTable(list(chain.from_iterable(plugins.hook.oauthrouter_failure_rules(settings=settings))))
    health = HealthRegistry(time.time, rule_for=failures.rule_for, steady=steady_clock())
    own = Conversations(time.time, settings.routing.sticky_seconds)
    url = settings.state_url
    return PersistentState(
        health=health,
        health_file=HealthFile(settings.home / "health.json", health),
        shared_health=_shared_health(health, url) if url else None,
        conversations=_shared_conversations(own, url, settings.routing.sticky_seconds) if url else own,
        kept=KeptAnswers(settings.home / "kept-responses.sqlite3", settings.kept_responses, time.time),
        origins=Origins(),
        failures=failures,
        sinks=list(chain.from_iterable(plugins.hook.oauthrouter_register_trace_sinks(settings=settings))),
        published=PublishedTables(settings.home / PRICE_FILE),
    )


def _shared_health(health: HealthRegistry, url: str) -> SharedHealth:
    from openclaw_oauthrouter.shared_state.health import SharedHealth

    return SharedHealth.connect(health, url)


def _shared_conversations(own: Conversations, url: str, sticky_seconds: float) -> SharedConversations:
    from openclaw_oauthrouter.shared_state.conversations import SharedConversations

    return SharedConversations.connect(own, url, sticky_seconds)


def new_id() -> str:
    """A request id as the original made them: 24 hexadecimal digits."""
    return os.urandom(_ID_BYTES).hex()


class NewIds:
    """The same, their randomness drawn for many at once: asking the system for each would take longer than anything else of a record."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def __call__(self) -> str:
        if not self._waiting:
            drawn = os.urandom(_ID_BYTES * _IDS_AT_ONCE).hex()
            self._waiting = [drawn[at : at + 2 * _ID_BYTES] for at in range(0, len(drawn), 2 * _ID_BYTES)]
        return self._waiting.pop()


_ID_BYTES, _IDS_AT_ONCE = 12, 64


def new_token() -> Secret:
    """A local token: 32 random bytes."""
    return Secret(secrets.token_urlsafe(32))
