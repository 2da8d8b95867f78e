"""What ``auto`` does with agents' traffic, offline and in under two minutes: ``python benchmarks/agents.py [tasks.jsonl]``.

One table: shares of the tiers, money and caches over recorded runs, policies on held-back halves, plan windows, digressions, side requests,
time. Real are the router, the classifier, the health registry and the prices; answers, caches and windows are simulated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_policies import FACTORS, RULES, most_in_hindsight, scored
from agent_world import (
    NO_HINTS,
    SECONDS_A_CALL,
    START,
    TOOLS,
    Clock,
    Driver,
    Shape,
    account_router,
    chat,
    price_router,
    shared,
    text_shape,
    tool_shape,
)

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.cli.serve import settle_memory
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.routing.router import Router

TRAJECTORIES = 60
ROUNDS, ROUND = 12, 100
PLAN_TOKEN = "sk-ant-oat01-benchmark"
PAID_KEY = "sk-ant-api03-benchmark"

DESIGN = "Design a multi-tenant event pipeline with exactly-once delivery; compare two storage layouts"
REFACTOR = (
    "Redesign the parser as a streaming state machine that copes with nested quotes, keep the public API and migrate the callers"
)
DIGRESSIONS: tuple[tuple[str, ...], ...] = (
    (DESIGN, "what is the capital of France?", "continue with the pipeline", "now add the dead letter queue to the pipeline"),
    (REFACTOR, "thanks!", "what time is it in Oslo?", "ok, go on with the parser"),
    (DESIGN, "translate 'good morning' to German", "and now the retention policy of the pipeline's storage layouts"),
    (REFACTOR, "who wrote Hamlet, and when was it first performed?", "continue"),
    (DESIGN, "how do you spell necessary", "hm, tell me a joke", "back to work: finish the design"),
    ("Prove that every bounded monotone sequence of real numbers converges", "what's 12*12?", "does the proof work for nets?"),
    (
        REFACTOR,
        "is it raining in Bergen today?",
        'Traceback (most recent call last):\n  File "p.py", line 3\nValueError: bad quote',
    ),
    (DESIGN, "hi again", "yes, do it"),
)
"""A task, digressions from it, and a return to it."""

SHORT_WORK = (
    "git rebase onto main and resolve conflicts",
    "why is the build red?",
    "fix the failing tests",
    "our pods keep crashlooping",
)


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    measure: str
    found: str
    goal: str
    met: bool


def tier_shares(tasks: list[dict[str, Any]], router: Router) -> Iterator[Line]:
    """How the first requests of the tasks are spread over the tiers."""
    shapes: dict[str, Callable[[dict[str, Any]], ChatRequest]] = {
        "tools offered": lambda task: next(tool_shape(task))[0],
        "text only": lambda task: next(text_shape(task))[0],
        "issue text alone": lambda task: chat(task["text"]),
    }
    for name, request_of in shapes.items():
        tiers = Counter(router.route(request_of(task), NO_HINTS, None).decision.tier for task in tasks)
        largest = max(tiers.values()) / len(tasks)
        spread = " ".join(f"{tier[:1]} {tiers[tier] / len(tasks):.0%}" for tier in Tier)
        yield Line(f"largest tier share, {name}", f"{largest:.0%} ({spread})", "<= 60 %", largest <= 0.6)


def trajectories(tasks: list[dict[str, Any]], router: Router, clock: Clock) -> Iterator[Line]:
    """Recorded runs, call by call."""
    for name, shape in (("tool calls", tool_shape), ("text", text_shape)):
        drivers = [drive(router, clock, f"{name} {number}", shape, task) for number, task in enumerate(tasks[:TRAJECTORIES])]
        cost = sum(driver.cost for driver in drivers)
        dearest = max(
            (sum(fixed_cost(router, model, task) for task in tasks[:TRAJECTORIES]), model)
            for model in {model for driver in drivers for model in driver.models} | {router.choosing.chains[Tier.REASONING][0]}
        )
        share = cost / dearest[0]
        thrown = sum(driver.thrown_away for driver in drivers) / 1e6
        switches = sum(driver.switches for driver in drivers) / len(drivers)
        calls = sum(len(driver.models) for driver in drivers)
        yield Line(
            f"{TRAJECTORIES} runs, {calls} calls, as {name}: dollars against {dearest[1]} throughout",
            f"${cost:.2f} of ${dearest[0]:.2f}, {share:.0%}",
            "<= 65 %",
            share <= 0.65,
        )
        yield Line("  cached tokens thrown away", f"{thrown:.2f} M", "<= 0.1 M", thrown <= 0.1)
        yield Line("  switches a task", f"{switches:.2f}", "<= 0.5", switches <= 0.5)
        moved = sum(any(decision.forecast and decision.forecast.lift > 0 for decision in driver.decisions) for driver in drivers)
        yield Line("  tasks that signals in flight lift", f"{moved} of {len(drivers)}", "told, not measured", True)


def drive(router: Router, clock: Clock, key: str, shape: Shape, task: dict[str, Any]) -> Driver:
    """One recorded run."""
    driver = Driver(router, clock, key)
    for request, prompt, output in shape(task):
        driver.call(request, prompt, output)
    clock.now += 10_000
    return driver


def fixed_cost(router: Router, model: str, task: dict[str, Any]) -> float:
    """The run with one model throughout, everything it has seen in its cache."""
    info = router.choosing.model_info(model)
    assert info is not None
    held, total = 0, 0.0
    for step in task["steps"]:
        usage = Usage(step[0], step[1], min(held, step[0]), step[0] - min(held, step[0]))
        total += router.prices.actual(info, usage, START) or 0.0
        held = step[0]
    return total


def policies(tasks: list[dict[str, Any]]) -> Iterator[Line]:
    """A policy chosen on one half of the tasks, scored on the other."""
    found = scored(tasks)
    names = ", ".join(
        f"{name.split(' (')[0]} {count}" for name, count in sorted(found.chosen.items(), key=lambda item: -item[1])[:3]
    )
    yield Line(
        "200 splits: solved against the model that solves most of all (mean; 5 % of the splits below)",
        f"{found.solved:.1%}; {found.solved_low:.1%}",
        ">= 100 %",
        found.solved >= 1.0,
    )
    yield Line("  cost against it", f"{found.cost:.1%} (begins with: {names})", "<= 70 %", found.cost <= 0.7)
    for rule in RULES:
        split = scored(tasks, factors=FACTORS, rule=rule)
        yield Line(
            f"  the factor of two too chosen on the one half, {rule}: solved, cost",
            f"{split.solved:.1%} ± {split.spread:.1%}, {split.cost:.1%}; {split.against_mix:.2f} of the cheapest mix",
            ">= 100 %, <= 70 %",
            split.solved >= 1.0 and split.cost <= 0.7,
        )
        yield Line(
            "    against the fixed model that is best on the half chosen on",
            f"{split.solved_chosen:.1%}, {split.cost_chosen:.1%}",
            "told",
            True,
        )
    solved, _, best = most_in_hindsight(tasks)
    yield Line(
        "  most that two models solve for 70 %, all chosen in hindsight",
        f"{solved} tasks, the best fixed model {best}",
        "told",
        True,
    )
    yield Line(
        "  solved, cost against the fixed model that is best on the half chosen on",
        f"{found.solved_chosen:.1%}, {found.cost_chosen:.0%}",
        "told",
        True,
    )
    mix = f"{found.against_mix:.2f}" if found.against_mix else "no mix of two solves as many"
    yield Line("  cost against the cheapest mix of two with as many solved", mix, "<= 1", found.against_mix <= 1.0001)
    yield Line("  the same split by split, the mix chosen in hindsight (median)", f"{found.against_mix_each:.2f}", "told", True)


def headers_of(anthropic: float, codex: float, now: float) -> tuple[dict[str, str], dict[str, str]]:
    """What both vendors say of windows that are used up to these shares, half their time gone."""
    rejected = anthropic >= 1
    claude = {
        "anthropic-ratelimit-unified-status": "rejected" if rejected else "allowed",
        "anthropic-ratelimit-unified-5h-status": "rejected" if rejected else "allowed",
        "anthropic-ratelimit-unified-5h-utilization": f"{anthropic:.4f}",
        "anthropic-ratelimit-unified-5h-reset": f"{now + 9000:.0f}",
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
        "anthropic-ratelimit-unified-reset": f"{now + 9000:.0f}",
    }
    chatgpt = {
        "x-codex-primary-used-percent": f"{100 * codex:.1f}",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": f"{now + 9000:.0f}",
    }
    return claude, chatgpt


WORK = tuple(f"now write step {number} of the importer module, with its tests" for number in range(19))


def with_accounts(anthropic: str, used: tuple[float, float]) -> tuple[Router, HealthRegistry, Clock]:
    """Two accounts whose windows have just been told of."""
    clock = Clock(time.time())
    health = HealthRegistry(clock)
    router = account_router(clock, health, anthropic=anthropic)
    claude, chatgpt = headers_of(*used, clock.now)
    if anthropic == PLAN_TOKEN:
        health.observe_headers("anthropic", "config:anthropic", claude)
    names = {name: [item.name for item in _known(router, name)] for name in ("anthropic", "openai-codex")}
    if anthropic == PLAN_TOKEN:
        health.observe_headers("anthropic", names["anthropic"][0], claude)
    health.observe_headers("openai-codex", names["openai-codex"][0], chatgpt)
    return router, health, clock


def _known(router: Router, provider: str) -> Any:
    accounts = router.eligibility.usable.__self__  # type: ignore[attr-defined]
    return accounts.credentials.known(provider).credentials


def windows() -> Iterator[Line]:
    """Twenty turns of an agent's conversation with the windows of two plans at various shares."""
    picks: dict[tuple[float, float], tuple[str, ...]] = {}
    refused = 0
    for used in ((0.1, 0.1), (0.5, 0.1), (0.9, 0.1), (0.99, 0.1), (0.1, 0.99), (0.99, 0.99)):
        router, health, clock = with_accounts(PLAN_TOKEN, used)
        driver = Driver(router, clock, "windows")
        for number in range(1, 21):
            turns = ("hi", *WORK[: number - 1])
            decision = driver.call(chat(*turns, tools=TOOLS), 7000 + 300 * number, 300)
            info = decision.candidates[0].info
            refused += health.blocked(info.provider, info.id, _known(router, info.provider)[0].name) is not None
        picks[used] = tuple(model.partition("/")[0] for model in driver.models)
    calls = "; ".join(
        f"{100 * a:.0f}/{100 * b:.0f}: {Counter(p)['anthropic']}+{Counter(p)['openai-codex']}" for (a, b), p in picks.items()
    )
    differ = len({picks[used] for used in picks}) > 1 and picks[0.1, 0.1] != picks[0.9, 0.1]
    yield Line("windows [Anthropic/Codex %]: calls on each", calls, "differ", differ)
    yield Line("  refusals", str(refused), "0", refused == 0)


