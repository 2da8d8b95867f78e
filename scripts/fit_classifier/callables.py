"""Callables for ``score.py --callable``: ``cd scripts/fit_classifier && score.py dev.jsonl --callable callables:rules``."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.classifier.rules_v1 import RulesV1
from openclaw_oauthrouter.interfaces import Classifier

Scored = Callable[[str], tuple[str, float]]


def scored(classifier: Classifier) -> Scored:
    """The classifier behind what a gateway does first: one user message, made into features."""
    prompt_wrappers = builtin_prompt_wrappers()

    def score(prompt: str) -> tuple[str, float]:
        request = ChatRequest("openai_chat_completions", "auto", (Message("user", (TextPart(prompt),)),))
        classified = classifier.classify(features_of(request, prompt_wrappers=prompt_wrappers))
        return classified.tier, classified.score

    return score


def shipped(*, learned: bool = True, profile: str = "balanced") -> Rules:
    """The default classifier with the shipped data."""
    return Rules(builtin_dimensions(Parameters.load(learned=learned).weights), learned=learned, profile=profile)


rules = scored(shipped())
rules_economy = scored(shipped(profile="economy"))
rules_quality = scored(shipped(profile="quality"))
rules_without_learned = scored(shipped(learned=False))
rules_v1 = scored(RulesV1())
