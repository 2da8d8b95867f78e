"""What a provider of Chat Completions sealed comes back to it on the part it came with, byte for byte; calls are told apart."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import Opaque, Part, ReasoningPart, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.events import Frame, ResponseFinished, StreamEvent
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold, unfold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import UpstreamError

DIALECT = ChatCompletions(lambda: 0.0)
INFO = ModelInfo("local", "m-1", accepts=Accepts(known=False))
SIGNED = {"extra_content": {"google": {"thought_signature": "Q0FGRQ=="}}}
SIGNATURE = Opaque("thought_signature", "Q0FGRQ==")
ENCRYPTED = {"type": "reasoning.encrypted", "data": "RU5D", "id": "rs_7", "format": "openai-responses-v1", "index": 0}


def whole(**message: Any) -> ChatResponse:
    body = {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}],
    }
    return folded(DIALECT.decode_response(body))


def streamed(*deltas: dict[str, Any]) -> ChatResponse:
    chunks = [{"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    raw = b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    return folded(DIALECT.stream_decoder().receive(raw).events)


def folded(events: Any) -> ChatResponse:
    fold = ResponseFold()
    for event in events:
        fold.receive(event)
    return fold.result()


def call(
    arguments: str = "{}", id_: str | None = "c1", name: str | None = "f", index: int | None = 0, **more: Any
) -> dict[str, Any]:
    function = {"arguments": arguments} | ({} if name is None else {"name": name})
    head = ({} if id_ is None else {"id": id_}) | ({} if index is None else {"index": index})
    return {**head, "type": "function", "function": function, **more}


def sent_back(*parts: Part) -> dict[str, Any]:
    answer = [Message("user", (ToolCallResponsePart(part.id),)) for part in parts if isinstance(part, ToolCallPart)]
    request = ChatRequest("anthropic_messages", "m", (Message("assistant", parts), *answer))
    message: dict[str, Any] = DIALECT.encode_request(request, INFO).body["messages"][0]  # type: ignore[index]
    return message


def test_signature_of_a_call_comes_back_on_the_call() -> None:
    for answer in (
        whole(tool_calls=[call(**SIGNED), call(id_="c2")]),
        streamed({"tool_calls": [call(**SIGNED)]}, {"tool_calls": [call(id_="c2", index=1)]}),
    ):
        assert answer.parts == (ToolCallPart("c1", "f", "{}", opaque=SIGNATURE), ToolCallPart("c2", "f", "{}"))
        calls = sent_back(*answer.parts)["tool_calls"]
        assert [entry.get("extra_content") for entry in calls] == [SIGNED["extra_content"], None]


def test_signature_that_comes_after_the_call_began_counts() -> None:
    fragments = ({"tool_calls": [call("{")]}, {"tool_calls": [call("}", id_=None, name=None, **SIGNED)]})
    assert streamed(*fragments).parts == (ToolCallPart("c1", "f", "{}", opaque=SIGNATURE),)


def test_signature_of_a_text_comes_back_on_the_message() -> None:
    for answer in (whole(content="a", **SIGNED), streamed({"content": "a"}, {"content": "", **SIGNED})):
        assert answer.parts == (TextPart("a", opaque=SIGNATURE),)
        assert sent_back(*answer.parts) == {"role": "assistant", "content": "a", **SIGNED}


@pytest.mark.parametrize(
    ("deltas", "details", "words"),
    [
        ([{"reasoning": "hm", "reasoning_details": [ENCRYPTED]}], [ENCRYPTED], "hm"),
        ([{"reasoning_details": [ENCRYPTED]}], [ENCRYPTED], ""),
        (
            [
                {"reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0, "format": "f"}]},
                {"reasoning_details": [{"type": "reasoning.text", "text": "m", "index": 0}]},
                {"reasoning_details": [{"type": "reasoning.text", "signature": "S", "index": 0}]},
            ],
            [{"type": "reasoning.text", "text": "hm", "index": 0, "format": "f", "signature": "S"}],
            "hm",
        ),
        (
            [
                {"reasoning_details": [{"type": "reasoning.summary", "summary": "a", "index": 0}]},
                {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "id": "1", "index": 1}]},
                {"reasoning_details": [{"type": "reasoning.encrypted", "data": "y", "id": "2", "index": 1}]},
            ],
            [
                {"type": "reasoning.summary", "summary": "a", "index": 0},
                {"type": "reasoning.encrypted", "data": "x", "id": "1", "index": 1},
                {"type": "reasoning.encrypted", "data": "y", "id": "2", "index": 1},
            ],
            "a",
        ),
    ],
)
def test_reasoning_details_come_back_as_one_list(deltas: list[dict[str, Any]], details: list[Any], words: str) -> None:
    answer = streamed(*deltas, {"content": "done"})
    reasoning, text = answer.parts
    assert isinstance(reasoning, ReasoningPart)
    assert (reasoning.text, text) == (words, TextPart("done"))
    assert sent_back(*answer.parts) == {"role": "assistant", "content": "done", "reasoning_details": details}


def test_reasoning_details_after_everything_else_are_kept() -> None:
    answer = streamed({"tool_calls": [call()]}, {"reasoning_details": [ENCRYPTED]})
    message = sent_back(*answer.parts)
    assert (message["reasoning_details"], len(message["tool_calls"])) == ([ENCRYPTED], 1)


def test_sealed_reasoning_of_other_dialects_stays_here() -> None:
    sealed = ReasoningPart("hm", Opaque("signature", "s", "anthropic/me"))
    assert sent_back(sealed, TextPart("a")) == {"role": "assistant", "content": "a", "reasoning_content": "hm"}


def client_message(response: ChatResponse) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a Chat client keeps: of a whole answer, and of a stream it joins as an SDK does."""
    request = ChatRequest("openai_chat_completions", "m", (), include_usage=False)
    answer = DIALECT.encode_response(response, request, "m")["choices"][0]["message"]
    raw = DIALECT.stream_encoder(request, "m").send(Frame(b"", tuple(unfold(response))))
    joined: dict[str, Any] = {}
    for line in raw.split(b"\n\n"):
        if line.startswith(b"data: {"):
            accumulate(joined, orjson.loads(line[6:])["choices"][0]["delta"])
    for entry in joined.get("tool_calls", ()):
        del entry["index"]
    return answer, joined


