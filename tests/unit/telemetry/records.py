"""Records as a finished request leaves them."""

from __future__ import annotations

from typing import Any

from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.canonical.routing import (
    Candidate,
    Classification,
    DimensionScore,
    ModelInfo,
    RoutingDecision,
    SkippedCandidate,
    Tier,
)
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage


def decision(**changes: Any) -> RoutingDecision:
    """A SIMPLE decision for ``anthropic/claude-haiku-4-5`` at a fifth of the baseline's cost."""
    fields: dict[str, Any] = {
        "model": "anthropic/claude-haiku-4-5",
        "tier": Tier.SIMPLE,
        "confidence": 0.91,
        "method": "rules",
        "reasoning": "short question",
        "cost_estimate": 0.002,
        "baseline_cost": 0.01,
        "baseline_model": "anthropic/claude-opus-4-6",
        "savings": 0.8,
        "candidates": (Candidate(ModelInfo("anthropic", "claude-haiku-4-5"), Tier.SIMPLE, "first of the tier"),),
        "classification": Classification(
            Tier.SIMPLE,
            -0.2,
            0.91,
            "rules",
            "short question",
            (DimensionScore("simpleIndicators", -0.9, 0.12, "what is"),),
            ("structured output needs MEDIUM",),
        ),
    }
    return RoutingDecision(**{**fields, **changes})


def record(**changes: Any) -> RequestRecord:
    """A request answered with 200 in 2 s, first token after 0.5 s."""
    fields: dict[str, Any] = {
        "request_id": "0123456789abcdef01234567",
        "started_at": 1_795_000_000.25,
        "path": "/v1/chat/completions?token=sesame",
        "method": "POST",
        "client": "editor",
        "conversation": "c-1",
        "session_key": "user-7",
        "model_requested": "auto",
        "model_resolved": "anthropic/claude-haiku-4-5",
        "model_answered": "anthropic/claude-haiku-4-5",
        "provider": "anthropic",
        "credential": "work",
        "upstream_url": "https://api.anthropic.com/v1/messages?beta=true",
        "decision": decision(),
        "stream": True,
        "tool_count": 2,
        "attempts": [
            Attempt("anthropic", "claude-haiku-4-5", "work", "https://api.anthropic.com/v1/messages", 200, "ok", None, 2.0)
        ],
        "notes": [Note("dropped", "logprobs", "not offered")],
        "status": 200,
        "spend_decision": "allow",
        "usage": Usage(1000, 300, cache_read_input_tokens=400),
        "cost": 0.004,
        "baseline_cost": 0.02,
        "first_token_seconds": 0.5,
        "seconds": 2.0,
        "prompt_text": "what is the launch code",
        "features": {"text": "what is the launch code", "task_text": "words", "text_length": 23, "input_tokens": 950},
    }
    return RequestRecord(**{**fields, **changes})


def fallen_back() -> RequestRecord:
    """The same, answered by another provider after a 429 and a retry."""
    limited = "UpstreamRateLimitError"
    return record(
        model_answered="openai/gpt-5.4-mini",
        provider="openai",
        attempts=[
            Attempt(
                "anthropic", "claude-haiku-4-5", "work", "https://a", 429, limited, "limit of sk-ant-oat01-abcdefghijklmnop", 0.1
            ),
            Attempt("anthropic", "claude-haiku-4-5", "work", "https://a", 429, limited, "limited", 0.1),
            Attempt("openai", "gpt-5.4-mini", "key", "https://o", 200, "ok", None, 1.8),
        ],
    )


def pre_routed() -> RequestRecord:
    """The same, its first choice passed over."""
    return record(decision=decision(skipped=(SkippedCandidate("openai-codex/gpt-5.6-luna", "cooling down for 12 s"),)))
