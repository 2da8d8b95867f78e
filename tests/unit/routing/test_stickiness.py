"""How conversations are recognised and forgotten, and which task a turn belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.content import BlobPart, TextPart
from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import (
    Classification,
    Flight,
    ModelInfo,
    RequestFeatures,
    RequestKind,
    RouteHints,
    RoutingDecision,
    TaskState,
    Tier,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.routing.cost import LONG_RUN
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import (
    SESSION_HEADERS,
    Conversations,
    Standing,
    after_answer,
    conversation_key,
    standing_of,
)


def said(*words: str, system: str = "", **fields: object) -> ChatRequest:
    system_message = (Message("system", (TextPart(system),)),) if system else ()
    turns = tuple(Message("user", (TextPart(word),)) for word in words)
    return ChatRequest("openai_chat_completions", "auto", system_message + turns, **fields)  # type: ignore[arg-type]


def test_stickiness_first_words_name_a_conversation_however_long_it_grows() -> None:
    assert conversation_key(said("hi"), "me") == conversation_key(said("hi", "and then"), "me")
    assert conversation_key(said("hi", system="now: 10:00"), "me") == conversation_key(said("hi", system="now: 10:01"), "me")
    assert conversation_key(said("hi"), "me") != conversation_key(said("ho"), "me")
    assert conversation_key(said("hi"), "me") != conversation_key(said("hi"), "you")


@pytest.mark.parametrize("header", SESSION_HEADERS)
def test_stickiness_session_header_names_it_better(header: str) -> None:
    one, other = (said(words, headers={header: "s-1"}) for words in ("hi", "ho"))
    assert conversation_key(one, None) == conversation_key(other, None)
    assert conversation_key(one, None) != conversation_key(said("hi", headers={header: "s-2"}), None)


def test_stickiness_cache_key_names_it_too_and_headers_win() -> None:
    assert conversation_key(said("hi", prompt_cache_key="k"), None) == conversation_key(said("ho", prompt_cache_key="k"), None)
    both = said("hi", prompt_cache_key="k", headers={"session-id": "s"})
    assert conversation_key(both, None) == conversation_key(said("ho", headers={"session-id": "s"}), None)


SET_UP = {
    "Gemini CLI": ("This is the Gemini CLI. We are setting up the context for our chat.\nToday's date is Sunday.",),
    "Aider": ("Here are some READ ONLY files, provided for your reference.\nx", "I have *added these files to the chat* so …"),
    "Aider with examples": (
        "Change get_factorial()",
        "I switched to a new code base. Please …",
        "I am not sharing any files yet.",
    ),
}


@pytest.mark.parametrize("client", SET_UP)
def test_conversation_key_is_that_of_the_users_words_whatever_a_client_says_before_them(client: str) -> None:
    before = SET_UP[client]
    one = conversation_key(said(*before, "fix the parser"), "me")
    assert one != conversation_key(said(*before, "fix the lexer"), "me")
    assert one == conversation_key(said(*before, "fix the parser", "and its tests"), "me")
    assert conversation_key(said(*before), "me") is not None


def test_stickiness_key_tells_nothing_and_a_request_without_words_has_none() -> None:
    key = conversation_key(said("my secret plan"), "me")
    assert key is not None
    assert "secret" not in key
    assert conversation_key(ChatRequest("x", "auto", (Message("user", (BlobPart("image", "image/png", "x"),)),)), "me") is None
    assert conversation_key(ChatRequest("x", "auto", ()), "me") is None


def test_conversations_are_forgotten_after_an_idle_time() -> None:
    now = 100.0
    conversations = Conversations(lambda: now, idle_seconds=60)
    known_then = Conversation(Tier.MEDIUM, "alpha/small", now, {"alpha/small": CachedPrompt(5, now)})
    conversations.remember("k", known_then)
    conversations.remember(None, known_then)
    now = 160.0
    known = conversations.recall("k")
    assert known is not None
    assert (known.tier, known.model, known.cached_tokens) == (Tier.MEDIUM, "alpha/small", 5)
    now = 160.1
    assert conversations.recall("k") is None
    assert conversations.recall(None) is None
    assert conversations.recall("other") is None


def test_stickiness_longest_unused_goes_first() -> None:
    conversations = Conversations(lambda: 0.0, idle_seconds=60, capacity=2)
    for key in ("a", "b", "a", "c"):
        conversations.remember(key, Conversation(Tier.SIMPLE, "alpha/small", 0.0))
    assert conversations.recall("b") is None
    assert conversations.recall("a") is not None
    assert conversations.recall("c") is not None


# ------------------------------------------------------------------ the task and its turns


def routed(router: Router, *turns: str, key: str = "c", tools: bool = True, **fields: Any) -> RoutingDecision:
    """The turn after some others, answered by the model chosen, which keeps its prompt in its cache."""
    messages = [Message("system", (TextPart("x" * 100_000),))]
    for number, words in enumerate(turns):
        if number:
            messages.append(Message("assistant", (TextPart("Here is what I have."),)))
        messages.append(Message("user", (TextPart(words),)))
    offered = (Tool("bash"), Tool("edit")) if tools else ()
    request = ChatRequest("openai_chat_completions", "auto", tuple(messages), tools=offered, **fields)
    decision = router.route(request, RouteHints(), key).decision
    info = decision.candidates[0].info
    router.answered(key, decision, info, Usage(25_000, 300, cache_creation_input_tokens=25_000))
    return decision


@pytest.fixture
def real_router(tmp_path: Path) -> Router:
    """As the gateway builds it, as if every provider had a key."""
    settings = load_settings(environ={}, overrides={"home": str(tmp_path)}).settings
    return Builder(settings, create_plugin_manager(load_entry_points=False)).router_alone(assume_credentials=True)


DESIGN = "Design a multi-tenant event pipeline with exactly-once delivery; compare two storage layouts"
PROOF = "Prove that every bounded monotone sequence of real numbers converges"
REFACTOR = (
    "Redesign the parser as a streaming state machine that copes with nested quotes, keep the public API and migrate the callers"
)
FIX = "The login endpoint returns 500 when the email has a plus sign; find the cause, fix it and add a regression test"
GERMAN = "Entwirf eine mandantenfähige Ereignis-Pipeline mit Exactly-once-Zustellung und vergleiche zwei Speicherlayouts"
TRACEBACK = 'Traceback (most recent call last):\n  File "p.py", line 3, in <module>\nValueError: bad quote'


@pytest.mark.parametrize("tools", [True, False])
@pytest.mark.parametrize(
    "turns",
    [
        (DESIGN, "what is the capital of France?", "continue with the pipeline", "now add the dead letter queue to the pipeline"),
        (DESIGN, "thanks!", "what time is it in Oslo?", "ok, go on with the storage layouts"),
        (DESIGN, "translate 'good morning' to German", "and now the retention policy of the pipeline's storage layouts"),
        (PROOF, "who wrote Hamlet, and when was it first performed?", "continue"),
        (PROOF, "what is 12*12?", "does the proof work for nets as well?"),
        (DESIGN, "how do you spell necessary", "hm, tell me a joke", "back to the pipeline: finish the design"),
        (DESIGN, "is it raining in Bergen today?", TRACEBACK),
        (DESIGN, "hi again", "yes, do it"),
        (DESIGN, "which model are you?", "go on with the pipeline"),
        (DESIGN, "how many ml are in a cup?", "ok back to the event pipeline: what about ordering?"),
        (DESIGN, "/cost", "continue with the storage layouts"),
        (DESIGN, "谢谢", "继续"),
        (DESIGN, "¿qué hora es en Lima?", "sigue con el pipeline"),
        (DESIGN, "convert 30 C to F", "tell me a joke", "who won in 2022?", "continue with the pipeline"),
        (DESIGN, "is python 3.13 out?", "use kafka for the event pipeline and redo the comparison of storage layouts"),
        (REFACTOR, "how do I exit vim?", "continue"),
        (REFACTOR, "sorry, wrong window", "where were we?"),
        (REFACTOR, "remind me to buy milk tomorrow", "ok, next step of the parser please"),
        (REFACTOR, "ping", "carry on"),
        (REFACTOR, "good morning!", "let's resume"),
        (REFACTOR, "brb", "back, continue please"),
        (REFACTOR, "write a birthday wish for my mom", "resume the migration of the callers"),
        (
            REFACTOR,
            "a name for a cat?",
            "pick a color",
            "a haiku about rain",
            "the parser should cope with quotes in the state machine",
        ),
        (FIX, "are you done?", "then push it"),
        (FIX, "wait", "go ahead"),
        (FIX, "what did you just change?", "undo that"),
        (FIX, "lol", "keep going with the fix"),
        (FIX, "👍", "next"),
        (FIX, "what's the weather in Paris?", "commit it"),
        (FIX, "summarize what you did in one line", "and now the regression test for the plus sign"),
        (
            FIX,
            "who are you?",
            "FAILED tests/test_login.py::test_plus\nE   AssertionError: assert 500 == 200\n1 failed, 12 passed",
        ),
        (FIX, "how old is the universe?", "error: cannot find module './login'"),
        (FIX, "stop", "actually go on"),
        (GERMAN, "wie spät ist es in Tokio?", "weiter mit der Pipeline"),
        (GERMAN, "danke!", "jetzt noch die Dead-Letter-Queue für die Pipeline"),
        (PROOF, "what's the time?", "now prove the converse or give a counterexample"),
        (PROOF, "define supremum", "so is the limit the supremum of the sequence?"),
    ],
)
def test_stickiness_digression_moves_to_no_weaker_colder_model_and_keeps_the_task(
    real_router: Router, turns: tuple[str, ...], tools: bool
) -> None:
    decisions = [routed(real_router, *turns[:last], tools=tools) for last in range(1, len(turns) + 1)]
    assert len({decision.model for decision in decisions}) == 1
    assert decisions[-1].tier == decisions[0].tier


def test_stickiness_task_is_over_after_some_turns_that_have_nothing_to_do_with_it(real_router: Router) -> None:
    small_talk = tuple(f"what is the capital of {country}?" for country in ("France", "Peru", "Chad", "Laos"))
    decisions = [routed(real_router, DESIGN, *small_talk[:last]) for last in range(len(small_talk) + 1)]
    assert decisions[2].tier == decisions[0].tier
    assert decisions[-1].tier is Tier.SIMPLE


def test_stickiness_harder_task_takes_over_at_once(real_router: Router) -> None:
    first = routed(real_router, "what is the capital of France?")
    second = routed(real_router, "what is the capital of France?", PROOF)
    assert (first.tier, second.tier) == (Tier.SIMPLE, Tier.REASONING)
    assert second.model != first.model


def test_side_requests_move_nothing(real_router: Router) -> None:
    before = routed(real_router, DESIGN)
    title = routed(real_router, "Generate a title for this conversation", tools=False)
    assert (title.kind, title.tier, title.task) == (RequestKind.SIDE, Tier.SIMPLE, None)
    assert title.model != before.model
    known = real_router.conversations.recall("c")
    assert known is not None
    assert (known.model, known.tier, known.turns) == (before.model, before.tier, 1)


@pytest.mark.parametrize(("calls", "lifted"), [(LONG_RUN - 1, False), (LONG_RUN, True), (LONG_RUN + 40, True)])
def test_stickiness_task_that_takes_twice_as_long_as_usual_speaks_for_a_stronger_model(calls: int, lifted: bool) -> None:
    features = RequestFeatures("go on", 5, flight=Flight(calls=calls), agent=True)
    classified = Classification(Tier.MEDIUM, 0.2, 0.9, "rules", "", trouble=0.3, turn="continues")
    known = Conversation(Tier.MEDIUM, "a/b", 0.0, {}, turns=calls)
    assert (standing_of(classified, features, known, in_flight=True).lift > 0) is lifted
    assert standing_of(classified, features, known, in_flight=False).lift == 0


def test_stickiness_helper_is_a_conversation_of_its_own() -> None:
    main = {"x-claude-code-session-id": "s"}
    helper = {**main, "x-claude-code-agent-id": "a1"}
    keys = {
        conversation_key(said("hi", headers=headers), None)
        for headers in (main, helper, {**main, "x-claude-code-agent-id": "a2"})
    }
    assert len(keys) == 3


def test_stickiness_thread_of_an_agent_is_a_conversation_of_its_own() -> None:
    root, helper = ({"session-id": "s", "thread-id": thread} for thread in ("s", "t"))
    assert conversation_key(said("hi", headers=root), None) == conversation_key(said("ho", headers=root), None)
    assert conversation_key(said("hi", headers=root), None) != conversation_key(said("hi", headers=helper), None)


@pytest.mark.parametrize("headers", [{}, {"x-claude-code-session-id": "s"}, {"session-id": "s"}])
def test_stickiness_conversation_that_begins_again_is_a_new_one(real_router: Router, headers: dict[str, str]) -> None:
    first = routed(real_router, "hi", headers=headers)
    hard = routed(real_router, "hi", DESIGN, headers=headers)
    assert hard.tier is not None
    assert hard.tier.rank > Tier.MEDIUM.rank
    again = routed(real_router, "hi", headers=headers)
    assert (again.tier, again.model) == (first.tier, first.model)
    known = real_router.conversations.recall("c")
    assert known is not None
    assert (known.tier, known.turns, list(known.caches)) == (first.tier, 1, [first.model])


def test_stickiness_what_tools_answer_to_a_digression_does_not_take_the_task_up_again() -> None:
    known = Conversation(Tier.COMPLEX, "a/b", 0.0, digressions=1)
    classified = Classification(Tier.SIMPLE, 0.0, 0.9, "rules", "", turn="continues")
    for results, digressions in ((True, 1), (False, 0)):
        standing = standing_of(classified, RequestFeatures("go on", 5, is_tool_result_turn=results), known, in_flight=True)
        assert standing.state is not None
        assert (standing.needed, standing.state.digressions) == (Tier.COMPLEX, digressions)


def flying(trouble: float | None, calls: int, known: Conversation, **fields: Any) -> Standing:
    """A tool turn of a task that has had so many calls."""
    flight = Flight(calls=calls, **fields) if trouble is not None else None
    classified = Classification(Tier.MEDIUM, 0.2, 0.9, "rules", "", trouble=trouble, turn="continues")
    return standing_of(classified, RequestFeatures("go on", 5, flight=flight, agent=True), known, in_flight=True)


@pytest.mark.parametrize(
    ("shift", "at", "trouble", "calls", "fields", "after"),
    [
        (0, 0, 0.9, 8, {}, 0),  # too early for what a score says
        (0, 0, 0.9, 8, {"same_failures": 4}, 1),  # but not to see that it goes in circles
        (0, 0, 0.9, 20, {}, 1),
        (0, 0, 0.5, 40, {}, 0),
        (0, 0, 0.05, 8, {}, 0),
        (0, 0, 0.05, 20, {}, -1),
        (1, 20, 0.05, 25, {}, 1),  # some calls pass between two moves
        (1, 20, 0.3, 40, {}, 1),  # and a move up is taken back only when things go well
        (1, 20, 0.1, 40, {}, 0),
        (1, 20, 0.1, 4, {}, 1),  # another task of the conversation: its own calls count
        (1, 20, 0.1, 12, {}, 0),
        (-1, 20, 0.2, 40, {}, -1),
        (-1, 20, 0.35, 40, {}, 0),
        (-1, 20, 0.9, 40, {}, 1),
    ],
)
def test_stickiness_moves_in_flight_are_slow_to_change(
    shift: int, at: int, trouble: float, calls: int, fields: dict[str, int], after: int
) -> None:
    known = Conversation(Tier.MEDIUM, "a/b", 0.0, {}, shift=shift, shifted_at=at)
    standing = flying(trouble, calls, known, **fields)
    assert standing.state is not None
    assert standing.state.shift == after
    assert (standing.lift > 0, standing.lift < 0) == (after > 0, after < 0)
    assert (standing.note is not None) is (after != 0)


def test_stickiness_run_that_went_well_and_then_in_circles_is_moved_up_without_a_wait() -> None:
    known = Conversation(Tier.MEDIUM, "a/b", 0.0, {}, shift=-1, shifted_at=20)
    doubtful = flying(0.35, 41, known).state
    assert doubtful is not None
    assert doubtful.shift == 0
    known = Conversation(Tier.MEDIUM, "a/b", 0.0, {}, shift=doubtful.shift, shifted_at=doubtful.shifted_at)
    circling = flying(0.9, 43, known, same_failures=2).state
    assert circling is not None
    assert circling.shift == 1


def test_stickiness_task_that_was_moved_up_stays_so_over_words_and_digressions() -> None:
    known = Conversation(Tier.MEDIUM, "a/b", 0.0, {}, shift=1, shifted_at=20)
    assert flying(None, 0, known).lift > 0
    digression = Classification(Tier.SIMPLE, 0.0, 0.9, "rules", "", turn="digression")
    for in_flight in (True, False):
        aside = standing_of(digression, RequestFeatures("hi", 2), known, in_flight=in_flight)
        assert (aside.lift > 0) is in_flight


def test_stickiness_move_is_told_in_words() -> None:
    known = Conversation(Tier.MEDIUM, "a/b", 0.0, {})
    note = flying(0.9, 24, known, recent_failures=5, same_failures=6, repeats=6).note
    assert note == (
        "what happened speaks for a stronger model: 24 calls, 5 of the last 5 failed, 6 times the same failure, 6 repeated"
    )


def test_stickiness_answer_updates_what_is_remembered() -> None:
    info = ModelInfo("anthropic", "claude-x")
    first = after_answer(None, TaskState(Tier.COMPLEX, effort="high"), info, Usage(10_000, 200, 0, 9_000), 100.0)
    assert (first.tier, first.model, first.turns, first.cached_tokens, first.output_tokens) == (
        Tier.COMPLEX,
        "anthropic/claude-x",
        1,
        9_000,
        200,
    )
    other = ModelInfo("openai", "gpt-x")
    second = after_answer(first, TaskState(Tier.COMPLEX), other, Usage(12_000, 400), 200.0)
    assert second.caches["anthropic/claude-x"].tokens_at(399) == 9_000
    assert second.caches["anthropic/claude-x"].tokens_at(400) == 0
    assert second.cached_tokens == 12_000  # kept unasked
    assert (second.growth_tokens, second.output_tokens, second.turns) == (2000.0, 300.0, 2)
    third = after_answer(second, TaskState(Tier.COMPLEX), info, Usage(5_000, 400, 0, 5_000, 5_000), 700.0)
    assert third.growth_tokens == 2000.0  # compacted: nothing of how it grows
    assert third.caches["anthropic/claude-x"].lifetime == 3600
    assert "openai/gpt-x" in third.caches


def test_conversations_travel_as_json() -> None:
    conversation = Conversation(Tier.MEDIUM, "a/b", 1.5, {"a/b": CachedPrompt(5, 1.0, 60.0)}, 3, 10, 2.5, None, 1, "low", -1, 7)
    assert Conversation.from_json(orjson.loads(orjson.dumps(conversation.as_json()))) == conversation
