"""``route()``: the classification engine by itself, without a gateway, plugins or credentials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

# A program that may never route anything must not pay for loading the tables: everything else is imported by the first call.
if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.routing import Classification, Estimate, ModelInfo, RoutingDecision
    from openclaw_oauthrouter.config.routing import RoutingSettings


def route(
    prompt: str,
    system_prompt: str | None = None,
    max_output_tokens: int = 4096,
    *,
    config: RoutingSettings | Mapping[str, Any] | None = None,
    model_pricing: Mapping[str, Mapping[str, float]] | None = None,
) -> RoutingDecision:
    """Say which tier and model a prompt wants.

    :param prompt: the user's words
    :param system_prompt: carried along; not a sign of difficulty by itself
    :param max_output_tokens: what the answer is priced at
    :param config: routing settings; a mapping is validated first
    :param model_pricing: model name -> ``{"inputPrice": …, "outputPrice": …}`` in US dollars per million tokens; the shipped prices
        answer for models it leaves out
    :raises ConfigurationError: ``config`` names a classifier that is a plugin's; those answer in a gateway only
    """
    from openclaw_oauthrouter.canonical.routing import Estimate, RoutingDecision, Tier
    from openclaw_oauthrouter.config.routing import DEFAULT_ROUTING_CONFIG, RoutingSettings

    settings = DEFAULT_ROUTING_CONFIG if config is None else RoutingSettings.model_validate(config)
    classified, tokens = _judge(prompt, system_prompt, settings)
    tier = classified.tier
    if settings.max_tier is not None:
        tier = min(tier, Tier(settings.max_tier), key=lambda one: one.rank)
    model = settings.tiers[tier.value].primary
    baseline = settings.baseline or settings.tiers[Tier.REASONING.value].primary
    estimate = Estimate(tokens, max_output_tokens)
    cost, against = (_cost(name, estimate, model_pricing or {}) for name in (model, baseline))
    return RoutingDecision(
        model=model,
        tier=tier,
        confidence=classified.confidence,
        method=classified.method,
        reasoning=classified.reasoning,
        score=classified.score,
        cost_estimate=cost,
        baseline_cost=against,
        baseline_model=baseline,
        savings=max(0.0, (against - cost) / against) if against and cost is not None else None,
        classification=classified,
    )


def _judge(prompt: str, system_prompt: str | None, settings: RoutingSettings) -> tuple[Classification, int]:
    from openclaw_oauthrouter.canonical.content import TextPart
    from openclaw_oauthrouter.canonical.request import ChatRequest, Message
    from openclaw_oauthrouter.classifier.features import features_of

    words = (Message("user", (TextPart(prompt),)),)
    system = (Message("system", (TextPart(system_prompt),)),) if system_prompt else ()
    request = ChatRequest("", "auto", system + words)
    tokens = -(-len((prompt + (system_prompt or "")).encode("utf-8", "replace")) // 4)
    features = features_of(request, prompt_wrappers=(), input_tokens=tokens)
    classifier = _classifier(settings.classifier, settings.learned_score, settings.profile, settings.cut_points)
    return classifier.classify(features), tokens


@lru_cache(maxsize=8)
def _classifier(name: str, learned: bool, profile: str, cut_points: tuple[float, float, float] | None) -> Any:
    """A classifier keeps its tables; loading them anew for every call would cost a thousand times the call."""
    if name == "rules-v1":
        from openclaw_oauthrouter.classifier.rules_v1 import RulesV1

        return RulesV1()
    if name != "rules":
        from openclaw_oauthrouter.errors import ConfigurationError

        raise ConfigurationError(
            f"routing.classifier {name!r} is not known to route(), which has no plugins: use rules or rules-v1"
        )
    from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
    from openclaw_oauthrouter.classifier.parameters import Parameters
    from openclaw_oauthrouter.classifier.rules import Rules

    dimensions = builtin_dimensions(Parameters.load(learned=learned).weights)
    return Rules(dimensions, learned=learned, profile=profile, cut_points=cut_points)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, ModelInfo]:
    from openclaw_oauthrouter.catalog.models import shipped_models

    return {info.name: info for info in shipped_models()}


def _cost(name: str, estimate: Estimate, pricing: Mapping[str, Mapping[str, float]]) -> float | None:
    import time

    from openclaw_oauthrouter.canonical.pricing import Price
    from openclaw_oauthrouter.canonical.routing import ModelInfo
    from openclaw_oauthrouter.routing.prices import Prices

    provider, _, model = name.partition("/")
    info = _shipped().get(name) or ModelInfo(provider, model)
    given = pricing.get(name)
    ask = (lambda _: Price(given["inputPrice"], given["outputPrice"])) if given else None
    return Prices(ask, clock=time.time).expected(info, estimate)
