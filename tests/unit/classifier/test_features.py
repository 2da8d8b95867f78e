"""The user's own words are found inside what hosts send."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.content import BlobPart, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Tool
from openclaw_oauthrouter.classifier.excerpt import HEAD, TAIL
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers

from .requests import captured, conversation, features, said
from .shared_data import shared_json

CAPTURES = {
    "openclaw-captures/comp-01.json": ("hi, reply OK", False),
    "openclaw-captures/comp-02.json": ("USE_TOOL please", False),
    "openclaw-captures/comp-03.json": ("USE_TOOL please", True),
    "openclaw-captures/compR-01.json": ("USE_TOOL please", False),
    "openclaw-captures/compR-02.json": ("USE_TOOL please", True),
    "openclaw-captures/resp-02.json": ("USE_TOOL please", False),
    "openclaw-captures/resp-03.json": ("USE_TOOL please", True),
    "openclaw-captures/anth-01.json": ("USE_TOOL please", False),
    "openclaw-captures/anth-02.json": ("USE_TOOL please", True),
    "openclaw-captures/gw-01.json": ("hello through the gateway", False),
    "client-captures/claude-code-01.json": ("say hi", False),
    "client-captures/codex-cli-01.json": ("say hi", False),
}

CONTEXT = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nActive exec sessions: none\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>"
RUNTIME = "\n\nRuntime: agent=main | session=agent:main:main | host=laptop"
IMAGE = BlobPart("image", "image/png", "aGk=")
RESULT = ToolCallResponsePart("1", (TextPart("a long log"),))


@pytest.mark.parametrize("path", CAPTURES)
def test_captured_requests(path: str) -> None:
    words, tool_turn = CAPTURES[path]
    found = features_of(captured(shared_json(*path.split("/"))["body"]), prompt_wrappers=builtin_prompt_wrappers())
    assert (found.text, found.is_tool_result_turn) == (words, tool_turn)
    assert len(found.tool_names) > 5


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("[Sun 2026-11-22 15:06 UTC] fix it", "fix it"),
        (f"[Sun 2026-11-22 15:06 GMT+2] fix it{RUNTIME}", "fix it"),
        (f"{CONTEXT}fix it", "fix it"),
        ("[1] first item", "[1] first item"),
        ("What does 'Runtime: agent=main' mean?", "What does 'Runtime: agent=main' mean?"),
        ("<system-reminder>be brief</system-reminder>\nfix it\n<system-reminder>x</system-reminder>", "fix it"),
        ("what is a <system-reminder> tag?", "what is a <system-reminder> tag?"),
        ("<environment_context>\n<cwd>/x</cwd>\n</environment_context>", ""),
        ("<user_instructions>be kind</user_instructions>", ""),
        ("if a < b: print(a)", "if a < b: print(a)"),
    ],
)
def test_wrapping_comes_off_and_words_stay(sent: str, words: str) -> None:
    assert said(sent).text == words


def test_context_messages_after_the_words_are_passed_over() -> None:
    found = features(("user", "[Sun 2026-11-22 15:06 UTC] prove it"), ("user", CONTEXT))
    assert (found.text, found.turn_count) == ("prove it", 1)


def test_system_prompt_and_tools_are_no_words_of_the_user() -> None:
    found = features(("system", "Prove theorems step by step."), ("user", "hi"), tools=(Tool("prove", "Proves theorems."),))
    assert found.text == "hi"
    assert found.system_text == "Prove theorems step by step."
    assert found.tool_names == ("prove",)


def test_features_tool_result_ends_the_request_even_behind_wrapping() -> None:
    messages = (
        Message("user", (TextPart("list files"),)),
        Message("assistant", (ToolCallPart("1", "ls", "{}"),)),
        Message("user", (RESULT, TextPart("<system-reminder>todo</system-reminder>"))),
        Message("user", (TextPart(CONTEXT),)),
    )
    found = features_of(ChatRequest("test", "auto", messages), prompt_wrappers=builtin_prompt_wrappers())
    assert found.is_tool_result_turn
    assert found.text == "list files"
    spoken = (*messages, Message("user", (TextPart("now stop"),)))
    assert not features_of(ChatRequest("test", "auto", spoken), prompt_wrappers=builtin_prompt_wrappers()).is_tool_result_turn


def test_images_count_for_the_turn_they_came_with() -> None:
    shown = Message("user", (TextPart("what is this?"), IMAGE))
    answer = Message("assistant", (TextPart("a cat"),))
    later = Message("user", (TextPart("thanks"),))
    first = features_of(ChatRequest("test", "auto", (shown,)), prompt_wrappers=())
    second = features_of(ChatRequest("test", "auto", (shown, answer, later)), prompt_wrappers=())
    bare = features_of(ChatRequest("test", "auto", (later, answer, Message("user", (IMAGE,)))), prompt_wrappers=())
    assert (first.image_count, first.turn_image_count, first.raw_last_user_images) == (1, 1, 1)
    assert (second.image_count, second.turn_image_count, second.raw_last_user_images) == (1, 0, 0)
    assert (bare.image_count, bare.turn_image_count) == (1, 1)


def test_features_screenshot_in_a_tools_answer_is_no_image_of_the_user() -> None:
    result = Message("user", (ToolCallResponsePart("1", (IMAGE,)),))
    found = features_of(ChatRequest("test", "auto", (Message("user", (TextPart("look"),)), result)), prompt_wrappers=())
    assert (found.image_count, found.turn_image_count) == (0, 0)


def test_features_task_behind_a_follow_up_is_the_last_substantial_turn() -> None:
    task = "Design a distributed lock service with fencing tokens"
    found = features(("user", task), ("assistant", "a plan"), ("user", "ok"), ("assistant", "?"), ("user", "yes, do it"))
    assert (found.text, found.task_text, found.has_assistant_turn) == ("yes, do it", task, True)


def test_request_fields() -> None:
    request = conversation(
        ("user", "hi"),
        response_format=ResponseFormat("json_schema", {}),
        reasoning=Reasoning(effort="high"),
        max_output_tokens=7,
    )
    found = features_of(request, prompt_wrappers=(), conversation="c", input_tokens=9)
    assert found.structured_output
    assert (found.reasoning_effort, found.max_output_tokens, found.conversation, found.input_tokens) == ("high", 7, "c", 9)


def test_features_request_without_words() -> None:
    found = features_of(ChatRequest("test", "auto", ()), prompt_wrappers=builtin_prompt_wrappers())
    assert (found.text, found.turn_count, found.raw_last_user_text) == ("", 0, "")


def test_features_megabyte_is_seen_by_its_ends() -> None:
    text = "HEAD " + "x" * 1_000_000 + " what failed? TAIL"
    found = said(text)
    assert found.text.startswith("HEAD")
    assert found.text.endswith("what failed? TAIL")
    assert len(found.text) == HEAD + TAIL + 1
    assert found.text_length == len(text)


def test_features_long_reminder_around_a_short_request_is_cut_out() -> None:
    found = said("<system-reminder>" + "rule " * 20_000 + "</system-reminder>\nfix the login")
    assert found.text == "fix the login"


def test_features_raw_text_is_what_the_client_sent() -> None:
    assert said("<system-reminder>x</system-reminder>hi").raw_last_user_text == "<system-reminder>x</system-reminder>hi"
