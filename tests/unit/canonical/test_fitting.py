"""What a model's facts change in a request: a row for each rule, and nothing where nothing has to change."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    FilePart,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
)
from openclaw_oauthrouter.canonical.fitting import GO_ON, fit, short_id
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Tool, ToolChoice
from openclaw_oauthrouter.catalog.accepts import with_accepts

HERE, THERE = "anthropic_messages", "openai_chat_completions"
HI = Message("user", (TextPart("hi"),))
OFF = Reasoning(effort="none")
CALLS = Message("assistant", (ToolCallPart("c1", "look", "{}"),))
RESULT = Message("user", (ToolCallResponsePart("c1", (TextPart("dry"),)),))
SEALED = ReasoningPart("hm", Opaque("signature", "SIG"))


def request(*messages: Message, dialect: str = THERE, model: str = "auto", **fields: Any) -> ChatRequest:
    return ChatRequest(dialect, model, messages or (HI,), **fields)


def fitted(asked: ChatRequest, model: str, dialect: str = HERE, provider: str = "anthropic", **info: Any) -> ChatRequest:
    return fit(asked, with_accepts(ModelInfo(provider, model, **info), dialect), dialect)[0]


def to_chat(asked: ChatRequest, model: str, **info: Any) -> ChatRequest:
    return fitted(asked, model, THERE, "openai", **info)


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        ("claude-haiku-4-5", Reasoning(effort="high"), Reasoning(budget_tokens=4096)),
        ("claude-haiku-4-5", Reasoning(adaptive=True, effort="max"), Reasoning(budget_tokens=16_384)),
        ("claude-haiku-4-5", OFF, None),
        ("claude-opus-4-5", Reasoning(effort="high"), Reasoning(effort="high", budget_tokens=4096)),
        ("claude-opus-4-6", Reasoning(effort="xhigh"), Reasoning(effort="max", adaptive=True)),
        ("claude-opus-4-6", Reasoning(budget_tokens=3000), Reasoning(budget_tokens=3000)),
        ("claude-opus-4-7", Reasoning(budget_tokens=3000), Reasoning(effort="high", adaptive=True)),
        ("claude-opus-4-8", Reasoning(effort="minimal"), Reasoning(effort="low", adaptive=True)),
        ("claude-opus-4-8", OFF, None),
        ("claude-opus-5", OFF, OFF),
        ("claude-sonnet-5-5", OFF, Reasoning(effort="none", between_tools=True)),
        ("claude-fable-5", OFF, Reasoning(effort="low")),
        ("claude-of-tomorrow", OFF, Reasoning(effort="low")),
    ],
)
def test_fit_says_reasoning_as_the_claude_model_takes_it(model: str, asked: Reasoning, expected: Reasoning | None) -> None:
    assert fitted(request(reasoning=asked), model).reasoning == expected


@pytest.mark.parametrize(
    ("provider", "model", "asked", "expected"),
    [
        ("openai", "gpt-4o", OFF, None),
        ("openai", "gpt-4o", Reasoning(effort="high"), None),
        ("openai", "gpt-5", OFF, Reasoning(effort="minimal")),
        ("openai", "o4-mini", OFF, Reasoning(effort="low")),
        ("openai", "gpt-5.1", OFF, OFF),
        ("openai", "gpt-5.1", Reasoning(effort="minimal"), Reasoning(effort="low")),
        ("openai", "gpt-5.1", Reasoning(effort="max"), Reasoning(effort="high")),
        ("openai", "gpt-5.4", Reasoning(effort="max"), Reasoning(effort="xhigh")),
        ("openai", "gpt-5.4", Reasoning(budget_tokens=4000), Reasoning(effort="medium")),
        ("openai", "gpt-5.4", Reasoning(adaptive=True, effort="high"), Reasoning(effort="high")),
        ("openai-codex", "gpt-5.3-codex", OFF, Reasoning(effort="low")),
        ("openai-codex", "gpt-5.4", OFF, Reasoning(effort="low")),
        ("openai-codex", "gpt-5.4", Reasoning(effort="minimal"), Reasoning(effort="low")),
        ("deepseek", "deepseek-chat", Reasoning(effort="high"), None),
        ("local", "llama-4", OFF, None),
        ("local", "llama-4", Reasoning(effort="ultra"), Reasoning(effort="ultra")),
    ],
)
def test_fit_says_reasoning_as_other_models_take_it(
    provider: str, model: str, asked: Reasoning, expected: Reasoning | None
) -> None:
    assert fitted(request(dialect=HERE, reasoning=asked), model, THERE, provider).reasoning == expected


@pytest.mark.parametrize(
    ("model", "left"),
    [
        ("claude-haiku-4-5", {"temperature": 1.0, "top_k": 3}),
        ("claude-opus-4-7", {}),
        ("gpt-4o", {"temperature": 1.5, "top_p": 0.5, "stop": ("END",)}),
        ("gpt-5-mini", {}),
        ("o4-mini", {}),
        ("gpt-5.4", {}),
        ("llama-4", {"temperature": 1.5, "top_p": 0.5, "top_k": 3, "stop": ("END",)}),
    ],
)
def test_fit_leaves_the_sampling_that_the_model_takes(model: str, left: dict[str, Any]) -> None:
    claude = model.startswith("claude")
    asked = request(dialect="openai_responses", temperature=1.5, top_p=0.5, top_k=3, stop=("END",))
    found = fitted(asked, model) if claude else to_chat(asked, model)
    expected = {"temperature": None, "top_p": None, "top_k": None, "stop": ("END",) if claude else (), **left}
    assert {name: getattr(found, name) for name in expected} == expected


def test_fit_lets_a_model_sample_when_it_does_not_reason() -> None:
    assert to_chat(request(temperature=0.2, reasoning=OFF), "gpt-5.1").temperature == 0.2
    assert to_chat(request(temperature=0.2, reasoning=Reasoning(effort="low")), "gpt-5.1").temperature is None


def test_fit_leaves_the_default_temperature_to_a_client_that_named_the_model() -> None:
    asked = request(dialect=HERE, model="anthropic/claude-opus-5", temperature=1)
    assert fitted(asked, "claude-opus-5") is asked
    assert fitted(request(dialect=HERE, temperature=1), "claude-opus-5").temperature is None


def test_fit_drops_penalties_and_probabilities_of_models_that_reason() -> None:
    asked = request(native={"frequency_penalty": 1, "presence_penalty": 1, "seed": 7}, logprobs=True)
    found = to_chat(asked, "o3")
    assert found.native == {"seed": 7}
    assert found.logprobs is False
    assert to_chat(asked, "gpt-4o") is asked


def test_fit_limits_the_answer() -> None:
    assert fitted(request(max_output_tokens=200_000), "claude-haiku-4-5").max_output_tokens == 64_000
    assert to_chat(request(max_output_tokens=200_000), "m", max_output_tokens=100).max_output_tokens == 100


def test_fit_shortens_identifiers_and_keeps_them_apart() -> None:
    users = [fitted(request(dialect=HERE, user=letter * 150), "gpt-5.4", THERE, "openai").user for letter in "ab"]
    assert all(user is not None and len(user) == 64 for user in users)
    assert users[0] != users[1]
    safety = to_chat(request(native={"safety_identifier": "x" * 90}), "gpt-5.4").native["safety_identifier"]
    assert len(safety) == 64
    assert to_chat(request(user="x" * 64), "gpt-5.4").user == "x" * 64


@pytest.mark.parametrize("id_", ["call_1", "x" * 64])
def test_short_id_leaves_ids_that_fit(id_: str) -> None:
    assert short_id(id_, 64) == id_


def test_fit_shortens_calls_and_their_answers_alike() -> None:
    long = ["call_" + "0" * 80 + letter for letter in "ab"]
    turns = [Message("assistant", (ToolCallPart(id_, "look", "{}"),)) for id_ in long]
    answers = [Message("user", (ToolCallResponsePart(id_),)) for id_ in long]
    found = fitted(request(HI, *turns, *answers), "gpt-5.4", "openai_responses", "openai-codex")
    ids = [
        part.id for message in found.messages for part in message.parts if isinstance(part, ToolCallPart | ToolCallResponsePart)
    ]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]
    assert max(map(len, ids)) <= 64


@pytest.mark.parametrize(
    ("model", "mode", "expected"),
    [
        ("claude-haiku-4-5", "required", "required"),
        ("claude-opus-5-5", "required", "auto"),
        ("claude-opus-5-5", "tool", "auto"),
        ("claude-opus-5-5", "none", "none"),
    ],
)
def test_fit_demands_a_call_where_that_can_be_done(model: str, mode: Any, expected: str) -> None:
    found = fitted(request(tools=(Tool("look"),), tool_choice=ToolChoice(mode, "look")), model).tool_choice
    assert found is not None
    assert found.mode == expected


def test_fit_does_not_force_a_call_beside_a_budget() -> None:
    asked = request(tools=(Tool("look"),), tool_choice=ToolChoice("required"), reasoning=Reasoning(budget_tokens=2000))
    found = fitted(asked, "claude-haiku-4-5").tool_choice
    assert found == ToolChoice("auto")


def test_fit_says_in_words_what_the_model_cannot_be_bound_to() -> None:
    wanted = ResponseFormat("json_schema", {"type": "object", "properties": {"verdict": {}}}, strict=True)
    found = fitted(request(response_format=wanted), "deepseek-chat", THERE, "deepseek")
    assert found.response_format == ResponseFormat("json_object")
    assert "verdict" in str(found.messages[0])
    assert fitted(request(response_format=wanted), "claude-haiku-4-5").response_format == wanted
    in_words = fitted(request(response_format=ResponseFormat("json_object")), "claude-haiku-4-5")
    assert in_words.response_format is None
    assert [message.role for message in in_words.messages] == ["system", "user"]


@pytest.mark.parametrize(
    "part",
    [
        BlobPart("image", "image/png", "AAAA"),
        FilePart("image", "file_1", "cat.png"),
        BlobPart("document", "application/pdf", "AAAA", "a.pdf"),
        BlobPart("audio", "audio/wav", "AAAA"),
    ],
)
def test_fit_names_what_the_model_cannot_see(part: Part) -> None:
    result = ToolCallResponsePart("c1", (TextPart("see"), part))  # type: ignore[arg-type]
    asked = request(Message("user", (TextPart("look"), part)), CALLS, Message("user", (result,)))
    found = to_chat(asked, "m", images=False, documents=False, audio=False)
    shown = [found.messages[0].parts[1], found.messages[2].parts[0].content[1]]  # type: ignore[union-attr]
    assert all(isinstance(item, TextPart) and part.modality in item.text for item in shown)  # type: ignore[union-attr]
    assert to_chat(asked, "m").messages is asked.messages


def test_fit_lets_a_model_read_text_documents_it_cannot_see() -> None:
    asked = request(Message("user", (BlobPart("document", "text/plain", "aGk=", "a.txt"),)))
    assert to_chat(asked, "m", documents=False) is asked


def test_fit_places_system_messages_where_the_model_honours_them() -> None:
    late = Message("system", (TextPart("Be brief."),))
    said = (HI, Message("assistant", (TextPart("yo"),)), HI, late)
    assert fitted(request(*said), "claude-opus-5").messages == said
    assert fitted(request(*said), "claude-haiku-4-5").messages == (late, *said[:3])
    own = fitted(request(*said, dialect=HERE), "claude-haiku-4-5").messages
    assert [message.role for message in own] == ["user", "assistant", "user", "user"]
    assert "Be brief." in str(own[3])


@pytest.mark.parametrize(("dialect", "left"), [(HERE, 1), (THERE, 1)])
def test_fit_leaves_out_system_messages_that_say_nothing(dialect: str, left: int) -> None:
    settings = Message("system", ())
    assert len(fitted(request(HI, settings, dialect=dialect), "claude-opus-4-6").messages) == left
    own = request(HI, settings, dialect=HERE, model="claude-opus-5")
    assert fitted(own, "claude-opus-5") is own


def test_fit_tells_an_assistants_blocks_in_lines_of_their_own() -> None:
    blocks = tuple(NativePart("elsewhere", "block", {}, words=word) for word in ("a", "b"))
    found = to_chat(request(HI, Message("assistant", blocks), HI), "m").messages[1].parts
    assert found == (TextPart("a\n"), TextPart("b\n"))


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        ("claude-haiku-4-5", "So ", "So"),
        ("claude-haiku-4-5", "So", "So"),
        ("claude-opus-4-6", "So", GO_ON),
        ("claude-of-tomorrow", "So", GO_ON),
    ],
)
def test_fit_ends_a_conversation_as_the_model_wants_it(model: str, text: str, expected: str) -> None:
    found = fitted(request(HI, Message("assistant", (TextPart(text),))), model).messages[-1].parts[-1]
    assert isinstance(found, TextPart)
    assert found.text == expected


def test_fit_takes_what_somebody_else_sealed_off_every_part() -> None:
    parts = (
        ReasoningPart("hm", Opaque("signature", "theirs")),
        TextPart("so", opaque=Opaque("thought_signature", "theirs")),
        ToolCallPart("c1", "look", "{}", opaque=Opaque("thought_signature", "theirs")),
        ToolCallPart("c2", "look", "{}", opaque=Opaque("thought_signature", "ours")),
    )
    asked = request(HI, Message("assistant", parts), foreign_opaque=frozenset({"theirs"}))
    left = [part.opaque for part in to_chat(asked, "m").messages[1].parts]  # type: ignore[union-attr]
    assert left == [None, None, None, Opaque("thought_signature", "ours")]


def test_fit_drops_thinking_bound_to_a_prefix_that_changed() -> None:
    earlier, running = Message("assistant", (SEALED, TextPart("so"))), Message("assistant", (SEALED, *CALLS.parts))
    asked = request(HI, earlier, HI, running, RESULT)
    found = fitted(asked, "claude-opus-5-5").messages
    assert found[1].parts == (TextPart("so"),)
    assert found[3] is running
    assert fitted(asked, "claude-opus-5").messages is asked.messages


def test_fit_starts_no_budget_within_a_running_loop() -> None:
    asked = request(HI, CALLS, RESULT, reasoning=Reasoning(budget_tokens=2000), max_output_tokens=9000)
    assert fitted(asked, "claude-haiku-4-5").reasoning is None


@pytest.mark.parametrize(
    ("limit", "budget", "expected"), [(1024, 2000, None), (3000, 9000, 2999), (9000, 5, 1024), (9000, 2000, 2000)]
)
def test_fit_keeps_a_budget_within_the_answer(limit: int, budget: int, expected: int | None) -> None:
    found = fitted(request(reasoning=Reasoning(budget_tokens=budget), max_output_tokens=limit), "claude-haiku-4-5").reasoning
    assert (found.budget_tokens if found else None) == expected


def test_fit_leaves_a_clients_own_body_for_a_model_of_which_nothing_is_known() -> None:
    asked = request(
        HI,
        Message("assistant", (TextPart("So "),)),
        dialect=HERE,
        model="anthropic/claude-of-tomorrow",
        temperature=0.3,
        reasoning=OFF,
        tool_choice=ToolChoice("required"),
    )
    assert fitted(asked, "claude-of-tomorrow") is asked


def test_fit_says_what_it_changed_and_remembers_what_was_asked() -> None:
    asked = request(temperature=0.3, service_tier="flex", verbosity="low")
    info = ModelInfo("x", "m", accepts=Accepts(temperature=False, verbosity=False, service_tiers=("priority",)))
    found, notes = fit(asked, info, HERE)
    assert found.decoded is asked
    assert [note.subject for note in notes] == ["temperature", "verbosity", "service_tier"]
    assert fit(request(service_tier="fast"), info, HERE)[0].service_tier == "priority"
