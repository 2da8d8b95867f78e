"""Which task a conversation works on, which model it is at, and what that means for the tier its next turn needs.

Conversations are recognised by what clients send anyway: a session id where there is one, else the client, and the user's first words.
Tool-call ids are no help, hosts rewrite them. An agent's helpers are conversations of their own.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import (
    CacheUse,
    Classification,
    Flight,
    ModelInfo,
    RequestFeatures,
    RequestKind,
    TaskState,
    Tier,
)
from openclaw_oauthrouter.canonical.setting_up import ends_examples, sets_up
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import changed, value
from openclaw_oauthrouter.routing.cost import LONG_RUN

SESSION_HEADERS = (
    "x-oauthrouter-session",
    "x-session-id",
    "session-id",
    "session_id",
    "x-claude-code-session-id",
    "x-openclaw-session-id",
)
HELPER_HEADERS = ("x-claude-code-agent-id", "thread-id")
"""What tells an agent's helper from the agent, where both send one session id (Claude Code; Codex CLI, whose own thread has an id as well)."""
_NAMING = frozenset((*SESSION_HEADERS, *HELPER_HEADERS))

_SET_UP_MESSAGES = 16
"""Messages among which the user's first words are looked for, where a client sets the conversation up first."""

LONGEST_DIGRESSION = 2
"""Turns in a row that may leave the task before it counts as done."""

CACHE_SECONDS = {
    "anthropic": 300.0,
    "openai": 600.0,
    "openai-codex": 600.0,
    "openai-chatgpt": 600.0,
    "azure": 600.0,
    "deepseek": 3600.0,
    "gemini": 600.0,
}
"""How long providers say that they keep a prompt in their cache after its last use, at least."""
HOUR = 3600.0
DEFAULT_CACHE_SECONDS = 300.0

CACHING_UNASKED = ("openai", "openai-codex", "openai-chatgpt", "azure", "deepseek", "gemini")
"""Providers that keep every prompt of some length, and tell only of what they read."""
LEAST_KEPT = 1024

SHIFT_UP, SHIFT_DOWN = 0.6, 0.08
"""Chance of failure from which a task moves up a tier, and below which it may move down: beyond all but one in twenty recorded runs."""
USUAL = 0.3
"""Chance of failure of the recorded runs."""
CALMED_DOWN = 0.15
"""Chance of failure below which a move up is taken back; a move down is as soon as things go no better than usual."""
LIFT_UP = 1.5
"""What each part of the chance of failure beyond the usual counts as, in tiers."""
LIFT_KEPT = LIFT_UP * (SHIFT_UP - USUAL)
"""What a move up counts as until it is taken back, at least: with less, a task would go to and fro between two models."""
LIFT_DOWN = -0.75
CALLS_BETWEEN_SHIFTS = 10
LONG_LIFT = 0.5
"""How far a task that takes twice as long as usual speaks for a stronger model, whatever else happens in it."""
LEAST_CALLS = 20
"""Calls that a task has before what happened in them says anything: in recorded runs, earlier signs are worth no more than chance."""
CIRCLES = 4
"""Times that one failure came again of late, from which a task runs in circles, however many calls it has had."""


class Conversations:
    """The most recent conversations, forgotten after an idle time.

    :ivar since: Unix milliseconds at which it began
    """

    shared = False

    def __init__(self, clock: Clock, idle_seconds: float, capacity: int = 4096) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._capacity = capacity
        self._known: OrderedDict[str, Conversation] = OrderedDict()
        self.since = int(clock() * 1000)

    def recall(self, key: str | None) -> Conversation | None:
        """What the conversation was last given, unless that is too long ago."""
        known = self._known.get(key) if key else None
        if known is None or self._clock() - known.used_at > self._idle_seconds:
            return None
        return known

    def forget(self, key: str, before: int) -> None:
        """Forget a conversation that was last answered before a moment, Unix milliseconds."""
        known = self._known.get(key)
        if known is not None and known.used_at * 1000 < before:
            del self._known[key]

    async def fetch(self, key: str | None) -> None:
        """Nothing to learn: this memory is the only one. (``shared.conversations`` asks the others here.)"""

    def remember(self, key: str | None, conversation: Conversation) -> None:
        """Note what a conversation was given."""
        if not key:
            return
        self._known[key] = conversation
        self._known.move_to_end(key)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)