def paid_key() -> Iterator[Line]:
    """An API key beside a plan far below its even pace; and a plan that is used up."""
    router, _, _ = with_accounts(PAID_KEY, (0.0, 0.03))
    prompts = ("hi", DESIGN, "Prove that sqrt(2) is irrational, please")
    models = [router.route(chat(prompt), NO_HINTS, None).decision.model for prompt in prompts]
    paid = sum(model.startswith("anthropic/") for model in models)
    yield Line("calls on a paid key while a plan at 3 % serves the tier", f"{paid} of {len(models)}", "0", paid == 0)
    router, _, _ = with_accounts(PLAN_TOKEN, (1.0, 0.1))
    decision = router.route(chat("Prove that sqrt(2) is irrational, please"), NO_HINTS, None).decision
    wrong = decision.model.startswith("anthropic/")
    skipped = [skip for skip in decision.skipped if "limit" in skip.reason]
    yield Line(
        "explain names a model that cannot be called",
        "yes" if wrong else f"no ({skipped[0].reason})" if skipped else "no",
        "never",
        not wrong,
    )


def digressions(router: Router, clock: Clock) -> Iterator[Line]:
    """A task is left for a sentence or two and taken up again."""
    prices = router.prices
    moves = 0
    for number, turns in enumerate(DIGRESSIONS):
        driver = Driver(router, clock, f"digression {number}")
        for last in range(1, len(turns) + 1):
            driver.call(chat(*turns[:last], system="x" * 100_000), 25_000 + 300 * last, 300)
        for before, after in zip(driver.decisions, driver.decisions[1:], strict=False):
            a, b = before.candidates[0].info, after.candidates[0].info
            first, second = prices.price(a), prices.price(b)
            assert first is not None
            assert second is not None
            moves += a != b and second.output < first.output
        clock.now += 10_000
    yield Line(f"{len(DIGRESSIONS)} digressions: moves to a weaker, colder model", str(moves), "0", moves == 0)


