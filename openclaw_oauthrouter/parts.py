"""Builds each part of the gateway from settings and plugins; ``assembly`` puts the parts together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import pluggy

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, Payment, Tier
from openclaw_oauthrouter.catalog.accepts import accepts_of
from openclaw_oauthrouter.catalog.models import build_catalog
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.classifier.request_classifier import RequestClassifier
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.routing import Profile
from openclaw_oauthrouter.credentials.chain import REMEMBERED_SECONDS, CredentialChain
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Classifier, ConversationMemory, Dialect, Health, Provider
from openclaw_oauthrouter.policy.expectations import Expectations
from openclaw_oauthrouter.policy.price_file import PRICE_FILE, PublishedTables
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator
from openclaw_oauthrouter.routing.choosing import Choosing
from openclaw_oauthrouter.routing.cost import shadow_price
from openclaw_oauthrouter.routing.default_tiers import order_price
from openclaw_oauthrouter.routing.eligibility import Eligibility
from openclaw_oauthrouter.routing.model_ids import PROFILES
from openclaw_oauthrouter.routing.price_sources import price_sources
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.routing.tiers import TierTable, named_tiers
from openclaw_oauthrouter.upstream.kept_lists import load_lists, origin_of

_T = TypeVar("_T")

_FIRST_TO_TRY = ("anthropic", "openai-codex", "openai", "openai-chatgpt", "deepseek")
# What to do about each of the others would fill a screen.


def build_dialects(settings: Settings, plugins: pluggy.PluginManager) -> dict[str, Dialect]:
    """Dialects by name; a third party's replaces a built-in one of the same name."""
    return by_name(plugins.hook.oauthrouter_register_dialects(settings=settings))


def build_providers(settings: Settings, plugins: pluggy.PluginManager) -> dict[str, Provider]:
    """Providers by name, each with its models: what ships, what plugins add, and what was fetched and kept in the state folder."""
    hook = plugins.hook
    answers = [*hook.oauthrouter_register_models(settings=settings), *hook.oauthrouter_register_model_cards(settings=settings)]
    registered = flat(reversed(answers))
    listings = {} if settings.demo else load_lists(settings.home).listings(_origins(settings))
    models = list(build_catalog(settings.providers, registered, listings).values())
    return by_name(hook.oauthrouter_register_providers(settings=settings, models=models, cards=models))


def _origins(settings: Settings) -> dict[str, str]:
    """Where each provider is: a list that another address gave says nothing of it."""
    known = {name: preset.api_base for name, preset in presets().items()}
    known |= {name: said.api_base for name, said in settings.providers.items() if said.api_base is not None}
    return {name: origin_of(address) for name, address in known.items() if address is not None}


def build_credentials(settings: Settings, plugins: pluggy.PluginManager) -> CredentialChain:
    """All credential sources in the configured order."""
    sources = flat(plugins.hook.oauthrouter_register_credential_sources(settings=settings))
    return CredentialChain(sources, settings.credentials, time.time, settings.providers, REMEMBERED_SECONDS)


def usable_now(settings: Settings, plugins: pluggy.PluginManager) -> list[str]:
    """Names of the providers that have a credential, found out without opening anything."""
    chain = build_credentials(settings, plugins)
    providers = build_providers(settings, plugins)
    return [name for name, provider in providers.items() if chain.available(name) or not provider.needs_credential]


def build_prices(settings: Settings, plugins: pluggy.PluginManager, tables: PublishedTables | None = None) -> Prices:
    """The price list.

    :param tables: the published prices, where somebody has them at hand
    """
    hook = plugins.hook.oauthrouter_price_model
    published = tables or PublishedTables(settings.home / PRICE_FILE)
    return Prices(
        (lambda info: hook(info=info, card=info)) if hook.get_hookimpls() else None,
        sources=price_sources(settings.providers),
        clock=time.time,
        snapshot=published.snapshot,
    )


def build_request_classifier(settings: Settings, plugins: pluggy.PluginManager) -> RequestClassifier:
    """The classifier ``routing.classifier`` names, behind third parties' hooks.

    :raises ConfigurationError: there is none of that name; names those there are
    """
    hook = plugins.hook
    dimensions = list(by_name(hook.oauthrouter_register_dimensions(settings=settings)).values())
    known: dict[str, Classifier] = by_name(hook.oauthrouter_register_classifiers(settings=settings, dimensions=dimensions))
    wanted = settings.routing.classifier
    if wanted not in known:
        raise ConfigurationError(f"routing.classifier {wanted!r} does not exist; there are {', '.join(sorted(known))}")
    asks = hook.oauthrouter_classify if hook.oauthrouter_classify.get_hookimpls() else None
    return RequestClassifier(
        prompt_wrappers=[
            *flat(hook.oauthrouter_register_prompt_wrappers(settings=settings)),
            *flat(hook.oauthrouter_register_envelopes(settings=settings)),
        ],
        classifiers=_by_profile(known[wanted], settings.routing.profile),
        ask_plugins=(lambda features: asks(features=features)) if asks else None,
        budget_seconds=settings.routing.classifier_budget_ms / 1000,
        clock=time.perf_counter,
    )


