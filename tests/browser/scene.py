"""A believable day at a gateway: records, provider health and budgets, the same on every run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from openclaw_oauthrouter.canonical.json import JsonObject
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

BASELINE = "anthropic/claude-opus-4-6"
URLS = {
    "anthropic": "https://api.anthropic.com/v1/messages",
    "openai-codex": "https://chatgpt.com/backend-api/codex/responses",
    "openai": "https://api.openai.com/v1/responses",
    "deepseek": "https://api.deepseek.com/chat/completions",
}
CLIENTS = (
    ("openclaw", "openclaw/2026.9.6"),
    ("editor", "OpenAI/Python 3.54.0"),
    (None, "claude-cli/2.1.2"),
    ("nightly", "curl/8.5.0"),
)


@dataclass(frozen=True)
class Kind:
    """One kind of traffic."""

    tier: Tier
    model: str
    weight: int
    tokens: tuple[int, int]
    price: tuple[float, float]
    seconds: tuple[float, float]
    reasoning: str
    signals: tuple[tuple[str, float, float, str | None], ...]


KINDS = (
    Kind(
        Tier.SIMPLE, "anthropic/claude-haiku-4-5", 9, (420, 90), (1.0, 5.0), (0.4, 1.6), "short question, no code",
        (("simpleIndicators", -0.9, 0.12, "what is"), ("tokenCount", -0.8, 0.08, "38 tokens"), ("questionComplexity", -0.2, 0.05, None)),
    ),
    Kind(
        Tier.MEDIUM, "openai-codex/gpt-5.6-terra", 7, (6200, 740), (1.25, 10.0), (2.0, 9.0), "code task of one step",
        (("codePresence", 0.7, 0.15, "function, def, pytest"), ("imperativeVerbs", 0.5, 0.03, "write"), ("simpleIndicators", -0.1, 0.12, None)),
    ),
    Kind(
        Tier.COMPLEX, "anthropic/claude-sonnet-4-5", 4, (21000, 1900), (3.0, 15.0), (6.0, 24.0), "design with constraints, several steps",
        (("multiStepPatterns", 0.8, 0.12, "first … then"), ("technicalTerms", 0.7, 0.10, "distributed, latency"), ("constraintCount", 0.5, 0.04, "at most")),
    ),
    Kind(
        Tier.REASONING, "anthropic/claude-opus-4-6", 2, (3400, 5200), (5.0, 25.0), (14.0, 70.0), "proof asked for",
        (("reasoningMarkers", 1.0, 0.18, "prove, theorem"), ("domainSpecificity", 0.6, 0.02, "lemma"), ("tokenCount", -0.3, 0.08, "64 tokens")),
    ),
)  # fmt: skip


class Scene:
    """Makes records one after the other.

    :param seed: the same seed makes the same records
    """

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._number = 0

    def past(self, now: float, count: int, minutes: float = 58.0) -> list[RequestRecord]:
        """Records of the last ``minutes``, oldest first; busier towards the end."""
        moments = sorted(now - minutes * 60 * self._random.random() ** 1.4 for _ in range(count))
        return [self.record(moment) for moment in moments]

    def record(self, moment: float) -> RequestRecord:
        """One finished request that began at ``moment``."""
        self._number += 1
        kind = self._random.choices(KINDS, [kind.weight for kind in KINDS])[0]
        record = self._answered(kind, moment)
        fate = self._random.random()
        if fate < 0.06:
            self._fall_back(record)
        elif fate < 0.09:
            _pre_route(record)
        elif fate < 0.11:
            _refuse(record)
        elif fate < 0.13:
            _fail(record)
        elif fate < 0.22:
            record.notes.append(Note("repaired", "messages[3]", "tool call without an answer"))
            record.notes.append(Note("dropped", "logprobs", "not offered by this provider"))
        return record

    def _answered(self, kind: Kind, moment: float) -> RequestRecord:
        chance = self._random
        provider, _, model = kind.model.partition("/")
        usage = Usage(
            input_tokens=int(kind.tokens[0] * chance.uniform(0.4, 1.7)),
            output_tokens=int(kind.tokens[1] * chance.uniform(0.3, 1.8)),
            cache_read_input_tokens=int(kind.tokens[0] * chance.uniform(0.0, 0.35)),
        )
        cost = (usage.input_tokens * kind.price[0] + usage.output_tokens * kind.price[1]) / 1e6
        seconds = chance.uniform(*kind.seconds)
        client, agent = chance.choice(CLIENTS)
        return RequestRecord(
            request_id=f"{self._number:08x}{chance.getrandbits(64):016x}",
            started_at=moment,
            path="/v1/chat/completions",
            method="POST",
            dialect="openai_chat_completions",
            client=client,
            user_agent=agent,
            conversation=f"conv-{chance.randrange(1, 9)}",
            model_requested="auto",
            model_resolved=kind.model,
            model_answered=kind.model,
            provider=provider,
            credential="claude-max" if provider == "anthropic" else "codex-plus",
            upstream_url=URLS[provider],
            decision=_decision(kind, usage, cost, chance.uniform(0.72, 0.97)),
            stream=True,
            tool_count=chance.choice((0, 0, 4, 12)),
            attempts=[Attempt(provider, model, "claude-max", URLS[provider], 200, "ok", None, seconds)],
            status=200,
            finish_reason="stop",
            spend_decision="allow",
            usage=usage,
            cost=cost,
            baseline_cost=(usage.input_tokens * 5.0 + usage.output_tokens * 25.0) / 1e6,
            paid_by="plan" if provider == "openai-codex" else "api",
            first_token_seconds=min(seconds * 0.6, chance.uniform(0.25, 1.4)),
            seconds=seconds,
            features={"text_length": 120, "input_tokens": usage.input_tokens + chance.randrange(-60, 200)},
        )

    def _fall_back(self, record: RequestRecord) -> None:
        first = record.attempts[0]
        first.status, first.outcome, first.reason = 429, "UpstreamRateLimitError", "five-hour window is used up"
        first.seconds = 0.21
        record.attempts.append(
            Attempt("openai", "gpt-5.6-sol", "openai-key", URLS["openai"], 200, "ok", None, (record.seconds or 1.0) - 0.21)
        )
        record.provider, record.model_answered, record.upstream_url = "openai", "openai/gpt-5.6-sol", URLS["openai"]
        record.paid_by = "api"


def health_snapshot(now: float) -> JsonObject:
    """What the health book says: one model cooling down, three plan windows."""

    def utc(moment: float) -> str:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")

    return {
        "cooldowns": [
            {"scope": "model", "provider": "deepseek", "name": "deepseek-chat", "until": utc(now + 95), "failures": 2, "reason": "overloaded (503)"}
        ],
        "windows": [
            {"provider": "anthropic", "credential": "claude-max", "window": "5h", "used": 0.63, "exhausted": False, "resets_at": utc(now + 7500)},
            {"provider": "anthropic", "credential": "claude-max", "window": "7d", "used": 0.84, "exhausted": False, "resets_at": utc(now + 259_200)},
            {"provider": "openai-codex", "credential": "codex-plus", "window": "300 min", "used": 0.22, "exhausted": False, "resets_at": utc(now + 13_000)},
        ],
    }  # fmt: skip


def spend_snapshot(now: float) -> JsonObject:
    """What the ledger says: two budgets."""
    midnight = (now // 86_400 + 1) * 86_400
    return {
        "budgets": [
            {
                "period": "day",
                "quantity": "microdollars",
                "scope": "",
                "used": 3_120_000,
                "most": 5_000_000,
                "resetsAt": midnight,
            },
            {"period": "day", "quantity": "requests", "scope": "client:nightly", "used": 96, "most": 100, "resetsAt": midnight},
        ]
    }


def notices(now: float) -> list[JsonObject]:
    """One thing to know."""
    words = "84% of the 7d window of anthropic claude-max is used"
    return [{"id": "window:7d", "kind": "window", "level": "warn", "words": words, "until": now + 259_200}]


def explanation(prompt: str) -> JsonObject:
    """What ``POST /v1/route/explain`` answers."""
    kind = KINDS[3] if "prove" in prompt.lower() else KINDS[1]
    return {
        "tier": kind.tier,
        "score": 0.62,
        "confidence": 0.93,
        "method": "rules",
        "reasoning": kind.reasoning,
        "dimensions": [
            {"name": name, "score": score, "weight": weight, "signal": signal} for name, score, weight, signal in kind.signals
        ],
        "floors": [],
        "hops": [
            {"model": kind.model, "reason": "first of the tier"},
            {"model": "openai/gpt-6-sol", "reason": "next of the tier"},
        ],
        "skipped": [{"model": "deepseek/deepseek-reasoner", "reason": "no credential"}],
        "costEstimate": 0.0312,
        "savings": 0.41,
    }


def _decision(kind: Kind, usage: Usage, cost: float, confidence: float) -> RoutingDecision:
    provider, _, model = kind.model.partition("/")
    dimensions = tuple(DimensionScore(*signal) for signal in kind.signals)
    baseline = (usage.input_tokens * 5.0 + usage.output_tokens * 25.0) / 1e6
    score = sum(dimension.score * dimension.weight for dimension in dimensions)
    return RoutingDecision(
        model=kind.model,
        tier=kind.tier,
        confidence=confidence,
        method="rules",
        reasoning=kind.reasoning,
        cost_estimate=cost * 1.1,
        baseline_cost=baseline * 1.1,
        savings=1 - cost / baseline,
        score=score,
        baseline_model=BASELINE,
        candidates=(Candidate(ModelInfo(provider, model), kind.tier, "first of the tier"),),
        classification=Classification(kind.tier, score, confidence, "rules", kind.reasoning, dimensions),
    )


def _pre_route(record: RequestRecord) -> None:
    assert record.decision is not None
    decision = record.decision
    record.decision = RoutingDecision(
        **{
            **{name: getattr(decision, name) for name in decision.__slots__},
            "skipped": (SkippedCandidate("deepseek/deepseek-chat", "cooling down for 95 s: overloaded (503)"),),
        }
    )


def _refuse(record: RequestRecord) -> None:
    record.attempts.clear()
    record.status, record.error_type, record.error_message = (
        429,
        "BudgetExceededError",
        "the daily budget of 100 requests is used up",
    )
    record.spend_decision, record.spend_code = "deny", "DAILY_BUDGET_EXCEEDED"
    _nothing_came(record)
    record.seconds = 0.002


def _fail(record: RequestRecord) -> None:
    attempt = record.attempts[0]
    attempt.status, attempt.outcome, attempt.reason = 529, "UpstreamOverloadedError", "overloaded"
    record.status, record.error_type, record.error_message = 503, "UpstreamOverloadedError", "every provider of this route failed"
    _nothing_came(record)


def _nothing_came(record: RequestRecord) -> None:
    record.usage = record.cost = record.baseline_cost = record.first_token_seconds = record.model_answered = (
        record.finish_reason
    ) = None
    record.paid_by = "api"