def side_requests(router: Router) -> Iterator[Line]:
    """Claude Code 2.1.33x: effort on every turn, classes in a header."""
    claude = {"x-claude-code-session-id": "s", "user-agent": "claude-cli/2.1.332 (external, cli)"}
    effort = {"reasoning": Reasoning(effort="high"), "tools": TOOLS}
    asked: dict[str, ChatRequest] = {
        "say hi": _as_claude_code("say hi", {**claude, "x-claude-code-request-class": "main"}, **effort),
        "title": _as_claude_code(
            "Generate a title for this session", {**claude, "x-claude-code-request-class": "auxiliary"}, **effort
        ),
        "quota": _as_claude_code("quota", claude, max_output_tokens=1),
    }
    tiers = {name: router.route(request, NO_HINTS, None).decision.tier for name, request in asked.items()}
    capture = shared("client-captures") / "claude-code-01.json"
    if capture.exists():
        tiers["captured hi"] = _captured(router, capture)
    told = ", ".join(f"{name} {tier}" for name, tier in tiers.items())
    good = all(tier in (Tier.SIMPLE, Tier.MEDIUM) for tier in tiers.values())
    yield Line("Claude Code's hi and side requests", told, "SIMPLE or MEDIUM", good)
    short = {words: router.route(chat(words), NO_HINTS, None).decision.tier for words in SHORT_WORK}
    simple = sum(tier is Tier.SIMPLE for tier in short.values())
    yield Line("short real work that is SIMPLE", f"{simple} of {len(short)}", "0", simple == 0)