def accumulate(held: dict[str, Any], delta: dict[str, Any]) -> None:
    for key, value in delta.items():
        if isinstance(value, str) and key not in ("role", "id", "type") and isinstance(held.get(key), str):
            held[key] += value
        elif isinstance(value, dict) and isinstance(held.get(key), dict):
            accumulate(held[key], value)
        elif isinstance(value, list) and isinstance(held.get(key), list):
            for entry in value:
                if entry["index"] < len(held[key]):
                    accumulate(held[key][entry["index"]], entry)
                else:
                    held[key].append(entry)
        else:
            held[key] = value


def test_chat_client_keeps_what_a_maker_of_another_dialect_sealed() -> None:
    made = Opaque("thought_signature", "SIG", "gemini/me")
    response = ChatResponse(
        "r", "m", (TextPart("a", opaque=made), ToolCallPart("c1", "f", "{}", opaque=made)), "tool_call", Usage()
    )
    for message in client_message(response):
        request = DIALECT.decode_request({"model": "m", "messages": [{**message, "content": message["content"] or ""}]}, {})
        text, sealed_call = request.messages[0].parts
        assert (text, sealed_call) == (TextPart("a", opaque=made), ToolCallPart("c1", "f", "{}", opaque=made))


def test_chat_sealed_data_what_we_sealed_reaches_no_provider_as_it_is() -> None:
    sealed = seal(Opaque("thought_signature", "SIG", "gemini/me"))
    extra = {"extra_content": {"google": {"thought_signature": sealed}}}
    body = {
        "model": "auto",
        "messages": [
            {"role": "user", "content": "hi", "name": "me"},
            {"role": "assistant", "content": "a", "name": "it", "tool_calls": [call(index=None, **extra)]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
        ],
    }
    encoded = DIALECT.encode_request(DIALECT.decode_request(body, {}), INFO)
    assert sealed not in orjson.dumps(encoded.body).decode()
    assert encoded.body["messages"][1]["name"] == "it"  # type: ignore[index]
    assert encoded.body["messages"][0] is body["messages"][0]  # type: ignore[index]


# ------------------------------------------------------------------ calls told apart


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        pytest.param([[call('{"a":1}', index=None), call('{"a":2}', index=None)]], 2, id="one-id-in-one-list"),
        pytest.param([[call('{"a":1}')], [call('{"a":2}')]], 2, id="one-id-and-number-one-after-the-other"),
        pytest.param([[call('{"a":1}', id_="")], [call('{"a":2}', id_="", name="g")]], 2, id="empty-ids-two-tools"),
        pytest.param([[call('{"a":1}', id_="")], [call('{"a":2}', id_="")]], 2, id="empty-ids-one-tool"),
        pytest.param([[call('{"a":1}', id_="x")], [call('{"a":2}', id_="y")]], 2, id="all-numbered-0"),
        pytest.param([[call('{"a"')], [call(":1}")]], 1, id="id-and-name-repeated-with-each-fragment"),
        pytest.param([[call("")], [call('{"a":1}', id_=None, name=None)]], 1, id="ordinary"),
        pytest.param([[call('{"a":1}')], [call("")]], 1, id="closed-by-an-empty-fragment"),
        pytest.param([[call('{"a":1}', index=None, id_=None), call('{"a":2}', index=None, id_=None)]], 2, id="nothing-to-tell-by"),
    ],
)  # fmt: skip
def test_calls_are_told_apart(deltas: list[list[dict[str, Any]]], calls: int) -> None:
    answer = streamed(*({"tool_calls": fragments} for fragments in deltas))
    made = [part for part in answer.parts if isinstance(part, ToolCallPart)]
    assert len(made) == calls
    assert len({part.id for part in made}) == calls
    assert [orjson.loads(part.arguments) for part in made] == [{"a": number + 1} for number in range(calls)]


