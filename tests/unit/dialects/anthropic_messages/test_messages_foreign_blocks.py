"""What was made for a Messages client by another vendor's model: it reads as blocks of this dialect, and never goes to Anthropic as its own."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import Citation, Opaque, TextPart, ToolCallPart, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
)
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ResponseFold
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from tests.support.fitted import encoded_for

Json = dict[str, Any]
DIALECT = AnthropicMessages(lambda: 0.0)
REQUEST = ChatRequest("anthropic_messages", "auto", ())
SEALED = Opaque("thought_signature", "U0lH", "local/me")
CALL = (PartStarted(1, "tool_call", id="c1", name="f", opaque=SEALED), PartDelta(1, "{}"), PartFinished(1))
TEXT = (PartStarted(0, "text"), PartDelta(0, "so"), PartFinished(0, Opaque("thought_signature", "VEVYVA==", "local/me")))
NATIVE = ("openai_responses", "web_search_call", {"type": "web_search_call"})
PAGE = Citation("https://t.example/a", "Tides", 0, 2)


def whole(*events: StreamEvent) -> list[Json]:
    fold = ResponseFold()
    for event in (ResponseStarted("r", "m"), *events, ResponseFinished("stop")):
        fold.receive(event)
    content: list[Json] = DIALECT.encode_response(fold.result(), REQUEST, "m")["content"]
    return content


def streamed(*events: StreamEvent) -> list[Json]:
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    sent = encoder.send(Frame(b"", (ResponseStarted("r", "m"), *events, ResponseFinished("stop")))).decode()
    wire = [json.loads(line.removeprefix("data: ")) for line in sent.split("\n") if line.startswith("data: ")]
    return [event["content_block"] for event in wire if event["type"] == "content_block_start"]


def sent_back(content: list[Json], model: str = "claude-opus-4-6") -> Json:
    body = {
        "model": "auto",
        "max_tokens": 50,
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": content},
            {"role": "user", "content": "b"},
        ],
    }
    before = copy.deepcopy(body)
    encoded = encoded_for(DIALECT, DIALECT.decode_request(body, {}), ModelInfo("anthropic", model))
    assert body == before, "the client's body was changed"
    return encoded.body


def test_messages_foreign_blocks_what_seals_a_call_or_a_text_comes_back_on_it() -> None:
    content = whole(*TEXT, *CALL)
    # A seal that came with the end of a text stands before it where the answer is whole, after it in a stream: both find their part.
    assert [block["type"] for block in content] == ["thinking", "text", "thinking", "tool_use"]
    assert [block["type"] for block in streamed(*TEXT, *CALL)] == ["text", "thinking", "thinking", "tool_use"]
    body = {"model": "auto", "max_tokens": 50, "messages": [{"role": "assistant", "content": content}]}
    parts = DIALECT.decode_request(body, {}).messages[0].parts
    assert parts == (
        TextPart("so", opaque=Opaque("thought_signature", "VEVYVA==", "local/me")),
        ToolCallPart("c1", "f", "{}", opaque=SEALED),
    )


def test_messages_foreign_blocks_what_seals_a_call_for_another_maker_does_not_go_to_anthropic() -> None:
    found = sent_back(whole(*TEXT, *CALL))["messages"][1]["content"]
    assert found == [{"type": "text", "text": "so"}, {"type": "tool_use", "id": "c1", "name": "f", "input": {}}]


@pytest.mark.parametrize("hits", [(PAGE,), ()])
def test_messages_foreign_blocks_search_of_another_vendor_is_shown_with_its_pages(hits: tuple[Citation, ...]) -> None:
    search = PartStarted(0, "native", native=NATIVE, search=WebSearch("ws_1", "tides", hits))
    events = (search, PartFinished(0), PartStarted(1, "text"), PartDelta(1, "six"), CitationAdded(1, PAGE), PartFinished(1))
    for content in (whole(*events), streamed(*events)):
        kinds = [block["type"] for block in content]
        # The pages are known with the search, or only once the text has cited them.
        assert (
            kinds == ["server_tool_use", "web_search_tool_result", "text"]
            if hits
            else ["server_tool_use", "text", "web_search_tool_result"]
        )
        (call,) = [block for block in content if block["type"] == "server_tool_use"]
        (result,) = [block for block in content if block["type"] == "web_search_tool_result"]
        assert call["name"] == "web_search"
        assert result["tool_use_id"] == call["id"]
        assert [(page["url"], page["title"]) for page in result["content"]] == [("https://t.example/a", "Tides")]
    assert whole(*events)[0]["input"] == {"query": "tides"}


def test_messages_foreign_blocks_search_of_another_vendor_goes_to_anthropic_as_words() -> None:
    search = PartStarted(0, "native", native=NATIVE, search=WebSearch("ws_1", "tides", (PAGE,)))
    events = (search, PartFinished(0), PartStarted(1, "text"), PartDelta(1, "six"), CitationAdded(1, PAGE), PartFinished(1))
    found = sent_back(whole(*events))["messages"][1]["content"]
    assert found == [
        {"type": "text", "text": "[searched the web for 'tides']"},
        {"type": "text", "text": "[search results]\n- Tides https://t.example/a"},
        {"type": "text", "text": "six"},
    ]


def test_messages_foreign_blocks_search_that_failed_says_so() -> None:
    failed = PartStarted(0, "native", native=NATIVE, search=WebSearch("ws_1", "tides", None))
    assert whole(failed, PartFinished(0))[1]["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}


def test_anthropics_own_sources_stay() -> None:
    own = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c", "encrypted_index": "E"}
    made_up = {**own, "encrypted_index": ""}
    content = [{"type": "text", "text": "x", "citations": [own, made_up]}, {"type": "text", "text": "y", "citations": [own]}]
    found = sent_back(content)["messages"][1]["content"]
    assert found == [{"type": "text", "text": "x", "citations": [own]}, content[1]]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "input_text", "text": "x"}, {"type": "text", "text": "x"}),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        ),
    ],
)
def test_blocks_in_another_dialects_shape_are_written_as_this_ones(block: Json, expected: Json) -> None:
    beside = {"type": "text", "text": "y", "of_tomorrow": 1}
    body = {"model": "claude-opus-4-6", "max_tokens": 50, "messages": [{"role": "user", "content": [beside, block]}]}
    encoded = encoded_for(DIALECT, DIALECT.decode_request(body, {}), ModelInfo("anthropic", "claude-opus-4-6"))
    assert encoded.body["messages"][0]["content"] == [beside, expected]


def test_messages_foreign_blocks_schema_that_anthropic_refuses_is_mended_in_the_clients_own_body() -> None:
    sound = {"name": "a", "input_schema": {"type": "object", "properties": {}}, "eager_input_streaming": True}
    odd = {"name": "b", "input_schema": {"anyOf": [{"type": "object", "properties": {"x": {}}}]}, "of_tomorrow": 1}
    body = {"model": "claude-opus-4-6", "max_tokens": 50, "messages": [{"role": "user", "content": "a"}], "tools": [sound, odd]}
    found = encoded_for(DIALECT, DIALECT.decode_request(body, {}), ModelInfo("anthropic", "claude-opus-4-6")).body["tools"]
    assert found == [sound, {"name": "b", "input_schema": {"type": "object", "properties": {"x": {}}}, "of_tomorrow": 1}]
    assert found[0] is sound


def test_messages_foreign_blocks_older_name_of_the_answers_format_is_written_as_the_newer_one() -> None:
    format_ = {"type": "json_schema", "schema": {"type": "object", "properties": {}}}
    body = {
        "model": "claude-opus-4-6",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "a"}],
        "output_format": format_,
    }
    found = encoded_for(DIALECT, DIALECT.decode_request(body, {}), ModelInfo("anthropic", "claude-opus-4-6")).body
    assert found["output_config"] == {"format": format_}
    assert "output_format" not in found