def conversation_key(request: ChatRequest, client: str | None) -> str | None:
    """A stable, unreadable name of the request's conversation; ``None`` for an empty request."""
    headers = request.headers
    named, helper = request.prompt_cache_key, None
    if not _NAMING.isdisjoint(headers):
        named = _first_of(SESSION_HEADERS, headers) or named
        helper = _first_of(HELPER_HEADERS, headers)
    text = f"s\0{named}" if named else f"w\0{_first_words(request)}"
    if text == "w\0":
        return None
    text = f"{text}\0{helper}" if helper else text
    return hashlib.blake2b(f"{client}\0{text}".encode("utf-8", "replace"), digest_size=12).hexdigest()


def _first_of(names: Sequence[str], headers: FrozenObject) -> str | None:
    for name in names:
        if headers.get(name):
            return str(headers[name])
    return None


def _first_words(request: ChatRequest) -> str:
    """What the user said first. What a client says before that is the same for many conversations."""
    messages = request.messages[:_SET_UP_MESSAGES]
    for place in range(_after_examples(messages), len(messages)):
        words = _words(messages[place])
        if words and not sets_up(words):
            return words
    return next(filter(None, map(_words, request.messages)), "")


def _after_examples(messages: Sequence[Message]) -> int:
    for place, message in enumerate(messages):
        if message.role == "user" and message.parts:
            first = message.parts[0]
            if isinstance(first, TextPart) and ends_examples(first.text):
                return place
    return 0


def _words(message: Message) -> str:
    if message.role != "user":
        return ""
    return "\0".join([part.text[:2000] for part in message.parts if isinstance(part, TextPart)])


@value(frozen=True, slots=True)
class Standing:
    """What a turn needs, given its conversation.

    :ivar needed: least tier that serves it
    :ivar state: what to remember of the task once it is answered; ``None`` moves nothing
    :ivar lift: how far what happened in flight speaks for one tier more (or less, below 0)
    :ivar note: why ``needed`` is not the classification's own tier; ``None`` where it is
    """

    needed: Tier
    state: TaskState | None
    lift: float = 0.0
    note: str | None = None


def standing_of(
    classified: Classification, features: RequestFeatures, known: Conversation | None, *, in_flight: bool
) -> Standing:
    """The tier belongs to the task: find out which one a turn belongs to, and what that needs.

    :param in_flight: whether what happened in flight may move the task (``routing.in_flight``)
    """
    if features.kind in (RequestKind.SIDE, RequestKind.ASIDE):
        return Standing(classified.tier, None)
    if features.kind is RequestKind.COMPACTION:
        return Standing(classified.tier, None, note="a summary for the task to go on with")
    effort = features.reasoning_effort
    if features.anew:
        known = None
    if known is not None and classified.turn == "digression" and known.digressions < LONGEST_DIGRESSION:
        state = TaskState(known.tier, known.digressions + 1, effort, known.shift, known.shifted_at)
        note = f"at least {known.tier}: a digression from a {known.tier} task"
        return Standing(
            max(known.tier, classified.tier, key=_rank),
            state,
            LIFT_KEPT if in_flight and state.shift > 0 else 0.0,
            note if known.tier.rank > classified.tier.rank else None,
        )
    state = TaskState(classified.tier, 0, effort, anew=features.anew)
    if known is not None and classified.turn == "continues":
        # What tools answer to a digression does not take the task up again: its user does.
        digressions = known.digressions if features.is_tool_result_turn else 0
        tier = max(known.tier, classified.tier, key=_rank)
        state = changed(state, tier=tier, digressions=digressions, shift=known.shift, shifted_at=known.shifted_at)
    if not in_flight:
        return Standing(state.tier, state)
    flight, trouble = features.flight, classified.trouble
    if trouble is None or flight is None:
        # Nothing has been called since the user spoke; a task that was moved up stays there until things go well.
        return Standing(state.tier, state, LIFT_KEPT if state.shift > 0 else 0.0)
    state = _with_shift(state, trouble, flight)
    lift = _lift(state.shift, trouble)
    return Standing(
        state.tier, state, max(lift, LONG_LIFT) if flight.calls >= LONG_RUN else lift, _move_in_words(state.shift, flight)
    )


def _move_in_words(shift: int, flight: Flight) -> str | None:
    """Why a task counts for more or less than its tier; ``None`` where it does not."""
    if not shift:
        return None
    what = "what happened speaks for a stronger model" if shift > 0 else "what happened allows a weaker model"
    return f"{what}: {flight.signs()}"


def _lift(shift: int, trouble: float) -> float:
    """How far a shift counts in the sum, -1 to 1."""
    if shift > 0:
        return min(1.0, max(LIFT_KEPT, LIFT_UP * (trouble - USUAL)))
    return LIFT_DOWN if shift < 0 else 0.0


