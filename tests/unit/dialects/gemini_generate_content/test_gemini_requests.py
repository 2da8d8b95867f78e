"""A request on its way to Gemini: fitted to the model, then spelled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    FilePart,
    NativePart,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    EncodedRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Tool,
    ToolChoice,
)
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent
from openclaw_oauthrouter.errors import InvalidRequestError

DIALECT = GeminiGenerateContent(lambda: 0.0)
HI = Message("user", (TextPart("hi"),))
SIGNATURE = Opaque("thought_signature", "SIG")
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "additionalProperties": False}


def encode(*messages: Message, model: str = "gemini-3.8-flash", **fields: Any) -> EncodedRequest:
    request = ChatRequest("anthropic_messages", "auto", messages or (HI,), **fields)
    info = with_accepts(ModelInfo("gemini", model), DIALECT.name)
    request, notes = fit(request, info, DIALECT.name)
    encoded = DIALECT.encode_request(request, info)
    return replace(encoded, notes=(*notes, *encoded.notes))


def body(*messages: Message, **fields: Any) -> dict[str, Any]:
    sent: dict[str, Any] = orjson.loads(orjson.dumps(encode(*messages, **fields).body))
    return sent


def config(model: str = "gemini-3.8-flash", **fields: Any) -> Any:
    return body(model=model, **fields).get("generationConfig")


def contents(*messages: Message, **fields: Any) -> Any:
    return body(*messages, **fields)["contents"]


def test_smallest_request() -> None:
    assert body() == {"model": "gemini-3.8-flash", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 4}, {"maxOutputTokens": 9, "temperature": 0.5, "topP": 0.9, "topK": 4}),
        ({"stop": tuple("abcdefg")}, {"stopSequences": list("abcde")}),
        ({"native": {"seed": 7, "presence_penalty": 0.1, "frequency_penalty": 0.2}}, {"seed": 7, "presencePenalty": 0.1, "frequencyPenalty": 0.2}),
        ({"response_format": ResponseFormat("text")}, None),
        ({"response_format": ResponseFormat("json_object")}, {"responseMimeType": "application/json"}),
        (
            {"response_format": ResponseFormat("json_schema", SCHEMA)},
            {"responseMimeType": "application/json", "responseSchema": {"type": "object", "properties": {"path": {"type": "string"}}}},
        ),
    ],
)  # fmt: skip
def test_generation_config(fields: dict[str, Any], expected: object) -> None:
    assert config(**fields) == expected


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking"),
    [
        ("gemini-3.8-flash", Reasoning(effort="high"), {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-3.8-flash", Reasoning(effort="max"), {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-3.8-flash", Reasoning(effort="minimal"), {"includeThoughts": True, "thinkingLevel": "minimal"}),
        ("gemini-3.1-pro-preview", Reasoning(effort="minimal"), {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-3.1-pro-preview", Reasoning(budget_tokens=2048), {"includeThoughts": True, "thinkingLevel": "medium"}),
        ("gemini-3.1-pro-preview", Reasoning(effort="none"), {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-4-argon", Reasoning(adaptive=True), {"includeThoughts": True}),
        ("gemini-2.5-flash", Reasoning(effort="high"), {"includeThoughts": True, "thinkingBudget": 4096}),
        ("gemini-2.5-flash", Reasoning(budget_tokens=3000), {"includeThoughts": True, "thinkingBudget": 3000}),
        ("gemini-2.5-flash", Reasoning(effort="none"), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", Reasoning(effort="none"), None),
    ],
)
def test_thinking_by_level_or_by_budget(model: str, reasoning: Reasoning, thinking: object) -> None:
    found = config(model, reasoning=reasoning)
    assert (found or {}).get("thinkingConfig") == thinking


def test_system_messages_stand_apart_wherever_they_were() -> None:
    sent = body(Message("system", (TextPart("a"),)), HI, Message("system", (TextPart("b"),)))
    assert sent["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert sent["contents"] == [{"role": "user", "parts": [{"text": "hi"}]}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (BlobPart("image", "image/png", "AA=="), {"inlineData": {"mimeType": "image/png", "data": "AA=="}}),
        (BlobPart("document", "application/pdf", "AA=="), {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}}),
        (BlobPart("audio", "audio/wav", "AA=="), {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}),
        (UriPart("image", "https://x/a.png?b=c"), {"fileData": {"mimeType": "image/png", "fileUri": "https://x/a.png?b=c"}}),
        (UriPart("document", "https://x/a"), {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x/a"}}),
        (NativePart(DIALECT.name, "videoMetadata", {"x": 1}), {"x": 1}),
    ],
)
def test_part_of_the_user(part: Any, expected: dict[str, Any]) -> None:
    assert contents(Message("user", (part,)))[0]["parts"] == [expected]


@pytest.mark.parametrize("part", [FilePart("document", "file-1"), NativePart("anthropic_messages", "container_upload", {})])
def test_part_of_the_user_without_a_counterpart_is_refused(part: Any) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        encode(Message("user", (part,)))
    assert str(refused.value.param).startswith("messages")


PARALLEL = (
    HI,
    Message("assistant", (TextPart("I look."), ToolCallPart("c1", "read", '{"p": 1}', opaque=SIGNATURE))),
    Message("assistant", (ToolCallPart("c2", "read", '{"p": 2}'),)),
    Message("user", (ToolCallResponsePart("c1", (TextPart("one"),)),)),
    Message("user", (ToolCallResponsePart("c2", (TextPart("two"),), is_error=True),)),
)


def test_parallel_calls_stand_in_one_turn_and_so_do_their_answers() -> None:
    _, said, answered = contents(*PARALLEL)
    assert said == {
        "role": "model",
        "parts": [
            {"text": "I look."},
            {"functionCall": {"name": "read", "args": {"p": 1}, "id": "c1"}, "thoughtSignature": "SIG"},
            {"functionCall": {"name": "read", "args": {"p": 2}, "id": "c2"}},
        ],
    }
    assert answered == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "read", "response": {"output": "one"}, "id": "c1"}},
            {"functionResponse": {"name": "read", "response": {"error": "two"}, "id": "c2"}},
        ],
    }


def test_calls_that_another_model_made_are_excused_once_a_turn() -> None:
    unsigned = tuple(
        replace(message, parts=tuple(replace(part, opaque=None) if isinstance(part, ToolCallPart) else part for part in message.parts))
        for message in PARALLEL
    )  # fmt: skip
    parts = contents(*unsigned)[1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, "skip_thought_signature_validator", None]
    older = contents(*unsigned, model="gemini-2.5-flash")[1]["parts"]
    assert [sorted(part.get("functionCall", {})) for part in older] == [[], ["args", "name"], ["args", "name"]]
    assert not any("thoughtSignature" in part for part in older)


def test_file_in_an_answer_stands_in_it_or_behind_it() -> None:
    image = BlobPart("image", "image/png", "AA==")
    history = (
        HI,
        Message("assistant", (ToolCallPart("c1", "shot", "{}"),)),
        Message("user", (ToolCallResponsePart("c1", (image,)),)),
    )
    inline = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    assert contents(*history)[2]["parts"] == [
        {"functionResponse": {"name": "shot", "response": {"output": ""}, "id": "c1", "parts": [inline]}}
    ]
    assert contents(*history, model="gemini-2.5-flash")[2]["parts"][1] == inline


def test_sealed_parts_keep_their_place() -> None:
    said = Message(
        "assistant",
        (
            ReasoningPart("hm", SIGNATURE),
            ReasoningPart("of another", Opaque("signature", "x", "anthropic/me")),
            TextPart("a", opaque=SIGNATURE),
            TextPart("b", opaque=Opaque("thought_signature", "END", item_id="after")),
            RefusalPart("no"),
        ),
    )
    assert contents(HI, said, HI)[1]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "SIG"},
        {"text": "a", "thoughtSignature": "SIG"},
        {"text": "b"},
        {"text": "", "thoughtSignature": "END"},
        {"text": "no"},
    ]


def test_conversation_begins_with_the_user_and_no_turn_is_empty() -> None:
    assert contents(Message("assistant", (TextPart("a"),)), HI)[0] == {"role": "user", "parts": [{"text": "Continue."}]}
    assert contents(Message("user", ())) == [{"role": "user", "parts": [{"text": "(empty message)"}]}]


def test_tools() -> None:
    tools = (Tool("read", "d", SCHEMA), Tool("help"), Tool("patch", custom=True))
    assert body(tools=tools)["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "read",
                    "description": "d",
                    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
                },
                {"name": "help"},
                {
                    "name": "patch",
                    "parameters": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
                },
            ]
        }
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "read"), {"mode": "ANY", "allowedFunctionNames": ["read"]}),
        (ToolChoice("required", allowed=("read",)), {"mode": "ANY", "allowedFunctionNames": ["read"]}),
    ],
)
def test_tool_choice(choice: ToolChoice, expected: dict[str, Any]) -> None:
    sent = body(tools=(Tool("read"), Tool("write")), tool_choice=choice)
    assert sent["toolConfig"] == {"functionCallingConfig": expected}


def test_choice_among_some_tools_offers_only_those() -> None:
    sent = body(tools=(Tool("read"), Tool("write")), tool_choice=ToolChoice("auto", allowed=("write",)))
    assert sent["tools"] == [{"functionDeclarations": [{"name": "write"}]}]


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ({"type": "web_search_20260301", "name": "web_search"}, "googleSearch"),
        ({"type": "web_search_preview"}, "googleSearch"),
        ({"type": "web_fetch_20260309", "name": "web_fetch"}, "urlContext"),
        ({"type": "code_execution_20260120", "name": "code_execution"}, "codeExecution"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "codeExecution"),
    ],
)
def test_gemini_requests_own_tool_of_another_vendor_has_google_s_counterpart(definition: dict[str, Any], name: str) -> None:
    native = Tool("x", native=("anthropic_messages", definition))
    assert body(tools=(native,))["tools"] == [{name: {}}]
    sent = body(tools=(Tool("read"), native))
    assert sent["tools"] == [{"functionDeclarations": [{"name": "read"}]}, {name: {}}]
    assert sent["toolConfig"]["includeServerSideToolInvocations"] is True
    assert body(tools=(Tool("read"), native), model="gemini-2.5-flash")["tools"] == [{"functionDeclarations": [{"name": "read"}]}]


def test_gemini_requests_what_has_no_counterpart_is_noted() -> None:
    encoded = encode(
        tools=(Tool("bash", native=("anthropic_messages", {"type": "bash_20250124", "name": "bash"})),), native={"container": "c"}
    )
    assert {note.subject for note in encoded.notes} == {"tools[0]", "container"}
    assert "tools" not in encoded.body


def test_long_tool_name_is_found_again() -> None:
    name = "mcp__" + "x" * 80
    encoded = encode(tools=(Tool(name),))
    [declaration] = encoded.body["tools"][0]["functionDeclarations"]  # type: ignore[index]
    assert len(declaration["name"]) <= 64
    assert encoded.tool_names == {declaration["name"]: name}


def test_number_too_large_for_a_machine_word_passes_unchanged() -> None:
    number = "123456789012345678901234567890"
    encoded = encode(HI, Message("assistant", (ToolCallPart("c", "f", f'{{"n":{number}}}'),)))
    assert number.encode() in orjson.dumps(encoded.body)


@pytest.mark.parametrize("arguments", ["[1]", "no json", "3"])
def test_arguments_that_are_no_object_are_wrapped(arguments: str) -> None:
    parts = contents(HI, Message("assistant", (ToolCallPart("c", "f", arguments),)))[1]["parts"]
    assert list(parts[0]["functionCall"]["args"]) == ["input"]
