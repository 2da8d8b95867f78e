"""Fitting, whatever is asked of whatever model: it ends, it repeats nothing, and what it leaves is within the model's facts."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import BlobPart, Opaque, ReasoningPart, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.json_schema import Profile, normalise
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.opaque import attached, seal, unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, ToolChoice
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.errors import InvalidRequestError

DIALECTS = ("anthropic_messages", "openai_chat_completions", "openai_responses")
MODELS = (
    "claude-haiku-4-5",
    "claude-opus-4-6",
    "claude-opus-5",
    "claude-sonnet-5-5",
    "claude-of-tomorrow",
    "gpt-4o",
    "gpt-5-mini",
    "gpt-5.1",
    "gpt-6-sol",
    "o3",
    "deepseek-chat",
    "deepseek-v4-pro",
    "llama-4",
)
texts = st.text(max_size=6)
ids = st.text("abc-./", min_size=1, max_size=90)
opaques = st.none() | st.builds(Opaque, st.sampled_from(["signature", "thought_signature"]), st.sampled_from(["own", "theirs"]))
parts = st.one_of(
    st.builds(TextPart, texts, opaque=opaques),
    st.builds(ReasoningPart, texts, opaques),
    st.builds(ToolCallPart, ids, st.just("look"), st.just("{}"), opaque=opaques),
    st.builds(ToolCallResponsePart, ids, st.just(())),
    st.builds(BlobPart, st.sampled_from(["image", "document", "audio"]), st.just("image/png"), st.just("AA")),
)
messages = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.lists(parts, max_size=3).map(tuple)),
    min_size=1,
    max_size=6,
).map(tuple)
requests = st.builds(
    ChatRequest,
    st.sampled_from(DIALECTS),
    st.sampled_from(("auto", *MODELS)),
    messages,
    max_output_tokens=st.none() | st.integers(1, 300_000),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    stop=st.just(()) | st.just(("END",)),
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(["auto", "required", "none"])),
    reasoning=st.none()
    | st.builds(
        Reasoning,
        effort=st.none() | st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max", "odd"]),
        budget_tokens=st.none() | st.integers(0, 100_000),
        adaptive=st.booleans(),
    ),
    response_format=st.none() | st.builds(ResponseFormat, st.sampled_from(["text", "json_object", "json_schema"]), st.just({})),
    user=st.none() | st.text("u", max_size=200),
    foreign_opaque=st.sampled_from([frozenset(), frozenset({"theirs"})]),
)


@given(requests, st.sampled_from(MODELS), st.sampled_from(DIALECTS), st.booleans())
def test_fit_leaves_what_the_model_takes(request: ChatRequest, model: str, dialect: str, sees: bool) -> None:
    info = with_accepts(ModelInfo("p", model, images=sees, documents=sees, audio=sees), dialect)
    others = (part for message in request.messages if message.role != "assistant" for part in message.parts)
    if request.dialect != dialect and any(isinstance(part, ToolCallPart) for part in others):
        with pytest.raises(InvalidRequestError, match="assistant's turn only"):
            fit(request, info, dialect)
        return
    fitted, notes = fit(request, info, dialect)
    accepts = info.accepts
    assert accepts is not None
    if fitted is request:
        assert notes == ()
    else:
        assert fitted.decoded is request
    if not sees:
        assert not any(isinstance(part, BlobPart) for message in fitted.messages for part in message.parts)
    left = [opaque for message in fitted.messages for part in message.parts if (opaque := getattr(part, "opaque", None))]
    if request.foreign_opaque and all(message.role == "assistant" for message in request.messages):
        assert {opaque.data for opaque in left} <= {"own"}
    if accepts.known or request.dialect != dialect:
        assert accepts.temperature or fitted.temperature is None
        assert accepts.stop or not fitted.stop
        assert fitted.max_output_tokens is None or fitted.max_output_tokens <= (info.max_output_tokens or 10**9)
        if accepts.efforts is not None and fitted.reasoning is not None:
            assert fitted.reasoning.effort in (None, "none", *accepts.efforts)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["object", "string", "#/$defs/a", "#", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "anyOf",
                    "oneOf",
                    "allOf",
                    "$ref",
                    "$defs",
                    "a",
                    "required",
                    "items",
                    "enum",
                    "const",
                    "not",
                    "format",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PROFILES: tuple[Profile, ...] = ("openai", "openai-strict", "anthropic", "anthropic-strict", "gemini")


@given(
    st.dictionaries(st.sampled_from(["type", "properties", "anyOf", "allOf", "$ref", "$defs", "items"]), json_values),
    st.sampled_from(PROFILES),
)
def test_normalise_gives_anything_an_object_at_its_root(schema: dict[str, Any], profile: Profile) -> None:
    found = normalise(schema, profile).schema
    assert found["type"] == "object"
    assert isinstance(found["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & found.keys()
    assert profile == "gemini" or jsonschema_rs.meta.is_valid(found)
    again = normalise(found, profile).schema
    assert again == found


@given(texts, texts, ids, st.booleans(), st.lists(parts, max_size=3))
def test_attached_puts_everything_back_on_its_part(data: str, origin: str, call: str, of_text: bool, around: list[Any]) -> None:
    opaque = Opaque("thought_signature", data, origin)
    sealed = seal(opaque, None if of_text else call, of_text=of_text)
    carrier = ReasoningPart("", unseal(sealed))
    part = TextPart("so") if of_text else ToolCallPart(call, "look", "{}")
    others = tuple(other for other in around if not isinstance(other, ToolCallPart) or other.id != call)
    found = attached((*others, carrier, part))
    assert found[-1].opaque == opaque  # type: ignore[union-attr]
    assert found[:-1] == others
