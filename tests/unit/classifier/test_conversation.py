"""Turns are judged in their conversation."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.content import BlobPart, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Tool
from openclaw_oauthrouter.canonical.routing import RequestFeatures, Tier
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules import Rules

from .requests import features, said

TASK = "Prove that every bounded monotone sequence of real numbers converges"
FOLLOW_UPS = [
    "yes",
    "Yes, do it",
    "go ahead",
    "continue",
    "ok now fix it",
    "commit and push",
    "why?",
    "thanks",
    "no, the other one",
    "yes please, go ahead and do it, thank you, that sounds good",
    "evaluate and critique your own response",
    "Now write unit tests that cover empty input, negative numbers and overflow",
    "好的，继续",
    "はい、お願いします",
    "да, продолжай",
    "sí, adelante",
    "ja, mach weiter",
    "oui, vas-y",
    "sim, pode fazer",
    "네, 계속해",
]
NEW_TOPICS = ["What is the capital of Peru?", "hello", "Who wrote Hamlet, and when was it first performed?", "谁是法国总统？"]


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(builtin_dimensions(Parameters.load(learned=True).weights))


def later(text: str, tier: Tier | None = None) -> RequestFeatures:
    return features(("user", TASK), ("assistant", "Let the sequence be …"), ("user", text), tier=tier)


@pytest.mark.parametrize("text", FOLLOW_UPS)
@pytest.mark.parametrize("tier", list(Tier))
def test_conversation_follow_up_never_falls_below_the_remembered_tier(rules: Rules, text: str, tier: Tier) -> None:
    assert rules.classify(later(text, tier)).tier.rank >= tier.rank


@pytest.mark.parametrize("text", FOLLOW_UPS)
def test_conversation_without_memory_the_task_is_classified_from_its_words(rules: Rules, text: str) -> None:
    classified = rules.classify(later(text))
    assert classified.tier is Tier.REASONING
    assert "goes on with a REASONING task" in classified.reasoning


@pytest.mark.parametrize("text", NEW_TOPICS)
@pytest.mark.parametrize("tier", [None, Tier.REASONING])
def test_conversation_new_topic_may_fall(rules: Rules, text: str, tier: Tier | None) -> None:
    assert rules.classify(later(text, tier)).tier is Tier.SIMPLE


@pytest.mark.parametrize("tier", [None, Tier.REASONING])
def test_conversation_new_task_is_classified_by_its_own_words(rules: Rules, tier: Tier | None) -> None:
    text = "Write a haiku about autumn leaves on an old stone bridge in Kyoto"
    assert rules.classify(later(text, tier)).tier.rank <= Tier.MEDIUM.rank


@pytest.mark.parametrize("text", ["yes", "go ahead", "continue"])
def test_conversation_first_turn_inherits_nothing(rules: Rules, text: str) -> None:
    assert rules.classify(said(text)).tier is Tier.SIMPLE


def test_conversation_turn_rises_at_once(rules: Rules) -> None:
    classified = rules.classify(features(("user", "hi"), ("assistant", "hello"), ("user", TASK), tier=Tier.SIMPLE))
    assert classified.tier is Tier.REASONING


def test_conversation_longer_turn_on_the_same_subject_keeps_the_tier(rules: Rules) -> None:
    text = "Does the argument for bounded monotone sequences carry over to nets with values in an ordered field?"
    assert rules.classify(later(text, Tier.REASONING)).tier is Tier.REASONING


def agent_turn(*results: str) -> ChatRequest:
    messages = [Message("user", (TextPart(TASK),))]
    for number, result in enumerate(results):
        messages.append(Message("assistant", (ToolCallPart(str(number), "run", "{}"),)))
        messages.append(Message("user", (ToolCallResponsePart(str(number), (TextPart(result),)),)))
    return ChatRequest("test", "auto", tuple(messages), tools=(Tool("run"),))


@pytest.mark.parametrize("tier", [None, Tier.COMPLEX, Tier.REASONING])
def test_tool_results_keep_the_tier_of_the_task(rules: Rules, tier: Tier | None) -> None:
    for results in (["ok"], ["ok", "error: class import def return " * 200], ["hi"] * 12):
        found = features_of(agent_turn(*results), prompt_wrappers=builtin_prompt_wrappers(), previous_tier=tier)
        assert rules.classify(found).tier is Tier.REASONING


ASKED = Message("user", (TextPart("What is the capital of Peru?"),))
LOOKED_UP = (
    Message("assistant", (ToolCallPart("9", "search", "{}"),)),
    Message("user", (ToolCallResponsePart("9", (TextPart("prove the theorem: Lima " * 99),)),)),
)


def test_conversation_model_that_called_a_tool_reads_its_answer(rules: Rules) -> None:
    for messages in ((ASKED,), (ASKED, *LOOKED_UP), (ASKED, *LOOKED_UP, *LOOKED_UP)):
        request = ChatRequest("test", "auto", messages, tools=(Tool("search"),))
        assert rules.classify(features_of(request, prompt_wrappers=())).tier is Tier.SIMPLE


def test_tool_results_of_a_new_question_are_not_those_of_the_old_task(rules: Rules) -> None:
    messages = (*agent_turn("ok").messages, Message("assistant", (TextPart("Proved."),)), ASKED, *LOOKED_UP)
    assert rules.classify(features_of(ChatRequest("test", "auto", messages), prompt_wrappers=())).tier is Tier.SIMPLE


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({"reasoning": Reasoning(effort="max")}, Tier.REASONING),
        ({"reasoning": Reasoning(effort="xhigh")}, Tier.REASONING),
        ({"reasoning": Reasoning(effort="high")}, Tier.COMPLEX),
        ({"reasoning": Reasoning(effort="medium")}, Tier.SIMPLE),
        ({"response_format": ResponseFormat("json_schema", {})}, Tier.MEDIUM),
        ({"response_format": ResponseFormat("text")}, Tier.SIMPLE),
        ({"tokens": 100_001}, Tier.COMPLEX),
        ({"tools": (Tool("read"),)}, Tier.SIMPLE),
    ],
)
def test_conversation_what_the_request_carries_sets_minimum_tiers(rules: Rules, fields: dict[str, object], tier: Tier) -> None:
    assert rules.classify(said("hi", **fields)).tier is tier


def test_tools_count_when_the_words_ask_for_work(rules: Rules) -> None:
    assert rules.classify(said("is the header fixed?")).tier is Tier.SIMPLE
    assert rules.classify(said("is the header fixed?", tools=(Tool("edit"),))).tier is Tier.SIMPLE
    assert rules.classify(said("the fix in the header")).tier is Tier.SIMPLE
    assert rules.classify(said("the fix in the header", tools=(Tool("edit"),))).tier is Tier.MEDIUM


@pytest.mark.parametrize(("modality", "tier"), [("image", Tier.COMPLEX), ("document", Tier.MEDIUM)])
def test_attachments_set_minimum_tiers(rules: Rules, modality: str, tier: Tier) -> None:
    parts = (TextPart("hi"), BlobPart(modality, "application/x", "aGk="))  # type: ignore[arg-type]
    assert rules.classify(features_of(ChatRequest("test", "auto", (Message("user", parts),)), prompt_wrappers=())).tier is tier


def test_conversation_earlier_image_still_counts_a_little(rules: Rules) -> None:
    image = Message("user", (TextPart("hi"), BlobPart("image", "image/png", "aGk=")))
    messages = (image, Message("assistant", (TextPart("hello"),)), Message("user", (TextPart("What is the capital of Peru?"),)))
    assert rules.classify(features_of(ChatRequest("test", "auto", messages), prompt_wrappers=())).tier is Tier.MEDIUM


@pytest.mark.parametrize(
    "text",
    [
        "New task: rename foo to bar in util.py",
        "thanks! new task: rename the variable foo to bar in util.py",
        "Next ticket: fix the typo in README.md",
        "different topic: sort the imports in app.py",
        "Neue Aufgabe: benenne foo in util.py in bar um",
        "Nouvelle tâche : renomme foo en bar dans util.py",
        "Nueva tarea: renombra foo a bar en util.py",
        "新任务：把 util.py 里的 foo 改名为 bar",
    ],
)
def test_conversation_another_task_that_says_so_is_one(rules: Rules, text: str) -> None:
    found = rules.classify(later(text, Tier.REASONING))
    assert (found.turn, found.tier.rank < Tier.REASONING.rank) == ("task", True)


@pytest.mark.parametrize("text", ["go on with the next task of the plan", "next", "is there another issue with the sequence?"])
def test_conversation_tasks_own_next_step_is_not_another_task(rules: Rules, text: str) -> None:
    assert rules.classify(later(text, Tier.REASONING)).turn != "task"


@pytest.mark.parametrize(
    "text",
    [
        "let us pick up where we left off with what we had",
        "I would like to get on with the main work",
        "good. what is left on our list?",
        "as I was saying, the work is not done yet, so go back to it",
        "wo waren wir stehen geblieben?",
        "mach da weiter wo wir waren",
        "lass uns da weitermachen, wo wir aufgehört haben",
        "continuons là où nous en étions",
        "on en est où ?",
        "sigamos donde lo dejamos",
        "vamos voltar ao que estávamos fazendo",
        "riprendiamo da dove eravamo rimasti",
        "laten we verder gaan waar we gebleven waren",
        "låt oss fortsätta där vi slutade",
        "kaldığımız yerden devam edelim",
        "wróćmy do pracy",
        "продолжим с того места, где остановились",
        "我们接着刚才的工作继续",
        "さっきの作業に戻ってください",
        "어디까지 했지?",
        "لنكمل من حيث توقفنا",
        "tiếp tục từ chỗ đã dừng",
    ],
)
def test_conversation_work_is_taken_up_again_in_many_words_and_languages(rules: Rules, text: str) -> None:
    found = rules.classify(later(text, Tier.REASONING))
    assert (found.turn, found.tier) == ("continues", Tier.REASONING)
