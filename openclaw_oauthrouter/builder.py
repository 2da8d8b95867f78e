"""Settings and plugins become parts, and the parts a running whole; the only module that sees every room."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import pluggy

from openclaw_oauthrouter.accounts import Accounts
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, Payer, Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.models import build_catalog
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.catalog.references import check_references
from openclaw_oauthrouter.classifier import plugin as classifier_plugin
from openclaw_oauthrouter.classifier.request_classifier import RequestClassifier
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.config.routing import Profile
from openclaw_oauthrouter.credentials.chain import REMEMBERED_SECONDS, CredentialChain
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Classifier, ConversationMemory, Dialect, Health, Provider
from openclaw_oauthrouter.pipeline import Pipeline
from openclaw_oauthrouter.policy.calendar import zone_of
from openclaw_oauthrouter.policy.expectations import Expectations
from openclaw_oauthrouter.policy.ledger import open_ledger
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.price_file import PRICE_FILE, PublishedTables
from openclaw_oauthrouter.policy.spend import Spend
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator
from openclaw_oauthrouter.policy.tool_preamble import with_tool_preamble
from openclaw_oauthrouter.routing.choosing import Choosing
from openclaw_oauthrouter.routing.default_tiers import order_price
from openclaw_oauthrouter.routing.eligibility import Eligibility
from openclaw_oauthrouter.routing.model_ids import PROFILES
from openclaw_oauthrouter.routing.price_sources import price_sources
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.routing.tiers import TierTable, named_tiers
from openclaw_oauthrouter.runtime import NewIds, PersistentState, Runtime, create_persistent_state, new_id
from openclaw_oauthrouter.upstream.attempt import Sender
from openclaw_oauthrouter.upstream.debug_log import with_debug_log
from openclaw_oauthrouter.upstream.failover import Failover
from openclaw_oauthrouter.upstream.kept_lists import load_lists, origin_of
from openclaw_oauthrouter.upstream.transport import create_transport

_T = TypeVar("_T")

HOLD_MARGIN_SECONDS = 60.0
"""A call may run for ``upstream.timeouts.total``; budget set aside for longer than that belongs to nobody any more."""

_FIRST_TO_TRY = ("anthropic", "openai-codex", "openai", "openai-chatgpt", "deepseek")
# What to do about each of the others would fill a screen.


class Builder:
    """Settings and plugins, and each part made of them once, when it is first asked for.

    :param tables: the published prices, where somebody has them at hand
    """

    def __init__(self, settings: Settings, plugins: pluggy.PluginManager, tables: PublishedTables | None = None) -> None:
        self.settings = settings
        self.plugins = plugins
        self._tables = tables

    @cached_property
    def dialects(self) -> dict[str, Dialect]:
        """Dialects by name; a third party's replaces a built-in one of the same name."""
        return by_name(self.plugins.hook.oauthrouter_register_dialects(settings=self.settings))

    @cached_property
    def providers(self) -> dict[str, Provider]:
        """Providers by name, each with its models: what ships, what plugins add, and what was fetched and kept in the state folder."""
        hook, settings = self.plugins.hook, self.settings
        answers = [
            *hook.oauthrouter_register_models(settings=settings),
            *hook.oauthrouter_register_model_cards(settings=settings),
        ]
        registered = flat(reversed(answers))
        listings = {} if settings.demo else load_lists(settings.home).listings(_origins(settings))
        models = list(build_catalog(settings.providers, registered, listings).values())
        return by_name(hook.oauthrouter_register_providers(settings=settings, models=models, cards=models))

    @cached_property
    def credentials(self) -> CredentialChain:
        """All credential sources in the configured order."""
        sources = flat(self.plugins.hook.oauthrouter_register_credential_sources(settings=self.settings))
        settings = self.settings
        return CredentialChain(sources, settings.credentials, time.time, settings.providers, REMEMBERED_SECONDS)

    def usable_now(self) -> list[str]:
        """Names of the providers that have a credential, found out without opening anything."""
        return [
            name for name, provider in self.providers.items() if self.credentials.available(name) or not provider.needs_credential
        ]

    @cached_property
    def prices(self) -> Prices:
        """The price list."""
        hook = self.plugins.hook.oauthrouter_price_model
        published = self._tables or PublishedTables(self.settings.home / PRICE_FILE)
        return Prices(
            (lambda info: hook(info=info, card=info)) if hook.get_hookimpls() else None,
            sources=price_sources(self.settings.providers),
            clock=time.time,
            published=published.find,
        )

    @cached_property
    def request_classifier(self) -> RequestClassifier:
        """The classifier ``routing.classifier`` names, behind third parties' hooks.

        :raises ConfigurationError: there is none of that name; names those there are
        """
        hook, settings = self.plugins.hook, self.settings
        dimensions = list(by_name(hook.oauthrouter_register_dimensions(settings=settings)).values())
        known: dict[str, Classifier] = by_name(hook.oauthrouter_register_classifiers(settings=settings, dimensions=dimensions))
        wanted = settings.routing.classifier
        if wanted not in known:
            raise ConfigurationError(f"routing.classifier {wanted!r} does not exist; there are {', '.join(sorted(known))}")
        asks = hook.oauthrouter_classify if hook.oauthrouter_classify.get_hookimpls() else None
        wrappers = [
            *flat(hook.oauthrouter_register_prompt_wrappers(settings=settings)),
            *flat(hook.oauthrouter_register_envelopes(settings=settings)),
        ]
        ours = all(type(part).__module__.startswith(f"{__package__}.") for part in (known[wanted], *dimensions, *wrappers))
        return RequestClassifier(
            prompt_wrappers=wrappers,
            classifiers=_by_profile(known[wanted], settings.routing.profile),
            ask_plugins=(lambda features: asks(features=features)) if asks else None,
            budget_seconds=settings.routing.classifier_budget_ms / 1000,
            clock=time.perf_counter,
            spare=None if ours else self._spare_classifier(),
        )

    def _spare_classifier(self) -> RequestClassifier:
        """The default classifier as it is without plugins."""
        settings = self.settings
        rules, _ = classifier_plugin.oauthrouter_register_classifiers(
            settings, classifier_plugin.oauthrouter_register_dimensions(settings)
        )
        return RequestClassifier(
            prompt_wrappers=classifier_plugin.oauthrouter_register_prompt_wrappers(),
            classifiers=_by_profile(rules, settings.routing.profile),
            ask_plugins=None,
            budget_seconds=settings.routing.classifier_budget_ms / 1000,
            clock=time.perf_counter,
        )

    def router(self, world: World) -> Router:
        """A router that knows of the world what it is told."""
        routing, providers = self.settings.routing, self.providers
        original = routing.classifier == "rules-v1"
        accounts = Accounts(providers, self.credentials, world.health, assume_credentials=world.assume_credentials)
        # The original's tiers name models that are gone by now; whoever asks for them gets them.
        today = None if original else lambda: datetime.now(UTC).date()
        excluded = frozenset(routing.exclude)
        revise = self.plugins.hook.oauthrouter_select_route
        named = named_tiers(routing, self.plugins.hook.oauthrouter_register_tiers(settings=self.settings))
        choosing = Choosing(
            providers=providers,
            chains=TierTable(named, providers, accounts.usable, order_price, today, time.monotonic, excluded),
            eligibility=Eligibility(
                usable=accounts.usable,
                blocked=accounts.blocked,
                excluded=excluded,
                today=today,
                shapes=accounts.shapes,
                calm=accounts.calm,
            ),
            prices=self.prices,
            payers=_list_price if original else accounts.payers,
            explain_missing=lambda: what_is_missing(self.credentials, providers),
            clock=time.time,
        )
        return Router(
            settings=routing,
            fallback=self.settings.rate_limit_fallback,
            choosing=choosing,
            classify=self.request_classifier,
            conversations=world.conversations,
            estimate=world.estimate,
            expected_output=world.expected_output,
            revise=revise if revise.get_hookimpls() else None,
        )

    def router_alone(self, *, assume_credentials: bool = False) -> Router:
        """A router that starts nothing, for explanations and replays: no health, no ledger, no connections.

        :param assume_credentials: route as if every provider had one
        """
        memory = Conversations(time.time, self.settings.routing.sticky_seconds)
        estimate = TokenEstimator(exact_near=None).estimate
        return self.router(World(estimate, Expectations().median, memory, assume_credentials=assume_credentials))

    def runtime(self, persistent: PersistentState) -> Runtime:
        """The whole, ready to serve.

        :raises ConfigurationError: what a plugin or setting asks for does not exist
        """
        _refuse_wrong_names(self.settings, self.providers)
        ledger = open_ledger(self.settings, new_id, time.time)
        try:
            return self._runtime(persistent, ledger)
        except BaseException:
            ledger.abandon()
            raise

    def _runtime(self, persistent: PersistentState, ledger: Ledger) -> Runtime:
        settings, prices, dialects = self.settings, self.prices, self.dialects
        connections = create_transport(settings.upstream)
        transport = with_debug_log(connections, settings.upstream.debug_log, settings.home, time.time)
        spend = self._spend(persistent.expectations, ledger)
        world = World(spend.estimate, persistent.expectations.median, persistent.conversations, persistent.health)
        upstream = Failover(
            sender=Sender(
                transport, settings.upstream.timeouts, persistent.health, persistent.origins, time.monotonic, persistent.instance
            ),
            providers=self.providers,
            dialects=dialects,
            credentials=self.credentials,
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
        router = self.router(world)
        pipeline = Pipeline(dialects, router, upstream, preamble, settings.telemetry.prompts, time.monotonic, keeper)
        persistent.transports[:] = [connections]
        return Runtime(settings, self.plugins, pipeline, self.credentials, spend, self.request_classifier, transport, persistent)

    def _spend(self, expectations: Expectations, ledger: Ledger) -> Spend:
        settings, providers, prices = self.settings, self.providers, self.prices
        extra_budgets = flat(self.plugins.hook.oauthrouter_register_budgets(settings=settings))
        return Spend(
            settings.spend_controls,
            ledger,
            price=prices.price,
            clock=time.time,
            new_id=NewIds(),
            clients=settings.server.client_keys,
            extra_budgets=extra_budgets,
            hold_seconds=settings.upstream.timeouts.total + HOLD_MARGIN_SECONDS,
            zone=zone_of(settings.spend_controls.timezone, process_environment().get("TZ")),
            expectations=expectations,
            dearest=lambda: prices.dearest(info for provider in providers.values() for info in provider.models()),
        )


@value(frozen=True, slots=True)
class World:
    """What a router is told of the world beside settings and plugins.

    :ivar estimate: tokens of a request at a model
    :ivar expected_output: tokens of an answer, for a conversation, a model and a tier
    :ivar health: what is out of order, and how far plans' windows are used up; ``None`` knows of nothing
    :ivar assume_credentials: route as if every provider had one
    """

    estimate: Callable[[ChatRequest, ModelInfo], Estimate]
    expected_output: Callable[[str | None, str, Tier | None], int]
    conversations: ConversationMemory
    health: Health | None = None
    assume_credentials: bool = False


def assemble(settings: Settings, plugins: pluggy.PluginManager, persistent: PersistentState | None = None) -> Runtime:
    """Put the rooms together.

    :param persistent: what an earlier configuration has learnt
    :raises ConfigurationError: what a plugin or setting asks for does not exist
    """
    persistent = persistent or create_persistent_state(settings, plugins)
    return Builder(settings, plugins, persistent.published).runtime(persistent)


def _refuse_wrong_names(settings: Settings, providers: Mapping[str, Provider]) -> None:
    """See that no name in the settings can never work.

    :raises ConfigurationError: naming all of them
    """
    if settings.demo:  # whose providers are not those that the settings speak of
        return
    wrong = [str(problem) for problem in check_references(settings, providers) if problem.wrong]
    if wrong:
        raise ConfigurationError("the configuration names what does not exist:\n  " + "\n  ".join(wrong))


def _origins(settings: Settings) -> dict[str, str]:
    """Where each provider is: a list that another address gave says nothing of it."""
    known = {name: preset.api_base for name, preset in presets().items()}
    known |= {name: said.api_base for name, said in settings.providers.items() if said.api_base is not None}
    return {name: origin_of(address) for name, address in known.items() if address is not None}


def _list_price(_info: ModelInfo, _now: float) -> Sequence[Payer]:
    """The original knows of no plans: every tier's primary comes first, whoever pays."""
    return (Payer(None, 1.0),)


def what_is_missing(credentials: CredentialChain, providers: Mapping[str, Provider]) -> str:
    """What to do when no provider has a credential."""
    asked = [name for name, provider in providers.items() if provider.needs_credential and name in _FIRST_TO_TRY]
    lines = [f"{name}: {credentials.explain(name)}" for name in asked]
    others = sorted(name for name in providers if name not in asked)
    return f"no provider can be used yet. {' | '.join(lines)} | or `openclaw-oauthrouter auth add` one of {', '.join(others)}"


def _by_profile(classifier: Classifier, configured: Profile) -> dict[Profile, Classifier]:
    # A classifier without profiles of its own serves them all; the configured one may have cut points of the user's.
    for_profile = getattr(classifier, "for_profile", None)
    return {name: for_profile(name) if for_profile and name != configured else classifier for name in PROFILES}


def flat(answers: Iterable[Iterable[_T]]) -> list[_T]:
    """What all plugins answered, as one list."""
    return [item for answer in answers for item in answer]


def by_name(answers: Iterable[Iterable[Any]]) -> dict[str, Any]:
    """What all plugins answered, by name; a third party's takes the place of a built-in one."""
    # The last registered plugin answers first; going backwards lets it have the last word.
    return {item.name: item for answer in reversed(list(answers)) for item in answer}


def _unchanged(request: ChatRequest) -> ChatRequest:
    return request
