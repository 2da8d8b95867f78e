"""Every hook, in the order a request meets them.

One pluggy project, ``openclaw``. Implementations of third parties are asked before the built-in ones.
Three families: *registration* (called once at start, return objects), *decision* (``firstresult``, synchronous, no I/O, ``None`` means
"ask the next"), *lifecycle* (may return an awaitable, which the gateway awaits).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.failure import FailureRule
    from openclaw_oauthrouter.canonical.pricing import Price
    from openclaw_oauthrouter.canonical.request import ChatRequest
    from openclaw_oauthrouter.canonical.routing import (
        Classification,
        ModelInfo,
        RequestFeatures,
        RoutingDecision,
    )
    from openclaw_oauthrouter.config import Settings
    from openclaw_oauthrouter.interfaces import (
        Budget,
        Classifier,
        CredentialSource,
        Dialect,
        Dimension,
        HostProviderEntry,
        Panel,
        PromptWrapper,
        Provider,
        TraceSink,
    )

PROJECT = "openclaw"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


def _renamed(former: str, present: str) -> DeprecationWarning:
    return DeprecationWarning(f"{former!r} is now {present!r}; the former name goes with the next release")


# ------------------------------------------------------------------ registration


@hookspec
def openclaw_register_provider(settings: Settings) -> HostProviderEntry | None:
    """Tell a host which model provider this package offers.

    Called by the host, once at start. ``None`` offers nothing.
    """


@hookspec
def oauthrouter_register_credential_sources(settings: Settings) -> Sequence[CredentialSource]:  # type: ignore[empty-body]
    """Offer places where credentials lie. Called once at start; ``credentials.order`` decides the order."""


@hookspec
def oauthrouter_register_dialects(settings: Settings) -> Sequence[Dialect]:  # type: ignore[empty-body]
    """Offer wire protocols (translators). Called once at start; the same ``name`` replaces a built-in one."""


@hookspec
def oauthrouter_register_models(settings: Settings) -> Sequence[ModelInfo]:  # type: ignore[empty-body]
    """Add to or correct the model catalog. Called once at start; the same provider and id replaces a built-in row."""


@hookspec(warn_on_impl_args={"cards": _renamed("cards", "models")})
def oauthrouter_register_providers(  # type: ignore[empty-body]
    settings: Settings, models: Sequence[ModelInfo], cards: Sequence[ModelInfo]
) -> Sequence[Provider]:
    """Offer upstreams. Called once at start and after each configuration change; the same ``name`` replaces an earlier one.

    :param models: the whole model catalog; a provider picks its own
    :param cards: the same, under its former name
    """


@hookspec
def oauthrouter_register_prompt_wrappers(settings: Settings) -> Sequence[PromptWrapper]:  # type: ignore[empty-body]
    """Offer ways to find the user's own words inside what a host sends. Called once at start."""


@hookspec
def oauthrouter_register_dimensions(settings: Settings) -> Sequence[Dimension]:  # type: ignore[empty-body]
    """Offer dimensions of the default classifier. Called once at start; the same ``name`` replaces a built-in one."""


@hookspec
def oauthrouter_register_classifiers(  # type: ignore[empty-body]
    settings: Settings, dimensions: Sequence[Dimension]
) -> Sequence[Classifier]:
    """Offer classifiers. Called once at start; ``routing.classifier`` chooses one by ``name``.

    :param dimensions: all registered dimensions, replacements in place
    """


@hookspec
def oauthrouter_register_tiers(settings: Settings) -> Mapping[str, Sequence[str]]:  # type: ignore[empty-body]
    """Say which models serve a tier: ``{"SIMPLE": ["provider/model", …]}``, primary first.

    Called once at start. Tiers not named keep what the configuration says; where several plugins name a tier, the last registered wins.
    """


@hookspec
def oauthrouter_register_budgets(settings: Settings) -> Sequence[Budget]:  # type: ignore[empty-body]
    """Offer rules on spending. Called once at start; they are asked after the built-in ones, in the order they came."""


@hookspec
def oauthrouter_failure_rules(settings: Settings) -> Sequence[FailureRule]:  # type: ignore[empty-body]
    """Add to or correct the table of failures. Called once at start.

    These rows are asked before the built-in ones; the same ``name`` replaces a built-in row.
    """


@hookspec
def oauthrouter_register_trace_sinks(settings: Settings) -> Sequence[TraceSink]:  # type: ignore[empty-body]
    """Offer receivers of finished request records. Called once at start."""


@hookspec
def oauthrouter_register_panels(settings: Settings) -> Sequence[Panel]:  # type: ignore[empty-body]
    """Offer dashboard panels. Called once at start; the same ``name`` replaces a built-in one."""


# ------------------------------------------------------------------ decision


@hookspec(firstresult=True)
def oauthrouter_classify(features: RequestFeatures) -> Classification | None:
    """Classify one ``auto`` request. Called once per request, before the configured classifier, which answers if all say ``None``."""


@hookspec(firstresult=True)
def oauthrouter_select_route(request: ChatRequest, decision: RoutingDecision) -> RoutingDecision | None:
    """Replace the routing decision for one request. Called once per request, after classification and before the spend guard."""


@hookspec(firstresult=True, warn_on_impl_args={"card": _renamed("card", "info")})
def oauthrouter_price_model(info: ModelInfo, card: ModelInfo) -> Price | None:
    """Price one model. Called at most once per model and process; ``None`` from all leaves it to the settings and published prices.

    ``Price.conditions`` states other prices for long prompts, service tiers, speeds or hours of the day.

    :param card: the same as ``info``, under its former name
    """


# ------------------------------------------------------------------ former names, to be removed after one release


@hookspec(warn_on_impl=_renamed("oauthrouter_register_model_cards", "oauthrouter_register_models"))
def oauthrouter_register_model_cards(settings: Settings) -> Sequence[ModelInfo]:  # type: ignore[empty-body]
    """Former name of ``oauthrouter_register_models``."""


@hookspec(warn_on_impl=_renamed("oauthrouter_register_envelopes", "oauthrouter_register_prompt_wrappers"))
def oauthrouter_register_envelopes(settings: Settings) -> Sequence[PromptWrapper]:  # type: ignore[empty-body]
    """Former name of ``oauthrouter_register_prompt_wrappers``."""


# ------------------------------------------------------------------ lifecycle


@hookspec
def openclaw_gateway_start(settings: Settings, base_url: str) -> Awaitable[None] | None:
    """The gateway accepts requests at ``base_url``. Called once, after the socket is bound; an awaitable is awaited."""


@hookspec
def openclaw_gateway_stop(settings: Settings) -> Awaitable[None] | None:
    """The gateway is about to stop. Called once, after the last stream ended or was cut; an awaitable is awaited."""
