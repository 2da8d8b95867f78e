"""Thirty requests of one OpenClaw conversation, as captured and carried on: the model changes only when that is needed or cheaper."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo, RouteHints, RoutingDecision
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.routing.prices import cost_of
from openclaw_oauthrouter.routing.router import Router
from tests.support.recordings import SHARED

CAPTURE = SHARED / "openclaw-captures" / "comp-02.json"
pytestmark = pytest.mark.skipif(not CAPTURE.exists(), reason="needs the captured requests of OpenClaw")

# What the user says, and how often the agent then calls a tool before it answers.
TASKS = (
    ("Run the tests of the parser module and tell me which of them fail", 5),
    ("ok, fix the first one", 5),
    ("thanks!", 0),
    ("What time is it in Oslo?", 0),
    (
        "Redesign the parser as a streaming state machine that copes with nested quotes: keep the public API, migrate the callers, "
        "write property tests, then benchmark both versions and explain the trade-offs",
        10,
    ),
    ("yes, do it", 3),
    ("great, thank you", 0),
)
ANSWER_TOKENS = 120
LISTING = "tests/test_parser.py::test_quotes FAILED expected 3 tokens, found 2\n" * 12


@dataclass(frozen=True)
class Step:
    """One request, how it was decided, what it used and cost."""

    request: ChatRequest
    decision: RoutingDecision
    info: ModelInfo
    usage: Usage
    cost: float


def requests() -> Iterator[ChatRequest]:
    """The captured request, with the conversation carried on as that host does it."""
    body: dict[str, Any] = json.loads(CAPTURE.read_text(encoding="utf-8"))["body"]
    captured = json.loads(body) if isinstance(body, str) else body
    system, context = captured["messages"][0], captured["messages"][-1]
    said: list[dict[str, Any]] = []
    for minute, (words, calls) in enumerate(TASKS):
        said.append({"role": "user", "content": f"[Sun 2026-11-22 15:{minute + 6:02} UTC] {words}"})
        for number in range(calls + 1):
            yield decoded({**captured, "messages": [system, *copy.deepcopy(said), context]})
            if number < calls:
                call = {"id": f"call{minute}x{number}", "type": "function", "function": {"name": "exec", "arguments": "{}"}}
                said.append({"role": "assistant", "content": None, "tool_calls": [call]})
                said.append({"role": "tool", "tool_call_id": call["id"], "content": LISTING})
        said.append({"role": "assistant", "content": "Done as you asked. " * 8})


def decoded(body: dict[str, Any]) -> ChatRequest:
    return ChatCompletions(lambda: 0.0).decode_request(body, {})


def used(prompt: int, cached: int) -> Usage:
    """What a provider with prompt caching reports: what it knew is read, the rest is written."""
    return Usage(prompt, ANSWER_TOKENS, cache_read_input_tokens=cached, cache_creation_input_tokens=prompt - cached)


RISING = {
    "MEDIUM": {"primary": "anthropic/claude-haiku-4-5"},
    "COMPLEX": {"primary": "anthropic/claude-sonnet-5-5"},
}
"""Tiers between which the model changes; computed ones may have the same model for both of the conversation's tiers."""


@pytest.fixture(scope="module", params=[{}, {"tiers": RISING}], ids=["computed", "rising"])
def router(request: pytest.FixtureRequest) -> Router:
    return Builder(Settings(routing=request.param), create_plugin_manager(load_entry_points=False)).router_alone(
        assume_credentials=True
    )


@pytest.fixture(scope="module")
def steps(router: Router) -> list[Step]:
    """The conversation, routed. Each model keeps its own prompt in its cache."""
    cached: dict[str, int] = {}
    out: list[Step] = []
    for request in requests():
        decision = router.route(request, RouteHints(), "the conversation").decision
        info = decision.candidates[0].info
        prompt = router.estimate(request, info).input_tokens
        usage = used(prompt, cached.get(info.name, 0))
        cached[info.name] = prompt
        router.answered("the conversation", decision, info, usage)
        price = router.prices.price(info)
        assert price is not None
        out.append(Step(request, decision, info, usage, cost_of(usage, price)))
    return out


def fixed_cost(router: Router, steps: list[Step], info: ModelInfo) -> float:
    """What the conversation would have cost with one model from beginning to end."""
    price = router.prices.price(info)
    assert price is not None
    cached = 0
    costs: list[float] = []
    for step in steps:
        prompt = router.estimate(step.request, info).input_tokens
        costs.append(cost_of(used(prompt, cached), price))
        cached = prompt
    return sum(costs)


def test_agent_conversation_it_is_the_conversation_of_thirty_requests(steps: list[Step]) -> None:
    assert len(steps) == 30
    assert len({step.decision.tier for step in steps}) > 1
    assert steps[-1].usage.input_tokens > 20_000


def test_agent_conversation_model_never_changes_needlessly(router: Router, steps: list[Step]) -> None:
    for before, after in pairwise(steps):
        if after.info == before.info:
            continue
        assert after.decision.tier is not None
        assert before.decision.tier is not None
        if after.decision.tier.rank > before.decision.tier.rank:
            continue
        stay, leave = router.prices.price(before.info), router.prices.price(after.info)
        assert stay is not None
        assert leave is not None
        prompt = after.usage.input_tokens
        staying = cost_of(used(prompt, before.usage.input_tokens), stay)
        leaving = cost_of(used(prompt, 0), leave)
        assert leaving < staying, f"{before.info.name} -> {after.info.name}: {after.decision.reasoning}"


def test_agent_conversation_tool_loop_stays_with_its_model_once_it_runs(steps: list[Step]) -> None:
    at = 0
    for _, calls in TASKS:
        loop = steps[at + 1 : at + calls + 1]
        assert len({step.info.name for step in loop}) <= 1, [step.info.name for step in loop]
        at += calls + 1


def test_agent_conversation_what_it_costs_against_one_model_from_beginning_to_end(router: Router, steps: list[Step]) -> None:
    """Prompt caches make one fixed model a strong rival: a conversation that rises late pays its whole prompt once more.

    So routing must beat the baseline model clearly, and may cost more than the model the conversation ends with by no more than
    the prompts that its rises write anew.
    """
    routed = sum(step.cost for step in steps)
    rivals = {step.info: fixed_cost(router, steps, step.info) for step in steps}
    baseline = next(info for info in (router.providers["anthropic"].models()) if info.name == steps[0].decision.baseline_model)
    rises = [after for before, after in pairwise(steps) if before.info != after.info]
    written_anew = sum(after.cost for after in rises)
    shown = {"routed": routed, baseline.name: fixed_cost(router, steps, baseline)} | {c.name: cost for c, cost in rivals.items()}
    print(f"{len(steps)} requests, {len(rises)} switches:", ", ".join(f"{name} ${cost:.4f}" for name, cost in shown.items()))
    assert routed < 0.75 * shown[baseline.name]
    assert routed <= rivals[steps[-1].info] + written_anew
    assert routed >= min(rivals.values())
