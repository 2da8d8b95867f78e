"""The public JSON keeps the original's names and never tells a secret."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.telemetry.public import public_record
from openclaw_oauthrouter.telemetry.redact import redact
from tests.unit.telemetry.records import fallen_back, pre_routed, record


def test_fields_of_the_original() -> None:
    event = public_record(record())
    expected = {
        "ts": 1_795_000_000_250,
        "requestId": "0123456789abcdef01234567",
        "path": "/v1/chat/completions",
        "method": "POST",
        "sessionKey": "user-7",
        "modelIdRequested": "auto",
        "modelIdResolved": "anthropic/claude-haiku-4-5",
        "modelIdRouted": "anthropic/claude-haiku-4-5",
        "routingTier": "SIMPLE",
        "routingConfidence": 0.91,
        "routingReasoning": "short question",
        "providerId": "anthropic",
        "upstreamUrl": "https://api.anthropic.com/v1/messages",
        "status": 200,
        "latencyMs": 2000.0,
        "stream": True,
        "toolCount": 2,
        "tier": "SIMPLE",
        "spend": {"decision": "allowed"},
    }
    assert {name: event.get(name) for name in expected} == expected
    assert not {"preRoute", "fallback", "errorMessage"} & event.keys()


def test_additions() -> None:
    event = public_record(record())
    assert event["tokens"] == {
        "inputEstimated": 950,
        "input": 1000,
        "output": 300,
        "cacheRead": 400,
        "cacheCreation": 0,
        "reasoning": 0,
    }
    assert event["cost"] == {"estimated": 0.002, "actual": 0.004, "baseline": 0.02, "saved": 0.016}
    assert event["firstTokenMs"] == 500.0
    assert event["tokensPerSecond"] == 200.0
    assert event["routing"]["dimensions"] == [{"name": "simpleIndicators", "score": -0.9, "weight": 0.12, "signal": "what is"}]
    assert event["routing"]["floors"] == ["structured output needs MEDIUM"]
    assert event["notes"] == [{"action": "dropped", "subject": "logprobs", "reason": "not offered"}]


def test_public_retry_is_no_fallback() -> None:
    event = public_record(fallen_back())
    assert len(event["attempts"]) == 3
    assert event["fallback"] == {
        "triggered": True,
        "attempts": [
            {
                "fromProvider": "anthropic",
                "toProvider": "openai",
                "fromStatus": 429,
                "toStatus": 200,
                "requestedModel": "anthropic/claude-haiku-4-5",
                "fallbackModel": "openai/gpt-5.4-mini",
            }
        ],
        "requestedModel": "anthropic/claude-haiku-4-5",
        "fallbackModel": "openai/gpt-5.4-mini",
    }


def test_public_record_savings_are_of_measured_costs_only() -> None:
    event = public_record(record(baseline_cost=None))
    assert event["cost"] == {"estimated": 0.002, "actual": 0.004}
    assert "savings" not in event
    dearer = public_record(record(baseline_cost=0.002))
    assert (dearer["cost"]["saved"], dearer["savings"]) == (-0.002, -1.0)


def test_public_record_unknown_cost_is_null_and_names_the_model() -> None:
    event = public_record(record(cost=None, baseline_cost=None))
    assert event["cost"] == {"estimated": 0.002, "actual": None, "unpriced": "anthropic/claude-haiku-4-5"}
    assert "cost" not in public_record(record(cost=None, baseline_cost=None, usage=None, decision=None))


def test_pre_route_names_what_was_passed_over() -> None:
    event = public_record(pre_routed())
    assert event["preRoute"] == {
        "triggered": True,
        "fromProvider": "openai-codex",
        "toProvider": "anthropic",
        "requestedModel": "auto",
        "routedModel": "anthropic/claude-haiku-4-5",
        "reason": "cooling down for 12 s",
    }


def test_prompt_only_when_asked_for() -> None:
    assert b"launch code" not in orjson.dumps(public_record(record()))
    event = public_record(record(), prompts=True)
    assert event["promptText"] == "what is the launch code"
    assert event["features"]["text"] == "what is the launch code"


def test_public_no_secret_survives() -> None:
    shown = orjson.dumps(public_record(fallen_back(), prompts=True))
    assert b"sk-ant" not in shown
    assert b"sesame" not in shown


def test_public_request_that_ended_before_it_was_routed() -> None:
    event = public_record(RequestRecord("id", 1.0, "/v1/messages", "POST", status=401, error_message="no token"))
    assert event["status"] == 401
    assert event["errorMessage"] == "no token"
    assert not {"routingTier", "cost", "tokens", "routing", "savings"} & event.keys()


def test_redaction() -> None:
    secrets = (
        "sk-ant-oat01-AAAABBBBCCCCDDDD",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0xx.c2lnbmF0dXJl",
        "Bearer abcdefgh12345678",
        "https://x/?token=hunter2hunter2",
    )
    for secret in secrets:
        cleaned = redact(f"refused {secret} by peer")
        assert secret.rpartition("=")[2] not in cleaned
        assert cleaned.startswith("refused ")
        assert cleaned.endswith(" by peer")
    assert redact("ordinary words, sk-1, task-list") == "ordinary words, sk-1, task-list"