def _as_claude_code(words: str, headers: dict[str, str], **fields: Any) -> ChatRequest:
    reminder = "<system-reminder>\nAs you answer, follow the rules of the repository.\n</system-reminder>"
    message = Message("user", (TextPart(reminder), TextPart(words)))
    return ChatRequest("anthropic_messages", "auto", (message,), headers=headers, **fields)


def _captured(router: Router, capture: Path) -> Tier | None:
    from openclaw_oauthrouter.dialects.anthropic_messages.dialect import AnthropicMessages

    row = json.loads(capture.read_text("utf-8"))
    body = {**row["body"], "model": "auto"}
    headers = {name.lower(): value for name, value in row["headers"].items()}
    request = AnthropicMessages(time.time).decode_request(body, headers)
    return router.route(request, NO_HINTS, None).decision.tier


def speed(tasks: list[dict[str, Any]], router: Router, clock: Clock) -> Iterator[Line]:
    """CPU time of the whole decision, classification included, with the collector set as ``serve`` sets it."""
    settle_memory()
    yield _speed_line(f"CPU of a decision, every call of {TRAJECTORIES} runs", sorted(_over_runs(tasks, router, clock)))
    words = [word for task in tasks for word in task["text"].split()]
    for name, size in (("one line, new words each time", 60), ("8 kB of prose, new words each time", 8000)):
        rounds = [_timed(router, _texts(words, size, ROUND * number)) for number in range(ROUNDS)]
        yield _speed_line(f"  {name} (quietest of {ROUNDS} rounds)", min(rounds, key=lambda times: times[len(times) // 2]))


def _speed_line(measure: str, times: list[float]) -> Line:
    p50, p99 = times[len(times) // 2], times[int(0.99 * len(times))]
    return Line(measure, f"p50 {p50:.0f} µs, p99 {p99:.0f} µs", "<= 150, <= 500", p50 <= 150 and p99 <= 500)


def _over_runs(tasks: list[dict[str, Any]], router: Router, clock: Clock) -> Iterator[float]:
    for number, task in enumerate(tasks[:TRAJECTORIES]):
        driver = Driver(router, clock, f"speed {number}")
        for request, prompt, output in tool_shape(task):
            started = time.thread_time_ns()
            router.route(request, NO_HINTS, driver.key)
            yield (time.thread_time_ns() - started) / 1000
            driver.call(request, prompt, output)
        clock.now += 10_000


def _texts(words: list[str], size: int, first: int) -> Iterator[ChatRequest]:
    """Requests whose words stand in no two of them in one order."""
    for number in range(first, first + ROUND):
        begin = number * 7919 % len(words)
        taken = (words[begin:] + words[:begin])[: size // 5]
        lines = (" ".join(taken[at : at + 12]) for at in range(0, len(taken), 12))
        yield chat(f"{number} " + "\n".join(lines)[:size], tools=TOOLS)


def _timed(router: Router, requests: Iterator[ChatRequest]) -> list[float]:
    """Microseconds, sorted; neighbours on the machine make caches cold and so cost CPU time too."""
    times = []
    for request in requests:
        started = time.thread_time_ns()
        router.route(request, NO_HINTS, None)
        times.append((time.thread_time_ns() - started) / 1000)
    return sorted(times)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=Path, nargs="?", default=shared("routing") / "agents" / "tasks.jsonl")
    started = time.monotonic()
    tasks = [json.loads(line) for line in parser.parse_args().tasks.read_text("utf-8").splitlines()]
    clock = Clock()
    router = price_router(clock)
    lines = [
        *tier_shares(tasks, router),
        *trajectories(tasks, router, clock),
        *policies(tasks),
        *windows(),
        *paid_key(),
        *digressions(router, clock),
        *side_requests(router),
        *speed(tasks, router, clock),
    ]
    width = max(len(line.measure) for line in lines)
    for line in lines:
        print(f"{'ok ' if line.met else 'MISS'.ljust(3)} {line.measure.ljust(width)}  {line.goal:<18}  {line.found}")
    print(f"{time.monotonic() - started:.0f} s; one call every {SECONDS_A_CALL:.0f} s of simulated time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
