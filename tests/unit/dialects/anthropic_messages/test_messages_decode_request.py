"""What a Messages client's request means: every block and field, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    Citation,
    FilePart,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
    WebSearch,
)
from openclaw_oauthrouter.canonical.opaque import seal
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
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.errors import InvalidRequestError

USER = {"role": "user", "content": "hi"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def decode(**fields: Any) -> ChatRequest:
    body = {"model": "auto", "max_tokens": 10, "messages": [USER], **fields}
    return AnthropicMessages(lambda: 0.0).decode_request(body, {"user-agent": "t"})


def part(block: dict[str, Any]) -> Part:
    return decode(messages=[{"role": "user", "content": [block]}]).messages[0].parts[0]


def test_messages_decode_request_small_request() -> None:
    request = decode(stream=True)
    assert request == ChatRequest(
        dialect="anthropic_messages",
        model="auto",
        messages=(Message("user", (TextPart("hi"),)),),
        body={"model": "auto", "max_tokens": 10, "messages": [USER], "stream": True},
        headers={"user-agent": "t"},
        max_output_tokens=10,
        stream=True,
        include_usage=True,
    )


MARK = {"type": "ephemeral", "ttl": "1h"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}
BLOCKS: list[tuple[dict[str, Any], Part]] = [
    ({"type": "text", "text": "a", "cache_control": MARK}, TextPart("a", CacheMark("1h"))),
    ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a", CacheMark("5m"))),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        BlobPart("image", "image/png", "aGk="),
    ),
    ({"type": "image", "source": {"type": "url", "url": "https://x.example"}}, UriPart("image", "https://x.example")),
    ({"type": "image", "source": {"type": "file", "file_id": "f1"}}, FilePart("image", "f1")),
    ({"type": "document", "source": PDF, "title": "a.pdf"}, BlobPart("document", "application/pdf", "cGRm", "a.pdf")),
    (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
        BlobPart("document", "text/plain", "aGk="),
    ),
    ({"type": "thinking", "thinking": "hm", "signature": "s"}, ReasoningPart("hm", Opaque("signature", "s"))),
    ({"type": "thinking", "thinking": "hm", "signature": ""}, ReasoningPart("hm")),
    ({"type": "redacted_thinking", "data": "d"}, ReasoningPart("", Opaque("redacted", "d"))),
    (
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "ä"}, "cache_control": MARK},
        ToolCallPart("t", "f", '{"a":"ä"}', cache=CacheMark("1h")),
    ),
    ({"type": "tool_result", "tool_use_id": "t"}, ToolCallResponsePart("t")),
    (
        {"type": "tool_result", "tool_use_id": "t", "content": "x", "is_error": True, "cache_control": MARK},
        ToolCallResponsePart("t", (TextPart("x"),), is_error=True, cache=CacheMark("1h")),
    ),
    (
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "text", "text": "x"}, {"type": "search_result", "a": 1}],
        },
        ToolCallResponsePart(
            "t", (TextPart("x"), NativePart("anthropic_messages", "search_result", {"type": "search_result", "a": 1}, words=""))
        ),
    ),
]


@pytest.mark.parametrize(("block", "expected"), BLOCKS, ids=lambda value: value.get("type") if isinstance(value, dict) else "")
def test_blocks(block: dict[str, Any], expected: Part) -> None:
    assert part(block) == expected


@pytest.mark.parametrize(
    "block",
    [
        {"type": "container_upload", "file_id": "f"},
        {"type": "of tomorrow"},
        {"type": "document", "source": {"type": "of tomorrow", "content": []}},
    ],
)
def test_blocks_without_a_word_of_our_own_stay_as_they_are(block: dict[str, Any]) -> None:
    assert part(block) == NativePart("anthropic_messages", block["type"], block)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"type": "tool_reference", "tool_name": "Plan"}, "The tool 'Plan' is available now."),
        (
            {"type": "search_result", "source": "https://a.example", "title": "A", "content": [{"type": "text", "text": "x"}]},
            "A\nhttps://a.example\nx",
        ),
        (
            {"type": "document", "title": "A", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
            "A\nx",
        ),
        (
            {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "Wiki"}},
            "The tool 'Wiki' is available from now on.",
        ),
        ({"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Wiki"}}, "The tool 'Wiki' is no longer available."),
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}, "[searched the web for 'q']"),
        ({"type": "server_tool_use", "id": "s", "name": "web_fetch", "input": {"url": "u"}}, '[used \'web_fetch\': {"url":"u"}]'),
        (
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "https://a.example", "title": "A"}]},
            "[search results]\n- A https://a.example",
        ),
        (
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": {"error_code": "unavailable"}},
            "[the search failed: unavailable]",
        ),
        (
            {
                "type": "web_fetch_tool_result",
                "tool_use_id": "s",
                "content": {"type": "web_fetch_result", "url": "https://a.example", "content": {"source": {"data": "words"}}},
            },
            "https://a.example\nwords",
        ),
        ({"type": "bash_code_execution_tool_result", "content": {"stdout": "out", "stderr": ""}}, "out"),
        (
            {
                "type": "tool_search_tool_result",
                "content": {"tool_references": [{"type": "tool_reference", "tool_name": "Wiki"}]},
            },
            "The tool 'Wiki' is available now.",
        ),
        ({"type": "mcp_tool_use", "server_name": "s", "name": "f", "input": {"a": 1}}, '[used s/f: {"a":1}]'),
        ({"type": "mcp_tool_result", "content": [{"type": "text", "text": "x"}]}, "x"),
        ({"type": "compaction", "content": "So far: nothing."}, "So far: nothing."),
        ({"type": "fallback", "from": "a"}, ""),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_decode_says_the_vendors_own_blocks_in_words(block: dict[str, Any], words: str) -> None:
    found = part(block)
    assert isinstance(found, NativePart)
    assert (found.type, found.value, found.words) == (block["type"], block, words)


def test_decode_tells_what_a_search_is() -> None:
    call = part({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}})
    hits = part({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "https://a.example", "title": "A"}]})
    failed = part({"type": "web_search_tool_result", "tool_use_id": "s", "content": {"error_code": "unavailable"}})
    assert [found.search for found in (call, hits, failed)] == [  # type: ignore[union-attr]
        WebSearch("s", "q"),
        WebSearch("s", hits=(Citation("https://a.example", "A"),)),
        WebSearch("s", hits=None),
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "input_text", "text": "x"}, TextPart("x")),
        ({"type": "output_text", "text": "x"}, TextPart("x")),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}, BlobPart("image", "image/png", "aGk=")),
        ({"type": "input_image", "image_url": "https://x.example/a"}, UriPart("image", "https://x.example/a")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            BlobPart("document", "application/pdf", "aGk=", "a.pdf"),
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, FilePart("document", "f1")),
    ],
)
def test_decode_reads_other_dialects_words_for_what_this_one_has(block: dict[str, Any], expected: Part) -> None:
    assert part(block) == expected


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}},
    ],
)
def test_decode_reads_tools_in_any_dialects_shape(tool: dict[str, Any]) -> None:
    assert decode(tools=[tool]).tools == (Tool("f", "d", {"type": "object"}),)


def test_decode_writes_out_the_vendors_tools_that_the_client_runs() -> None:
    kinds = ("bash_20250124", "text_editor_20250728", "memory_20250818", "computer_20251124")
    found = decode(tools=[{"type": kind, "name": kind} for kind in kinds]).tools
    assert all(tool.native is not None and tool.parameters and tool.description for tool in found)


def test_decode_follows_tools_that_come_and_go() -> None:
    deferred = [{"name": name, "input_schema": {}, "defer_loading": True} for name in ("A", "B", "C", "D", "E")]
    brought = {"type": "tool_definition", "definition": {"name": "F", "input_schema": {}}}
    messages = [
        USER,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Find", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_reference", "tool_name": "A"}]}],
        },
        {"role": "system", "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "B"}}]},
        {"role": "system", "content": [{"type": "tool_addition", "tool": brought}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "u", "name": "C", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "u"}]},
        {"role": "system", "content": [{"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Gone"}}]},
        {"role": "system", "content": [{"type": "tool_removal", "tool": {"type": "tool_reference", "name": "D"}}]},
    ]
    tools = [{"name": "Find", "input_schema": {}}, {"name": "Gone", "input_schema": {}}, *deferred]
    states = {tool.name: tool.loading for tool in decode(tools=tools, messages=messages).tools}
    assert states == {
        "Find": "now",
        "Gone": "removed",
        "A": "found",
        "B": "found",
        "C": "found",
        "D": "removed",
        "E": "deferred",
        "F": "found",
    }


def test_decode_keeps_the_billing_block_for_anthropic() -> None:
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=1;"}
    found = decode(system=[billing, {"type": "text", "text": "Be."}]).messages[0].parts
    assert found == (NativePart("anthropic_messages", "text", billing, words=""), TextPart("Be."))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"thread": {"type": "create"}}, HeldState("thread", {"error_code": "thread_unsupported_request"})),
        ({"container": "c"}, HeldState("container", any_model=True)),
        ({"container": {"skills": []}}, None),
    ],
)
def test_decode_tells_what_state_the_client_builds_on(fields: dict[str, Any], expected: HeldState | None) -> None:
    assert decode(**fields).held_state == expected


def test_sealed_reasoning_is_unsealed() -> None:
    opaque = Opaque("encrypted", "blob", "openai-codex/acc", "rs_1")
    assert part({"type": "thinking", "thinking": "", "signature": seal(opaque)}) == ReasoningPart("", opaque)
    assert part({"type": "redacted_thinking", "data": seal(opaque)}) == ReasoningPart("", opaque)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("Be.", (TextPart("Be."),)),
        (
            [{"type": "text", "text": "A"}, {"type": "text", "text": "B", "cache_control": MARK}],
            (TextPart("A"), TextPart("B", CacheMark("1h"))),
        ),
    ],
)
def test_system(system: Any, expected: tuple[Part, ...]) -> None:
    assert decode(system=system).messages == (Message("system", expected), Message("user", (TextPart("hi"),)))


def test_messages_decode_request_no_system() -> None:
    assert [message.role for message in decode(system="", messages=[USER, {"role": "system", "content": "x"}]).messages] == [
        "user",
        "system",
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"temperature": 1, "top_p": 0.5, "top_k": 3}, {"temperature": 1, "top_p": 0.5, "top_k": 3}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ("a", "b")}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"tool_choice": {"type": "auto"}}, {"tool_choice": ToolChoice("auto"), "parallel_tool_calls": None}),
        (
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            {"tool_choice": ToolChoice("required"), "parallel_tool_calls": False},
        ),
        ({"tool_choice": {"type": "tool", "name": "f"}}, {"tool_choice": ToolChoice("tool", "f")}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": ToolChoice("none")}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"reasoning": Reasoning(budget_tokens=2000)}),
        (
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
            {"reasoning": Reasoning("low", summary="auto", adaptive=True)},
        ),
        (
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
            {"reasoning": Reasoning("none", answer_effort="low")},
        ),
        ({"output_config": {"effort": "max"}}, {"reasoning": Reasoning("max")}),
        (
            {"output_format": {"type": "json_schema", "schema": {"type": "object"}}},
            {"response_format": ResponseFormat("json_schema", {"type": "object"}, strict=True), "native": {}},
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {"response_format": ResponseFormat("json_schema", {"type": "object"}, strict=True)},
        ),
        (
            {
                "tools": [
                    {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True, "cache_control": MARK},
                    SEARCH,
                ]
            },
            {
                "tools": (
                    Tool("f", "d", {"type": "object"}, True, cache=CacheMark("1h")),
                    Tool("web_search", native=("anthropic_messages", SEARCH), search=WebSearchOptions()),
                )
            },
        ),
        (
            {"context_management": {"edits": []}, "container": "c", "mcp_servers": [], "inference_geo": None},
            {"native": {"context_management": {"edits": []}, "mcp_servers": []}},
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
                "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
                "metadata": {"user_id": "u"},
                "service_tier": "auto",
            },
            {"native": {}},
        ),
        (
            {"output_config": {"effort": "low", "task_budget": 9}, "metadata": {"team": "a"}, "service_tier": "of_tomorrow"},
            {
                "native": {
                    "output_config": {"effort": "low", "task_budget": 9},
                    "metadata": {"team": "a"},
                    "service_tier": "of_tomorrow",
                }
            },
        ),
    ],
)
def test_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    request = decode(**fields)
    assert {name: getattr(request, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 4}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 2**53}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [USER, {"role": "user"}]}, "messages.1.content"),
        ({"messages": [{"role": "user", "content": 4}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "messages.0.content.0.source.type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "t", "name": "f"}]}]},
            "messages.0.content.0.input",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "thinking", "thinking": ""}]}
                        ],
                    }
                ]
            },
            "messages.0.content.0.content",
        ),
        ({"stream": "yes"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop_sequences": [3]}, "stop_sequences.0"),
        ({"system": 3}, "system"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {}}, "thinking.type"),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode(**fields)
    assert caught.value.param == param
    assert caught.value.message.startswith(f"{param}: ")