def connect_router(
    settings: Settings,
    plugins: pluggy.PluginManager,
    providers: Mapping[str, Provider],
    credentials: CredentialChain,
    request_classifier: RequestClassifier,
    prices: Prices,
    estimate: Callable[[ChatRequest, ModelInfo], Estimate],
    health: Health | None,
    conversations: ConversationMemory,
    expected_output: Callable[[str | None, str, Tier | None], int],
    *,
    assume_credentials: bool = False,
) -> Router:
    """A router over parts that exist already.

    :param health: what is out of order, and how far plans' windows are used up; ``None`` knows of nothing
    :param assume_credentials: route as if every provider had one
    """
    routing = settings.routing
    original = routing.classifier == "rules-v1"
    accounts = Accounts(providers, credentials, health, assume_credentials=assume_credentials)
    # The original's tiers name models that are gone by now; whoever asks for them gets them.
    today = None if original else lambda: datetime.now(UTC).date()
    excluded = frozenset(routing.exclude)
    named = named_tiers(routing, plugins.hook.oauthrouter_register_tiers(settings=settings))
    choosing = Choosing(
        providers=providers,
        chains=TierTable(named, providers, accounts.usable, order_price, today, time.monotonic, excluded),
        eligibility=Eligibility(
            usable=accounts.usable, blocked=accounts.blocked, excluded=excluded, today=today, shapes=accounts.shapes
        ),
        prices=prices,
        shadow=_list_price if original else lambda info, now: shadow_price(accounts.payment(info), now),
        explain_missing=lambda: what_is_missing(credentials, providers),
        clock=time.time,
    )
    return Router(
        settings=routing,
        fallback=settings.rate_limit_fallback,
        choosing=choosing,
        classify=request_classifier,
        conversations=conversations,
        estimate=estimate,
        expected_output=expected_output,
        revise=plugins.hook.oauthrouter_select_route,
    )


def _list_price(_info: ModelInfo, _now: float) -> float:
    """The original knows of no plans: every tier's primary comes first, whoever pays."""
    return 1.0


@dataclass(frozen=True, slots=True)
class Accounts:
    """What routing asks of credentials and of their health together: windows and cooldowns are kept for each credential."""

    providers: Mapping[str, Provider]
    credentials: CredentialChain
    health: Health | None
    assume_credentials: bool = False

    def usable(self, provider: str) -> bool:
        """Whether a request to a provider could be authenticated."""
        return self.assume_credentials or not self.providers[provider].needs_credential or self.credentials.known(provider).usable

    def blocked(self, provider: str, model: str) -> str | None:
        """Why a model cannot be called with any of the provider's credentials, in words; ``None`` when it can with one."""
        if self.health is None:
            return None
        reason = None
        for credential in self._known(provider):
            name = credential.name if credential else None
            reason = self.health.blocked(provider, model, name)
            if reason is None:
                return None
        return reason

    def shapes(self, info: ModelInfo) -> Sequence[str]:
        """Kinds of structured output that a model keeps to, asked in its provider's dialect."""
        provider = self.providers.get(info.provider)
        dialect = info.protocols[0] if info.protocols else provider.dialect if provider is not None else ""
        accepts = info.accepts or accepts_of(info.provider, info.id, dialect)
        return accepts.structured_output

    def payment(self, info: ModelInfo) -> Payment:
        """Who pays for a model's calls: the first credential that nothing speaks against."""
        provider = self.providers.get(info.provider)
        known = self._known(info.provider)
        if self.assume_credentials and known[0] is None:
            return Payment()  # nobody knows who would pay, so nobody's plan tips the scales
        credential = next((item for item in known if self._is_open(info, item)), known[0])
        bearer = credential is not None and credential.kind != "api_key"
        if not bearer and (provider is None or not provider.subscription):
            return Payment()
        if self.health is None:
            return Payment(by_plan=True)
        name = credential.name if credential else None
        return Payment(by_plan=True, windows=tuple(self.health.windows_of(info.provider, info.id, name)))

    def _is_open(self, info: ModelInfo, credential: Credential | None) -> bool:
        name = credential.name if credential else None
        return self.health is None or self.health.blocked(info.provider, info.id, name) is None

    def _known(self, provider: str) -> Sequence[Credential | None]:
        return self.credentials.known(provider).credentials or (None,)


def build_router(settings: Settings, plugins: pluggy.PluginManager, *, assume_credentials: bool = False) -> Router:
    """A router that starts nothing, for explanations and replays: no health, no ledger, no connections.

    :param assume_credentials: route as if every provider had one
    """
    providers = build_providers(settings, plugins)
    estimator = TokenEstimator(exact_near=None)
    return connect_router(
        settings,
        plugins,
        providers,
        build_credentials(settings, plugins),
        build_request_classifier(settings, plugins),
        build_prices(settings, plugins),
        estimator.estimate,
        None,
        Conversations(time.time, settings.routing.sticky_seconds),
        Expectations().median,
        assume_credentials=assume_credentials,
    )


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
