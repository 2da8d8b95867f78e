"""One body, many models: what the transparent lane writes anew for each and what it leaves alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.fitting import GO_ON
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from tests.support.fitted import encoded_for

USER = {"role": "user", "content": [{"type": "text", "text": "hi"}]}


def adapt(model: str, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    body = {"model": "auto", "max_tokens": 20_000, "messages": [USER], **fields}
    before = copy.deepcopy(body)
    dialect = AnthropicMessages(lambda: 0.0)
    encoded = encoded_for(dialect, dialect.decode_request(body, {}), ModelInfo("anthropic", model))
    assert body == before, "the client's body was changed"
    return encoded.body, [note.subject for note in encoded.notes]


THINKING = [
    # model, thinking, effort -> thinking, effort
    ("claude-haiku-4-5", {"type": "adaptive"}, "low", {"type": "enabled", "budget_tokens": 1024}, None),
    ("claude-haiku-4-5", {"type": "adaptive"}, "medium", {"type": "enabled", "budget_tokens": 2048}, None),
    ("claude-haiku-4-5", {"type": "adaptive", "display": "omitted"}, "high", {"type": "enabled", "budget_tokens": 4096}, None),
    ("claude-haiku-4-5", {"type": "adaptive"}, "xhigh", {"type": "enabled", "budget_tokens": 8192}, None),
    ("claude-haiku-4-5", {"type": "adaptive"}, None, {"type": "enabled", "budget_tokens": 4096}, None),
    ("claude-haiku-4-5", {"type": "disabled"}, None, None, None),
    ("claude-haiku-4-5", None, "high", None, None),
    ("claude-opus-4-5", {"type": "adaptive"}, "max", {"type": "enabled", "budget_tokens": 16_384}, "high"),
    ("claude-opus-4-6", {"type": "adaptive"}, "xhigh", {"type": "adaptive"}, "max"),
    ("claude-opus-4-6", {"type": "enabled", "budget_tokens": 3000}, None, {"type": "enabled", "budget_tokens": 3000}, None),
    ("claude-opus-4-7", {"type": "enabled", "budget_tokens": 1024}, None, {"type": "adaptive"}, "low"),
    (
        "claude-opus-4-7",
        {"type": "enabled", "budget_tokens": 5000, "display": "omitted"},
        None,
        {"type": "adaptive", "display": "omitted"},
        "xhigh",
    ),
    ("claude-opus-4-7", {"type": "enabled", "budget_tokens": 99_000}, None, {"type": "adaptive"}, "max"),
    ("claude-opus-4-7", {"type": "enabled", "budget_tokens": 1024}, "max", {"type": "adaptive"}, "max"),
    ("claude-opus-4-8", {"type": "disabled"}, None, None, None),
    ("claude-opus-5", {"type": "disabled"}, "max", {"type": "disabled"}, "high"),
    ("claude-opus-5", {"type": "between_tools"}, None, {"type": "disabled"}, None),
    ("claude-haiku-4-5", {"type": "between_tools"}, None, None, None),
    ("claude-haiku-4-5", {"type": "of_tomorrow"}, None, {"type": "of_tomorrow"}, None),
    ("claude-fable-5", {"type": "disabled"}, None, None, "low"),
    ("claude-opus-5-5", {"type": "disabled"}, "high", None, "low"),
    ("claude-sonnet-5-5", {"type": "disabled"}, None, {"type": "between_tools"}, None),
    ("claude-opus-5-5", {"type": "adaptive"}, "xhigh", {"type": "adaptive"}, "xhigh"),
]


@pytest.mark.parametrize(("model", "thinking", "effort", "expected", "expected_effort"), THINKING)
def test_thinking_is_said_the_models_way(
    model: str, thinking: Any, effort: str | None, expected: Any, expected_effort: str | None
) -> None:
    fields: dict[str, Any] = {}
    if thinking:
        fields["thinking"] = thinking
    if effort:
        fields["output_config"] = {"effort": effort}
    body, _ = adapt(model, **fields)
    assert body.get("thinking") == expected
    assert body.get("output_config", {}).get("effort") == expected_effort
    assert body.get("output_config") != {}


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        ("claude-opus-4-7", {"type": "enabled", "budget_tokens": 1024}, {"effort": "low"}),
        ("claude-haiku-4-5", {"type": "adaptive"}, None),
        ("claude-opus-5-5", {"type": "disabled"}, {"effort": "low"}),
    ],
)
def test_messages_adaptation_output_config_of_null_is_none(model: str, thinking: Any, expected: Any) -> None:
    assert adapt(model, thinking=thinking, output_config=None)[0].get("output_config") == expected


def test_messages_adaptation_budget_fits_into_the_answer() -> None:
    body, notes = adapt("claude-haiku-4-5", max_tokens=2000, thinking={"type": "enabled", "budget_tokens": 9000})
    assert body["thinking"]["budget_tokens"] == 1999
    assert notes == ["thinking"]


def test_messages_adaptation_no_room_for_a_budget() -> None:
    body, notes = adapt("claude-haiku-4-5", max_tokens=1024, thinking={"type": "adaptive"})
    assert "thinking" not in body
    assert notes == ["thinking", "thinking"]


def test_budgeted_thinking_does_not_start_within_a_tool_loop() -> None:
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}
    thought = {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "s"}, *call["content"]]}
    enabled = {"type": "enabled", "budget_tokens": 1024}
    for budget in (9, 1024, 99_000):
        wanted = {"type": "enabled", "budget_tokens": budget}
        assert "thinking" not in adapt("claude-haiku-4-5", messages=[USER, call, result], thinking=wanted)[0]
    assert adapt("claude-haiku-4-5", messages=[USER, thought, result], thinking=enabled)[0]["thinking"] == enabled
    assert adapt("claude-haiku-4-5", messages=[USER, call, result, USER], thinking=enabled)[0]["thinking"] == enabled


@pytest.mark.parametrize(
    ("model", "fields", "kept"),
    [
        ("claude-haiku-4-5", {"temperature": 0.3, "top_p": 0.9, "top_k": 4}, {"temperature": 0.3, "top_k": 4}),
        ("claude-haiku-4-5", {"top_p": 0.9}, {"top_p": 0.9}),
        ("claude-haiku-4-5", {"temperature": 1.6}, {"temperature": 1}),
        ("claude-haiku-4-5", {"temperature": -1}, {"temperature": 0}),
        ("claude-haiku-4-5", {"temperature": 0.3, "thinking": {"type": "enabled", "budget_tokens": 1024}}, {}),
        ("claude-opus-4-7", {"temperature": 0.3, "top_p": 0.9, "top_k": 4}, {}),
        ("claude-opus-9", {"temperature": 1}, {}),
        ("glm-5", {"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3, "top_p": 0.9}),
    ],
)
def test_sampling(model: str, fields: dict[str, Any], kept: dict[str, Any]) -> None:
    body, notes = adapt(model, **fields)
    found = {name: body[name] for name in ("temperature", "top_p", "top_k") if name in body}
    assert found == kept
    assert bool(notes) == (found != {name: value for name, value in fields.items() if name != "thinking"})


@pytest.mark.parametrize(
    ("model", "thinking", "forced"),
    [
        ("claude-haiku-4-5", None, True),
        ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 1024}, False),
        ("claude-opus-4-6", {"type": "adaptive"}, True),
        ("claude-opus-5", None, True),
        ("claude-opus-5-5", None, False),
        ("claude-sonnet-5-5", None, False),
        ("claude-fable-5-1", None, False),
    ],
)
def test_forced_tool_choice(model: str, thinking: Any, forced: bool) -> None:
    choice = {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
    fields = {"thinking": thinking} if thinking else {}
    body, notes = adapt(model, tool_choice=choice, **fields)
    assert body["tool_choice"] == (choice if forced else {"type": "auto", "disable_parallel_tool_use": True})
    assert ("tool_choice" in notes) != forced


def test_max_tokens_is_lowered_never_raised() -> None:
    assert adapt("claude-haiku-4-5", max_tokens=128_000)[0]["max_tokens"] == 64_000
    assert adapt("claude-opus-5", max_tokens=128_000)[0]["max_tokens"] == 128_000
    assert adapt("claude-opus-5", max_tokens=7)[0]["max_tokens"] == 7


@pytest.mark.parametrize(
    ("model", "role"), [("claude-opus-5-5", "system"), ("claude-sonnet-5", "user"), ("claude-haiku-4-5", "user")]
)
def test_system_messages_inside_a_conversation(model: str, role: str) -> None:
    mark = {"type": "ephemeral"}
    inside = {
        "role": "system",
        "content": [{"type": "text", "text": "Be kind.", "cache_control": mark}],
        "output_config": {"effort": "low"},
    }
    body, notes = adapt(model, messages=[USER, inside])
    block = body["messages"][1]["content"][0]
    assert body["messages"][1]["role"] == role
    assert "output_config" not in body["messages"][1]
    assert block["cache_control"] == mark
    assert block["text"] == ("Be kind." if role == "system" else "<system>\nBe kind.\n</system>")
    assert "messages.output_config" in notes


def test_messages_adaptation_system_message_given_as_a_string() -> None:
    body, _ = adapt("claude-haiku-4-5", messages=[USER, {"role": "system", "content": "Be kind."}])
    assert body["messages"][1] == {"role": "user", "content": [{"type": "text", "text": "<system>\nBe kind.\n</system>"}]}


def test_prefill() -> None:
    started = [USER, {"role": "assistant", "content": "The answer is "}]
    old, notes = adapt("claude-haiku-4-5", messages=started)
    assert old["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "The answer is"}]}
    assert notes == ["messages"]
    for model, thinking in (("claude-opus-4-6", None), ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 1024})):
        body, notes = adapt(model, messages=started, **({"thinking": thinking} if thinking else {}))
        assert body["messages"][-1] == {"role": "user", "content": [{"type": "text", "text": GO_ON}]}
        assert notes == ["messages"]


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-sonnet-4-6"])
def test_thoughts_at_the_end_are_not_continued(model: str) -> None:
    thought = {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}]}
    body, notes = adapt(model, messages=[USER, thought])
    assert body["messages"][-1] == {"role": "user", "content": [{"type": "text", "text": GO_ON}]}
    assert notes == ["messages"]


def test_messages_adaptation_paused_turn_is_no_prefill() -> None:
    paused = {"role": "assistant", "content": [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}]}
    body, notes = adapt("claude-opus-5", messages=[USER, paused])
    assert body["messages"] == [USER, paused]
    assert notes == []


def test_clearing_of_thinking_needs_thinking() -> None:
    edits = [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]
    management = {"edits": edits}
    assert adapt("claude-haiku-4-5", context_management=management)[0]["context_management"] == {"edits": edits[1:]}
    assert "context_management" not in adapt("claude-haiku-4-5", context_management={"edits": edits[:1]})[0]
    adaptive = {"type": "adaptive"}
    assert adapt("claude-haiku-4-5", context_management=management, thinking=adaptive)[0]["context_management"] == management
    assert adapt("claude-opus-5", context_management=management)[0]["context_management"] == management


def test_messages_adaptation_legal_body_is_left_alone() -> None:
    fields = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}, "tool_choice": {"type": "auto"}}
    body, notes = adapt("claude-opus-5-5", **fields)
    assert body == {"model": "claude-opus-5-5", "max_tokens": 20_000, "messages": [USER], **fields}
    assert notes == []