def _with_shift(state: TaskState, trouble: float, flight: Flight) -> TaskState:
    """Hysteresis: a move needs clear signs, and some calls must pass before the next."""
    calls = flight.calls
    # With a task of its own the calls begin anew.
    since = calls - state.shifted_at if calls >= state.shifted_at else calls
    if state.shifted_at and since < CALLS_BETWEEN_SHIFTS:
        return state
    shift = state.shift
    if trouble >= SHIFT_UP:
        shift = 1 if calls >= LEAST_CALLS or flight.same_failures >= CIRCLES else shift
    elif shift > 0:
        shift = 0 if trouble < CALMED_DOWN else shift
    elif trouble <= SHIFT_DOWN:
        shift = -1 if calls >= LEAST_CALLS else shift
    elif trouble >= USUAL:
        shift = 0
    if shift == state.shift:
        return state
    # That a weaker model will not do after all is no reason to wait before a stronger one is taken.
    return changed(state, shift=shift, shifted_at=state.shifted_at if shift == 0 and state.shift < 0 else calls)


def cache_use(request: ChatRequest) -> CacheUse:
    """For how long a request has its prompt kept where that is asked for.

    The marks of a client that speaks Messages are all there are; for others the gateway sets its own. Who marks anything marks the end.
    """
    messages = request.messages
    looked_at = messages if len(messages) < _MOST_LOOKED_AT else (*messages[:2], *messages[-3:])
    marks = {mark.ttl for message in looked_at for part in message.parts if (mark := getattr(part, "cache", None)) is not None}
    if not marks:
        marks = {tool.cache.ttl for tool in request.tools[-1:] if tool.cache is not None}
    return "1h" if "1h" in marks else "5m" if marks or request.dialect != "anthropic_messages" else "none"


_MOST_LOOKED_AT = 6


def after_answer(
    known: Conversation | None,
    state: TaskState,
    info: ModelInfo,
    usage: Usage | None,
    now: float,
    credential: str | None = None,
) -> Conversation:
    """The conversation as it is once a model has answered.

    :param credential: name of the one that was used
    """
    if state.anew:
        known = None
    usage = usage or Usage()
    caches = dict(known.caches) if known else {}
    caches = {name: cache for name, cache in caches.items() if now - cache.used_at < cache.lifetime}
    kept = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
    if info.provider in CACHING_UNASKED and usage.input_tokens >= LEAST_KEPT and not _missed(known, info, usage, now, credential):
        kept = usage.input_tokens
    lifetime = HOUR if usage.cache_creation_1h_input_tokens else CACHE_SECONDS.get(info.provider, DEFAULT_CACHE_SECONDS)
    previous = caches.get(info.name)
    caches[info.name] = CachedPrompt(kept, now, max(lifetime, previous.lifetime) if previous else lifetime, credential)
    turns = (known.turns if known else 0) + 1
    return Conversation(
        tier=state.tier,
        model=info.name,
        used_at=now,
        caches=caches,
        turns=turns,
        input_tokens=usage.input_tokens,
        output_tokens=_mean(known.output_tokens if known else 0.0, usage.output_tokens, turns),
        growth_tokens=_growth(known, usage.input_tokens),
        digressions=state.digressions,
        effort=state.effort,
        shift=state.shift,
        shifted_at=state.shifted_at,
    )


def _missed(known: Conversation | None, info: ModelInfo, usage: Usage, now: float, credential: str | None) -> bool:
    """Whether a provider read nothing of what should lie in its cache: it is believed, until it tells otherwise.

    A prompt that became shorter was compacted, and another account has a cache of its own.
    """
    cache = known.caches.get(info.name) if known else None
    if known is None or cache is None or usage.cache_read_input_tokens or usage.input_tokens < known.input_tokens:
        return False
    if now - cache.used_at >= cache.lifetime or cache.credential not in (None, credential):
        return False
    return cache.tokens > 0 or (known.model == info.name and known.input_tokens >= LEAST_KEPT)


def _growth(known: Conversation | None, input_tokens: int) -> float | None:
    """A prompt that became shorter was compacted, which tells nothing of how it grows."""
    if known is None or not known.input_tokens or input_tokens < known.input_tokens:
        return known.growth_tokens if known else None
    grown = input_tokens - known.input_tokens
    return float(grown) if known.growth_tokens is None else _mean(known.growth_tokens, grown, known.turns)


def _mean(before: float, new: float, count: int) -> float:
    """Running mean; of the last eight or so, for conversations change."""
    return before + (new - before) / min(count, 8)


def _rank(tier: Tier) -> int:
    return tier.rank
