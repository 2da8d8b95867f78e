"""What ``benchmarks/agents.py`` routes in: the gateway's own router over simulated accounts, clocks and prompt caches; nothing is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.builder import Builder, World
from openclaw_oauthrouter.canonical.content import CacheMark, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, RouteHints, RoutingDecision
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import Conversations

TOOLS = (Tool("bash"), Tool("edit"), Tool("read_file"))
NO_HINTS = RouteHints()
START = 1_795_000_000.0
SECONDS_A_CALL = 20.0
CODEX_TOKEN = (
    # Header, claims (an account, and the year 2100 as its end) and a signature that is none.
    "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsImh0dHBzOi8vYXBpLm9wZW5haS5jb20vYXV0aCI6eyJjaGF0Z3B0X2FjY291bnRfaWQiOiJhIn19.eA"
)


@dataclass
class Clock:
    """Time that only the benchmark moves."""

    now: float = START

    def __call__(self) -> float:
        return self.now


def settings_of(**overrides: Any) -> Settings:
    """Settings of an empty home and nothing of this machine's environment; a router keeps nothing there, so the folder goes at once."""
    with tempfile.TemporaryDirectory(prefix="agents-benchmark-") as home:
        return load_settings(environ={}, overrides={"home": home, **overrides}).settings


def price_router(clock: Clock, **routing: Any) -> Router:
    """A router as the gateway builds it, as if every provider had a paid key."""
    router = Builder(settings_of(routing=routing), create_plugin_manager(load_entry_points=False)).router_alone(
        assume_credentials=True
    )
    return at(router, clock)


def at(router: Router, clock: Clock) -> Router:
    """The same router at a clock of ours."""
    memory = Conversations(clock, router.settings.sticky_seconds)
    return replace(router, choosing=replace(router.choosing, clock=clock), conversations=memory)


def account_router(clock: Clock, health: HealthRegistry, *, anthropic: str) -> Router:
    """A router with two accounts: Anthropic by the secret given, and a ChatGPT plan.

    :param anthropic: an API key, or an OAuth token of a plan
    """
    settings = settings_of(
        providers={"anthropic": {"apiKey": anthropic}, "openai-codex": {"authHeader": f"Bearer {CODEX_TOKEN}"}},
        credentials={"order": ["config"]},
    )
    plugins = create_plugin_manager(load_entry_points=False)
    world = World(
        TokenEstimator(exact_near=None).estimate,
        lambda _conversation, _model, _tier: 500,
        Conversations(clock, settings.routing.sticky_seconds),
        health,
    )
    router = Builder(settings, plugins).router(world)
    return at(router, clock)


@dataclass
class Driver:
    """Routes a conversation, and answers as providers with prompt caches would.

    :ivar caches: by model: tokens in its cache, and when they were last used
    :ivar thrown_away: tokens that were in the cache of a model left for another
    """

    router: Router
    clock: Clock
    key: str
    caches: dict[str, tuple[int, float]] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    cost: float = 0.0
    thrown_away: int = 0
    decisions: list[RoutingDecision] = field(default_factory=list)

    def call(self, request: ChatRequest, prompt: int, output: int) -> RoutingDecision:
        """One call; ``prompt`` and ``output`` are its real tokens."""
        router = replace(self.router, estimate=lambda _request, _info: Estimate(prompt, 32_000))
        decision = router.route(request, NO_HINTS, self.key).decision
        info = decision.candidates[0].info
        usage = Usage(prompt, output, *self._cached(info, prompt))
        if self.models and self.models[-1] != info.name:
            self.thrown_away += self.caches.get(self.models[-1], (0, 0.0))[0]
        router.answered(self.key, decision, info, usage)
        self.caches[info.name] = (prompt, self.clock.now)
        self.models.append(info.name)
        self.decisions.append(decision)
        self.cost += router.prices.actual(info, usage, self.clock.now) or 0.0
        self.clock.now += SECONDS_A_CALL
        return decision

    def _cached(self, info: ModelInfo, prompt: int) -> tuple[int, int]:
        held, used_at = self.caches.get(info.name, (0, 0.0))
        read = min(held, prompt) if self.clock.now - used_at < 300 else 0
        return read, prompt - read

    @property
    def switches(self) -> int:
        """Changes of the model."""
        return sum(before != after for before, after in zip(self.models, self.models[1:], strict=False))


Shape = Callable[[dict[str, Any]], Iterator[tuple[ChatRequest, int, int]]]
"""A recorded task -> its calls: request, prompt tokens, output tokens."""


def tool_shape(task: dict[str, Any]) -> Iterator[tuple[ChatRequest, int, int]]:
    """As Claude Code and OpenClaw send it: tool calls and their results, the prompt marked to be kept in the cache."""
    messages = [Message("user", (TextPart(task["text"], CacheMark("5m")),))]
    for number, step in enumerate(task["steps"]):
        yield ChatRequest("anthropic_messages", "auto", tuple(messages), tools=TOOLS), step[0], step[1]
        messages.append(Message("assistant", (ToolCallPart(str(number), "bash", command_of(number, step)),)))
        messages.append(Message("user", (ToolCallResponsePart(str(number), (TextPart(printed_by(step)),)),)))


def text_shape(task: dict[str, Any]) -> Iterator[tuple[ChatRequest, int, int]]:
    """As agents without tool calls send it: commands in fenced blocks, what they printed as the user's words."""
    words = f"Please solve this issue: {task['text']}\n\nYou can execute bash commands and edit files to implement the necessary changes."
    messages = [Message("system", (TextPart("You are a helpful assistant that can interact with a shell."),))]
    messages.append(Message("user", (TextPart(words),)))
    for number, step in enumerate(task["steps"]):
        yield ChatRequest("openai_chat_completions", "auto", tuple(messages)), step[0], step[1]
        messages.append(Message("assistant", (TextPart(f"THOUGHT: next\n\n```bash\n{command_of(number, step)}\n```"),)))
        messages.append(Message("user", (TextPart(printed_by(step)),)))


def command_of(number: int, step: list[Any]) -> str:
    """A command that did what the record says of it."""
    _prompt, _output, _code, _size, _traceback, edited, tested, repeated = step
    if tested:
        return f"python -m pytest tests/test_{number}.py"
    if edited:
        return f"sed -i s/a/b{number}/ module.py"
    return "grep -rn pattern ." if repeated else f"grep -rn pattern{number} ."


def printed_by(step: list[Any]) -> str:
    """What it printed, as long as recorded, bounded: sizes beyond a few thousand characters change no decision."""
    _prompt, _output, code, size, traceback, *_ = step
    head = "Traceback (most recent call last)\n" if traceback else ""
    body = ("line of output\n" * (size // 15 + 1))[: min(size, 4000)]
    return f"<returncode>{code or 0}</returncode>\n<output>\n{head}{body}\n</output>"


def chat(*turns: str, system: str = "", tools: tuple[Tool, ...] = ()) -> ChatRequest:
    """A conversation whose last turn is to be answered; the assistant has said little in between."""
    messages = [Message("system", (TextPart(system),))] if system else []
    for number, turn in enumerate(turns):
        if number:
            messages.append(Message("assistant", (TextPart("Here is what I have so far."),)))
        messages.append(Message("user", (TextPart(turn),)))
    return ChatRequest("openai_chat_completions", "auto", tuple(messages), tools=tools)


def shared(name: str) -> Path:
    """Measured material beside the checkout."""
    import os

    return Path(os.environ.get("OAUTHROUTER_SHARED") or Path(__file__).resolve().parents[2] / "shared") / name
