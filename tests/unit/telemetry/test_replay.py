"""A replay under the same configuration reproduces every decision; under another it shows the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.content import BlobPart, Part, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, ResponseFormat, Tool
from openclaw_oauthrouter.canonical.routing import RouteHints, Tier
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.cli.recorded_routing import RecordedRouting
from openclaw_oauthrouter.cli.replay import compare
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.cli.tune import tune
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.telemetry.line_shape import has_shape
from openclaw_oauthrouter.telemetry.public import cost_as_json, public_record
from openclaw_oauthrouter.telemetry.routing_shape import is_whole

PROMPTS = (
    "hi",
    "What is the capital of Portugal?",
    "Write a Python function that merges two sorted lists, with tests.",
    "Design a multi-tenant event pipeline with exactly-once delivery; compare three stores.",
    "Prove that the square root of 2 is irrational.",
    "Refactor this module step by step, first the parser, then the writer, and keep the API.",
    "Übersetze diesen Satz ins Englische: Guten Morgen.",
    "证明根号二是无理数。",
    "thanks, that works",
)
IMAGE = BlobPart("image", "image/png", "iVBORw0KGgo=")

MakeRouter = Callable[..., Router]


@pytest.fixture
def make_router(tmp_path: Path) -> MakeRouter:
    """Routers as the gateway builds them, as if every provider had a credential."""

    def make(**routing: Any) -> Router:
        settings = load_settings(environ={}, overrides={"home": str(tmp_path), "routing": routing}).settings
        return Builder(settings, create_plugin_manager(load_entry_points=False)).router_alone(assume_credentials=True)

    return make


def ask(text: str, *parts: Part, model: str = "auto", **fields: Any) -> ChatRequest:
    return ChatRequest("openai_chat_completions", model, (Message("user", (TextPart(text), *parts)),), **fields)


def traffic() -> list[tuple[ChatRequest, RouteHints, str | None]]:
    """Requests of every kind, with their hints and conversations."""
    plain = RouteHints()
    proof = Message("user", (TextPart(PROMPTS[4]),))
    answer = Message("assistant", (TextPart("By contradiction."),))
    goes_on = ChatRequest("openai_chat_completions", "auto", (proof, answer, Message("user", (TextPart("go on"),))))
    return [
        *((ask(text), plain, f"c{number}") for number, text in enumerate(PROMPTS)),
        *((ask(text, model="auto-economy"), plain, None) for text in PROMPTS),
        (ask("what is on it?", IMAGE), plain, "picture"),
        (ask("read the file", tools=(Tool("read"), Tool("write"))), plain, "tools"),
        (ask("hi", max_output_tokens=200), RouteHints(tier=Tier.COMPLEX), "hinted"),
        (ask(PROMPTS[4]), RouteHints(max_tier=Tier.MEDIUM), "capped"),
        (ask("hi", model="anthropic/claude-opus-4-6"), plain, "explicit"),
        (ask(PROMPTS[4]), plain, "long"),
        (goes_on, plain, "long"),
        (goes_on, plain, "long"),
    ]


def recorded(router: Router) -> list[JsonObject]:
    """The trace of that traffic."""
    events = []
    for number, (request, hints, conversation) in enumerate(traffic()):
        routed = router.route(request, hints, conversation)
        info = routed.decision.candidates[0].info
        usage = Usage(1000 + number, 200, 300)
        router.answered(conversation, routed.decision, info, usage)
        record = RequestRecord(
            f"r{number}",
            1_795_000_000.0 + number,
            "/v1/chat/completions",
            "POST",
            conversation=conversation,
            model_requested=request.model,
            model_resolved=routed.decision.model,
            decision=routed.decision,
            attempts=[Attempt(info.provider, info.id, None, "https://x", 200, "ok")],
            status=200,
            usage=usage,
            features=routed.recorded(),
        )
        events.append(orjson.loads(orjson.dumps(public_record(record), default=str)))
    return events


def test_replay_same_configuration_reproduces_every_decision(make_router: MakeRouter) -> None:
    events = recorded(make_router())
    assert {event.get("routingTier") for event in events} == {*Tier, None}
    comparison = compare(RecordedRouting(make_router()), events)
    assert len(comparison.replayed) == len(events)
    assert [(one.event["requestId"], one.decision.tier, one.decision.model) for one in comparison.changed] == []
    assert comparison.kept == 0
    then, now = comparison.costs()
    assert then == now > 0


def test_replay_without_the_learned_term_too(make_router: MakeRouter) -> None:
    events = recorded(make_router(learned_score=False))
    assert compare(RecordedRouting(make_router(learned_score=False)), events).changed == []


def test_replay_another_model_for_a_tier(make_router: MakeRouter) -> None:
    events = recorded(make_router())
    other = {"SIMPLE": {"primary": "openai/gpt-5.4-mini"}}
    comparison = compare(RecordedRouting(make_router(tiers=other)), events)
    simple = [event["requestId"] for event in events if event.get("routingTier") == "SIMPLE"]
    assert [one.event["requestId"] for one in comparison.changed] == simple
    assert {one.decision.model for one in comparison.changed} == {"openai/gpt-5.4-mini"}
    then, now = comparison.costs()
    assert now != then


def test_replay_other_cut_points_move_tiers_but_not_minimum_tiers_and_wishes(make_router: MakeRouter) -> None:
    events = recorded(make_router())
    by_id = {one.event["requestId"]: one for one in compare(RecordedRouting(make_router(cut_points=(9, 9, 9))), events).replayed}
    proof = next(
        event["requestId"] for event in events if any("REASONING" in floor for floor in (event["routing"].get("floors") or ()))
    )
    assert by_id[proof].decision.tier is Tier.REASONING
    hinted = next(event["requestId"] for event in events if event.get("conversation") == "hinted")
    assert by_id[hinted].decision.tier is Tier.COMPLEX
    assert sum(one.decision.tier is Tier.SIMPLE for one in by_id.values()) > sum(
        event.get("routingTier") == "SIMPLE" for event in events
    )


def test_replay_what_was_out_of_order_then_stays_so(make_router: MakeRouter) -> None:
    [event] = [event for event in recorded(make_router()) if event["requestId"] == "r0"]
    first, second = (candidate["model"] for candidate in event["routing"]["hops"][:2])
    event["routing"]["skipped"] = [{"model": first, "reason": "cooling down for 12 s: overloaded"}]
    event["routing"]["hops"] = event["routing"]["hops"][1:]
    event["modelIdResolved"] = second
    event["attempts"] = []
    replayed = RecordedRouting(make_router()).route(event)
    assert replayed.decision.model == second
    assert not replayed.differs


@pytest.mark.parametrize("place", [0, 1, 2])
def test_replay_what_was_out_of_order_for_a_while_was_so_only_then(place: int, make_router: MakeRouter) -> None:
    router = make_router()
    blocked: set[str] = set()
    eligibility = replace(
        router.eligibility,
        blocked=lambda provider, model: "cooling down for 12 s" if f"{provider}/{model}" in blocked else None,
        calm=lambda: not blocked,
    )
    router = replace(router, choosing=replace(router.choosing, eligibility=eligibility))
    request = ask(PROMPTS[3])
    events = [event_of(router, request, f"before-{place}")]
    blocked.add(events[0]["routing"]["hops"][place]["model"])
    events.append(event_of(router, request, f"during-{place}"))
    assert {one["model"] for one in events[1]["routing"]["skipped"]} == blocked
    assert ("preRoute" in events[1]) == (place == 0)
    blocked.clear()
    events.append(event_of(router, request, f"after-{place}"))
    for event, again in zip(events, compare(RecordedRouting(make_router()), events).replayed, strict=True):
        assert not again.differs
        sums = [(hop["model"], hop["cost"]) for hop in event["routing"]["hops"] if hop["cost"]]
        assert [(one.info.name, cost_as_json(one.cost)) for one in again.decision.candidates[: len(sums)]] == sums


def from_a_tool(*parts: Part) -> Message:
    return Message("user", (ToolCallResponsePart("call_1", parts),))


NEEDING: dict[str, ChatRequest] = {
    "an image": ask(PROMPTS[3], IMAGE),
    "a document": ask(PROMPTS[3], BlobPart("document", "application/pdf", "JVBERi0=")),
    "sound": ask(PROMPTS[3], BlobPart("audio", "audio/wav", "UklGRg==")),
    "tools": ask(PROMPTS[3], tools=(Tool("read"),)),
    "any JSON": ask(PROMPTS[3], response_format=ResponseFormat("json_object")),
    "a shape": ask(PROMPTS[3], response_format=ResponseFormat("json_schema", {"type": "object"}, "shape")),
    "text": ask(PROMPTS[3], response_format=ResponseFormat("text")),
    "a tool's image": ChatRequest(
        "openai_chat_completions",
        "auto",
        (
            Message("user", (TextPart(PROMPTS[3]),)),
            Message("assistant", (ToolCallPart("call_1", "look", "{}"),)),
            from_a_tool(IMAGE, TextPart("a picture")),
        ),
        tools=(Tool("look"),),
    ),
}


@pytest.mark.parametrize("kind", NEEDING)
def test_replay_requests_need_of_a_model_what_they_needed(kind: str, make_router: MakeRouter) -> None:
    chain = {"primary": "deepseek/deepseek-chat", "fallback": ["deepseek/deepseek-flash", "anthropic/claude-haiku-4-5"]}
    tiers = {tier.value: chain for tier in Tier}
    event = event_of(make_router(tiers=tiers), NEEDING[kind], None)
    [again] = compare(RecordedRouting(make_router(tiers=tiers)), [event]).replayed
    assert not again.differs
    assert [one.info.name for one in again.decision.candidates[:8]] == [hop["model"] for hop in event["routing"]["hops"]]
    assert [(one.model, one.reason) for one in again.decision.skipped] == [
        (one["model"], one["reason"]) for one in event["routing"]["skipped"]
    ]


@pytest.mark.parametrize("profile", ["economy", "balanced", "quality"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_replay_profile_that_a_header_asked_for_stays(prompt: str, profile: Any, make_router: MakeRouter) -> None:
    event = event_of(make_router(), ask(prompt), None, RouteHints(profile=profile))
    [again] = compare(RecordedRouting(make_router()), [event]).replayed
    assert not again.differs
    assert again.decision.forecast is not None
    assert again.decision.forecast.shortfall == event["routing"]["forecast"]["shortfall"]


def event_of(router: Router, request: ChatRequest, conversation: str | None, hints: RouteHints | None = None) -> JsonObject:
    """What the trace holds of one request."""
    routed = router.route(request, hints or RouteHints(), conversation)
    record = RequestRecord(
        f"of-{conversation}",
        1_795_000_000.0,
        "/v1/chat/completions",
        "POST",
        conversation=conversation,
        model_requested=request.model,
        model_resolved=routed.decision.model,
        decision=routed.decision,
        status=200,
        features=routed.recorded(),
    )
    event: JsonObject = orjson.loads(orjson.dumps(public_record(record), default=str))
    return event


def test_replay_record_without_scores_keeps_its_tier(make_router: MakeRouter) -> None:
    event: JsonObject = {
        "ts": 1,
        "modelIdRequested": "auto",
        "modelIdResolved": "x/y",
        "routingTier": "COMPLEX",
        "routing": {"method": "mine"},
    }
    comparison = compare(RecordedRouting(make_router()), [event])
    assert comparison.as_json()["cost"] is comparison.as_json()["billedByToken"] is None
    assert comparison.kept == 1
    assert comparison.replayed[0].decision.tier is Tier.COMPLEX


def test_replay_model_that_is_no_longer_served_is_told_not_raised(make_router: MakeRouter) -> None:
    event: JsonObject = {"ts": 1, "modelIdRequested": "gone/model", "modelIdResolved": "gone/model"}
    comparison = compare(RecordedRouting(make_router()), [event])
    assert list(comparison.unroutable.values()) == [1]


def test_command(tmp_path: Path, make_router: MakeRouter) -> None:
    logs = tmp_path / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "routing-trace.jsonl").write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in recorded(make_router())))
    present, other = tmp_path / "present.toml", tmp_path / "other.toml"
    present.write_text(f'home = "{tmp_path}"\n')
    other.write_text(f'home = "{tmp_path}"\n[routing]\nmax_tier = "SIMPLE"\n')
    days = ["--days", "100000"]

    def run(*arguments: str) -> str:
        result = CliRunner(env={"COLUMNS": "200"}).invoke(root, ["--config", str(present), "replay", *days, *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    unnamed = CliRunner().invoke(root, ["replay", *days, "--config", str(other), "--json"], env={"OAUTHROUTER_CONFIG": ""})
    assert orjson.loads(unnamed.stdout)["trace"] == str(logs / "routing-trace.jsonl")
    told = orjson.loads(run("--config", str(other), "--json"))
    assert told["requests"] == len(traffic())
    assert {move["to"].split()[0] for move in told["moves"]} == {"SIMPLE"}
    assert "would go elsewhere" in run("--config", str(other))
    assert "0 would go elsewhere (0%)" in run()
    (logs / "routing-trace.jsonl").write_bytes(
        orjson.dumps({"ts": 1_795_000_000_000, "modelIdResolved": "anthropic/x"}) + b"\n[]\n"
    )
    assert "cost: not known" in run()
    assert "1 damaged lines of the trace were passed over" in run()
    (logs / "routing-trace.jsonl").write_bytes(b"[]\n")
    assert run().startswith(f"nothing recorded to replay from the last 100000 days of {logs / 'routing-trace.jsonl'}\n1 damaged")


def test_replay_keeps_of_many_requests_only_what_it_tells(make_router: MakeRouter) -> None:
    events = recorded(make_router())
    other = make_router(profile="quality")
    whole, lean = compare(RecordedRouting(other), events), compare(RecordedRouting(other), iter(events), lean=True)
    assert lean.as_json() == whole.as_json()
    assert len(orjson.dumps([one.event for one in lean.replayed])) < len(orjson.dumps(events)) / 5


def test_recorded_sums_come_out_the_same_bit_for_bit(make_router: MakeRouter) -> None:
    events = recorded(make_router())
    comparison = compare(RecordedRouting(make_router()), events)
    same, told = comparison.recomputed
    automatic = [event for event in events if event.get("routingTier")]
    assert same == told == len(automatic)
    automatic[0]["routing"]["hops"][0]["cost"]["turn"] += 1
    assert compare(RecordedRouting(make_router()), events).recomputed == (told - 1, told)


def test_replay_another_configuration_is_costed_with_the_caches_it_would_have(make_router: MakeRouter) -> None:
    """A conversation of two turns with a long prompt: what the first wrote to the cache, the second reads, at the other model too."""
    router = make_router()
    prompt = ask(PROMPTS[3])
    events = []
    for number in range(2):
        routed = router.route(prompt, RouteHints(), "two turns")
        info = routed.decision.candidates[0].info
        usage = Usage(100_000, 200, 99_000 * number, 1000 if number else 100_000)
        router.answered("two turns", routed.decision, info, usage)
        record = RequestRecord(
            f"t{number}",
            1_795_000_000.0 + number,
            "/v1/chat/completions",
            "POST",
            conversation="two turns",
            model_requested="auto",
            model_resolved=routed.decision.model,
            decision=routed.decision,
            attempts=[Attempt(info.provider, info.id, None, "https://x", 200, "ok")],
            status=200,
            usage=usage,
            features=routed.recorded(),
        )
        events.append(orjson.loads(orjson.dumps(public_record(record), default=str)))
    tier = events[0]["routingTier"]
    other = "anthropic/claude-opus-4-6"
    one, two = compare(RecordedRouting(make_router(tiers={tier: {"primary": other}})), events).replayed
    assert one.decision.model == two.decision.model == other
    assert one.cost_now is not None
    assert two.cost_now is not None
    assert two.cost_now < one.cost_now / 3


def with_answer(event: JsonObject, at: float, seconds: float, **tokens: Any) -> JsonObject:
    """A record of another moment, with what its answer used."""
    used = {"input": 100_000, "output": 200, "cacheRead": 0, "cacheCreation": 100_000, **tokens}
    return {**event, "ts": int(at * 1000), "latencyMs": seconds * 1000, "tokens": used}


@pytest.mark.parametrize("hour", [100_000, 0])
def test_replay_cache_that_was_written_for_an_hour_lives_for_an_hour(hour: int, make_router: MakeRouter) -> None:
    event = event_of(make_router(), ask(PROMPTS[3]), "with a break")
    begun = 1_795_000_000.0
    events = [with_answer(event, begun, 2, cacheCreation1h=hour), with_answer(event, begun + 1800, 2)]
    _, second = compare(RecordedRouting(make_router()), events).replayed
    costs = {one.info.name: one.cost for one in second.decision.candidates}
    kept = costs[event["modelIdResolved"]]
    assert kept is not None
    assert kept.cached_tokens == hour


@pytest.mark.parametrize(("later", "known"), [(1.0, False), (7.9, False), (8.0, True), (20.0, True)])
def test_replay_request_knows_what_was_answered_when_it_came(later: float, known: bool, make_router: MakeRouter) -> None:
    event = event_of(make_router(), ask(PROMPTS[3]), "overlapping")
    begun = 1_795_000_000.0
    events = [with_answer(event, begun, 8), with_answer(event, begun + later, 8)]
    _, second = compare(RecordedRouting(make_router()), events).replayed
    assert second.decision.candidates[0].reason.startswith("kept: ") == known


@pytest.mark.parametrize(("since", "known"), [(-1000.0, True), (50.0, False), (500.0, True)])
def test_replay_gateway_started_anew_knows_no_conversation(since: float, known: bool, make_router: MakeRouter) -> None:
    """The last one cannot be: a clock was set back, and says nothing."""
    event = event_of(make_router(), ask(PROMPTS[3]), "goes on")
    begun = 1_795_000_000.0
    first, second = with_answer(event, begun, 8), with_answer(event, begun + 100, 8)
    second["routing"] = {**second["routing"], "remembersSince": int((begun + since) * 1000)}
    _, told = compare(RecordedRouting(make_router()), [first, second]).replayed
    assert told.decision.candidates[0].reason.startswith("kept: ") == known


def test_replay_tells_the_share_of_windows_by_what_a_dollar_took_of_them(make_router: MakeRouter) -> None:
    event = event_of(make_router(), ask(PROMPTS[3]), None)
    for hop in event["routing"]["hops"]:
        if hop["cost"] and hop["model"].startswith("anthropic/"):
            hop["cost"]["shadow"] = 0.5
    model = event["modelIdResolved"]
    assert model.startswith("anthropic/")
    one = {**with_answer(event, 1_795_000_000.0, 1), "windows": [{"window": "5h", "used": 0.1, "estimatedShare": 0.04}]}
    two = {**one, "ts": one["ts"] + 100_000, "windows": [{"window": "5h", "used": 0.2, "estimatedShare": None}]}
    same = compare(RecordedRouting(make_router()), [one, two])
    assert list(same.windows()) == [("anthropic", "5h")]
    assert same.windows()["anthropic", "5h"] == pytest.approx((0.08, 0.08))
    assert same.keys() == (0.0, 0.0)
    tiers = {event["routingTier"]: {"primary": "openai/gpt-5.4-mini"}}
    moved = compare(RecordedRouting(make_router(exclude=[model], tiers=tiers)), [one, two])
    then, now = moved.windows()["anthropic", "5h"]
    assert then == pytest.approx(0.08)
    assert now < then


@pytest.mark.parametrize(("paid_by", "plan"), [("plan", "openai-codex"), ("extra", None), ("api", None)])
def test_replay_counts_what_answered_where_a_fallback_did(paid_by: str, plan: str | None, make_router: MakeRouter) -> None:
    event = with_answer(event_of(make_router(), ask(PROMPTS[3]), None), 1_795_000_000.0, 1)
    provider, model = "openai-codex", "gpt-6.2-sol"
    event |= {"providerId": provider, "modelIdRouted": f"{provider}/{model}", "paidBy": paid_by}
    event["windows"] = [{"window": "codex 300 min", "used": 0.1, "estimatedShare": 0.02}] if plan else []
    first = {"provider": "anthropic", "model": event["modelIdResolved"].partition("/")[2], "outcome": "overloaded"}
    event["attempts"] = [first, {"provider": provider, "model": model, "outcome": "ok"}]
    comparison = compare(RecordedRouting(make_router()), [event])
    [again] = comparison.replayed
    assert not again.differs
    assert again.answered_then == again.answered_now == f"{provider}/{model}"
    assert (again.plan_then, again.plan_now) == (plan, plan)
    assert again.cost_then == again.cost_now
    assert list(comparison.windows()) == ([(provider, "codex 300 min")] if plan else [])
    assert (comparison.keys()[0] > 0) == (plan is None)


def test_replay_needs_no_credentials_of_its_own(tmp_path: Path, make_router: MakeRouter) -> None:
    """The gateway's service may have them in an environment that the command's shell does not have."""
    events = recorded(make_router())
    settings = load_settings(environ={}, overrides={"home": str(tmp_path), "credentials": {"order": ["config"]}}).settings
    without = Builder(settings, create_plugin_manager(load_entry_points=False)).router_alone()
    comparison = compare(RecordedRouting(without), events)
    assert not comparison.unroutable
    assert not comparison.changed
    old = {
        "ts": 1,
        "requestId": "r",
        "modelIdRequested": "auto",
        "modelIdResolved": "anthropic/claude-haiku-4-5",
        "routingTier": "SIMPLE",
    }
    assert not compare(RecordedRouting(without), [old]).unroutable


ODD: tuple[Any, ...] = (None, -1, 1.5, "x", [], [1], {}, {"x": 1}, True, 1e300, "REASONING")


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Of everything within a record; of a list, its first entry."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def altered(event: JsonObject, path: tuple[str | int, ...], *put: Any) -> JsonObject:
    """Another value in a place, or none."""
    changed: Any = orjson.loads(orjson.dumps(event))
    within = changed
    for step in path[:-1]:
        within = within[step]
    if put:
        within[path[-1]] = put[0]
    else:
        del within[path[-1]]
    return changed


def test_replay_and_tune_bear_whatever_stands_in_a_record(make_router: MakeRouter, tmp_path: Path) -> None:
    event = next(event for event in recorded(make_router()) if event["routing"].get("forecast") and event["routing"]["floors"])
    event["routing"].update(agent=True, turn="task", askedProfile="economy")
    event["tokens"] |= {"cacheCreation1h": 10, "webSearches": 1, "serviceTier": "priority", "speed": "fast"}
    event["windows"] = [{"window": "5h", "used": 0.2, "estimatedShare": 0.01}]
    event["features"]["flight"] = {"calls": 3, "failures": 1, "from a later version": 2}
    odd = [altered(event, path, *put) for path in places(event) for put in (*((value,) for value in ODD), ())]
    odd = [one for one in odd if has_shape(one) and one.get("modelIdResolved")]
    comparison = compare(RecordedRouting(make_router()), [event, *odd])
    assert comparison.passed_over > 100
    assert len(comparison.replayed) + comparison.unroutable.total() + comparison.passed_over == len(odd) + 1
    assert comparison.as_json()["passedOver"] == comparison.passed_over
    settings = load_settings(environ={}, overrides={"home": str(tmp_path)}).settings
    assert tune(settings, [one for one in odd if is_whole(one)]).tasks > 0
