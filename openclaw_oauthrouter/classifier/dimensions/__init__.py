"""The fourteen dimensions of the default classifier, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.classifier.dimensions.code_presence import CodePresence
from openclaw_oauthrouter.classifier.dimensions.constraint_count import ConstraintCount
from openclaw_oauthrouter.classifier.dimensions.creative_markers import CreativeMarkers
from openclaw_oauthrouter.classifier.dimensions.domain_specificity import DomainSpecificity
from openclaw_oauthrouter.classifier.dimensions.imperative_verbs import ImperativeVerbs
from openclaw_oauthrouter.classifier.dimensions.multi_step_patterns import MultiStepPatterns
from openclaw_oauthrouter.classifier.dimensions.negation_complexity import NegationComplexity
from openclaw_oauthrouter.classifier.dimensions.output_format import OutputFormat
from openclaw_oauthrouter.classifier.dimensions.question_complexity import QuestionComplexity
from openclaw_oauthrouter.classifier.dimensions.reasoning_markers import ReasoningMarkers
from openclaw_oauthrouter.classifier.dimensions.reference_complexity import ReferenceComplexity
from openclaw_oauthrouter.classifier.dimensions.simple_indicators import SimpleIndicators
from openclaw_oauthrouter.classifier.dimensions.technical_terms import TechnicalTerms
from openclaw_oauthrouter.classifier.dimensions.token_count import TokenCount
from openclaw_oauthrouter.interfaces import Dimension

BUILTIN_DIMENSIONS = (
    TokenCount,
    CodePresence,
    ReasoningMarkers,
    TechnicalTerms,
    CreativeMarkers,
    SimpleIndicators,
    MultiStepPatterns,
    QuestionComplexity,
    ImperativeVerbs,
    ConstraintCount,
    OutputFormat,
    ReferenceComplexity,
    NegationComplexity,
    DomainSpecificity,
)


def builtin_dimensions(weights: Mapping[str, float]) -> tuple[Dimension, ...]:
    """The fourteen, in the order explanations name them.

    :param weights: by dimension name
    """
    return tuple(dimension(weights[dimension.name]) for dimension in BUILTIN_DIMENSIONS)
