"""A rule of fitting that is not asked, for a request that holds none of its subjects, would have changed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    NativePart,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
)
from openclaw_oauthrouter.canonical.fitting import RULES
from openclaw_oauthrouter.canonical.fitting_facts import Facts
from openclaw_oauthrouter.canonical.fitting_subjects import subjects_of
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    HeldState,
    Message,
    Reasoning,
    ResponseFormat,
    Tool,
    ToolChoice,
    WebSearchOptions,
)
from openclaw_oauthrouter.errors import InvalidRequestError

HERE, THERE = "anthropic_messages", "openai_chat_completions"
HI = Message("user", (TextPart("hi"),))
CALL = ToolCallPart("c" * 80, "look", "{}")
RESULT = ToolCallResponsePart("c" * 80, (TextPart("dry"),))
SEALED = ReasoningPart("hm", Opaque("signature", "SIG"))
IMAGE = BlobPart("image", "image/png", "aGk=")
NATIVE = NativePart(THERE, "odd", {"type": "odd", "text": "words"})

CONVERSATIONS: dict[str, tuple[Message, ...]] = {
    "empty": (),
    "question": (HI,),
    "turns": (Message("system", (TextPart("be kind"),)), HI, Message("assistant", (TextPart("yes"),)), HI),
    "late system": (HI, Message("system", (TextPart("be kind"),))),
    "beginning of an answer": (HI, Message("assistant", (TextPart("It is "),))),
    "wordless end": (HI, Message("assistant", (TextPart("yes "),)), Message("system", (TextPart(" "),))),
    "calls": (HI, Message("assistant", (SEALED, CALL)), Message("user", (RESULT,))),
    "refusal": (HI, Message("assistant", (RefusalPart("no"),)), HI),
    "another's refusal": (Message("user", (RefusalPart("no"), CALL)),),
    "image": (Message("user", (IMAGE,)),),
    "image of the assistant's": (HI, Message("assistant", (IMAGE,)), HI),
    "image in an answer": (HI, Message("assistant", (CALL,)), Message("user", (replace(RESULT, content=(IMAGE,)),))),
    "native": (HI, Message("assistant", (NATIVE,)), HI),
    "native in an answer": (HI, Message("assistant", (CALL,)), Message("user", (replace(RESULT, content=(NATIVE,)),))),
    "nothing": (HI, Message("assistant", ()), Message("system", ()), HI),
    "empty text": (Message("user", (TextPart(""),)),),
}
SEARCH = Tool("search", native=(THERE, {"type": "web_search"}), search=WebSearchOptions())
FIELDS: dict[str, dict[str, Any]] = {
    "none": {},
    "limit": {"max_output_tokens": 10_000_000},
    "reasoning": {"reasoning": Reasoning(effort="ultra", budget_tokens=5)},
    "no reasoning": {"reasoning": Reasoning(effort="none")},
    "temperature": {"temperature": 9.0},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 3},
    "stop": {"stop": ("END",)},
    "logprobs": {"logprobs": True},
    "penalty": {"native": {"frequency_penalty": 1}},
    "speed": {"native": {"speed": "fast"}},
    "identifier": {"native": {"safety_identifier": "x" * 200}},
    "user": {"user": "x" * 200},
    "tier": {"service_tier": "fast"},
    "verbosity": {"verbosity": "low"},
    "format": {"response_format": ResponseFormat("json_schema", {"type": "object"})},
    "tools": {"tools": (Tool("a"), Tool("b"))},
    "strict tool": {"tools": (Tool("a", strict=True),)},
    "deferred tool": {"tools": (Tool("a", loading="deferred"),)},
    "search": {"tools": (SEARCH,)},
    "tool of the client's": {"tools": (Tool("bash", parameters={}, native=(THERE, {"type": "bash"})),)},
    "choice": {"tool_choice": ToolChoice("required")},
    "one call at a time": {"parallel_tool_calls": False},
    "held": {"held_state": HeldState("previous_response_id")},
    "foreign": {"foreign_opaque": frozenset({"SIG"})},
}
STRICTEST = Accepts(
    temperature=False,
    top_p=False,
    top_k=False,
    penalties=False,
    stop=False,
    sampling_while_reasoning=False,
    verbosity=False,
    efforts=("low",),
    budget=False,
    adaptive=False,
    binds_thinking=True,
    prefill=False,
    system_messages=False,
    structured_output=(),
    strict_tools=False,
    parallel_tool_calls=False,
    forced_tool_choice=False,
    tool_changes=False,
    web_search=None,
    max_tools=1,
    user_limit=10,
    safety_identifier_limit=10,
    call_id_limit=10,
    service_tiers=(),
)


def worlds() -> Iterator[Facts]:
    for accepts in (STRICTEST, Accepts(), replace(STRICTEST, reasons=False), replace(STRICTEST, reasons_by_default=True)):
        info = ModelInfo("p", "m", max_output_tokens=1000, images=False, accepts=accepts)
        for relayed, same in ((False, False), (True, False), (True, True)):
            yield Facts(info, accepts, HERE, relayed, same, adds_tools=False)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_subjects_of_a_rule_that_is_not_asked_would_have_changed_nothing(conversation: str) -> None:
    for fields in FIELDS.values():
        request = ChatRequest(THERE, "auto", CONVERSATIONS[conversation], **fields)
        subjects = subjects_of(request)
        for facts in worlds():
            for rule, its_subjects in RULES:
                if not subjects & its_subjects:
                    assert rule(request, facts) is request, (fields, rule)
            assert not facts.notes, fields


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=lambda rule: rule.__name__)
def test_subjects_of_every_rule_has_something_to_change_in_these_requests(rule: Any) -> None:
    assert any(
        _changes(rule, ChatRequest(THERE, "auto", messages, **fields), facts)
        for messages in CONVERSATIONS.values()
        for fields in FIELDS.values()
        for facts in worlds()
    )


def _changes(rule: Any, request: ChatRequest, facts: Facts) -> bool:
    try:
        return rule(request, facts) is not request
    except InvalidRequestError:
        return True


def test_subjects_of_a_plain_question_are_few() -> None:
    rules = [rule.__name__ for rule, its in RULES if its & subjects_of(ChatRequest(THERE, "auto", (HI,), max_output_tokens=9))]
    assert rules == ["_limit_output"]