def test_entries_of_a_whole_answer_are_calls_of_their_own() -> None:
    answer = whole(tool_calls=[call('{"a":1}', index=None), call('{"a":2}', index=None), call("{}", id_="", index=None)])
    made = [part for part in answer.parts if isinstance(part, ToolCallPart)]
    assert len({part.id for part in made}) == 3
    assert made[0].id == "c1"


def test_chat_sealed_data_call_that_was_announced_and_not_made_is_no_end_for_tools() -> None:
    events: list[StreamEvent] = list(
        DIALECT.decode_response(
            {"id": "c", "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "tool_calls"}]}
        )
    )
    assert events[-1] == ResponseFinished("stop")


# ------------------------------------------------------------------ the end


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("STOP", "stop"),
        ("eos", "stop"),
        ("MAX_TOKENS", "length"),
        ("max_output_tokens", "length"),
        ("SAFETY", "content_filter"),
        ("sensitive", "content_filter"),
    ],
)
def test_end_in_another_vendor_s_words(word: str, finish: str) -> None:
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": word}
    assert folded(DIALECT.decode_response({"id": "c", "choices": [choice]})).finish_reason == finish


@pytest.mark.parametrize("word", ["insufficient_system_resource", "abort", "network_error", "error"])
def test_answer_that_the_provider_broke_off_is_no_answer(word: str) -> None:
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": word}
    with pytest.raises(UpstreamError):
        DIALECT.decode_response({"id": "c", "choices": [choice]})
