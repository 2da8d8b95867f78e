"""What Codex CLI's tool discovery puts into a conversation, at upstreams that have no such thing: told in words, and the tools offered."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import NativePart, Opaque, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.events import Frame, PartDelta, PartFinished, PartStarted, ResponseFinished, ResponseStarted
from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses.content import UNREADABLE, read_summary, seal_summary
from tests.support.responses import from_client, make_dialect, unwire

PAGE = {
    "type": "function",
    "name": "find_page",
    "description": "Finds pages.",
    "parameters": {"type": "object", "properties": {}},
}
DOCS = {"type": "namespace", "name": "mcp__docs", "description": "A server.", "tools": [PAGE]}
SHELL = {"type": "function", "name": "shell", "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}}}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Patches.", "format": {"type": "text"}}
FINDER = {
    "type": "tool_search",
    "execution": "client",
    "description": "Finds tools.",
    "parameters": {"type": "object", "properties": {}},
}
HI = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello there"}]}
ADDED = {"type": "additional_tools", "role": "developer", "id": "at_1", "tools": [SHELL, PATCH, DOCS]}
ASKED = {
    "type": "tool_search_call",
    "call_id": "s1",
    "execution": "client",
    "status": "completed",
    "arguments": {"query": "docs"},
}
FOUND = {"type": "tool_search_output", "call_id": "s1", "execution": "client", "status": "completed", "tools": [DOCS]}
UNTOUCHED = frozenset(
    {"hologram", "file_search_call", "code_interpreter_call", "image_generation_call", "local_shell_call", "agent_message"}
)
"""Sent as they are to whoever speaks the dialect: nothing says that only OpenAI's own models understand them."""

UPSTREAMS = {
    "openai_chat_completions": (ChatCompletions(lambda: 0.0), ModelInfo("local", "llama-4")),
    "anthropic_messages": (AnthropicMessages(lambda: 0.0), ModelInfo("anthropic", "claude-opus-4-6")),
    "openai_responses": (make_dialect(), ModelInfo("local", "qwen3")),
}


def sent(request: ChatRequest, dialect: str) -> dict[str, Any]:
    """The body an upstream gets."""
    encoder, info = UPSTREAMS[dialect]
    known = with_accepts(info, dialect)
    return cast("dict[str, Any]", encoder.encode_request(fit(request, known, dialect)[0], known).body)


def names(body: dict[str, Any]) -> list[str]:
    return [tool.get("name") or tool.get("function", {}).get("name") for tool in body.get("tools") or ()]


def test_tools_of_items_are_the_requests_own() -> None:
    request = from_client(input=[ADDED, HI], tools=[SHELL])
    assert [tool.name for tool in request.tools] == ["shell", "apply_patch", "mcp__docs__find_page"]
    assert [message.role for message in request.messages] == ["user"]


def test_tools_that_come_later_are_news() -> None:
    request = from_client(input=[HI, {**ADDED, "tools": [DOCS]}])
    assert request.messages[-1].role == "system"
    assert "mcp__docs__find_page: Finds pages." in cast("TextPart", request.messages[-1].parts[0]).text


@pytest.mark.parametrize("items", [[ADDED, HI], [HI, ADDED], [ADDED, HI, ASKED, FOUND], [HI, {**ADDED, "tools": []}]])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_tools_of_items_are_offered_everywhere(dialect: str, items: list[dict[str, Any]]) -> None:
    body = sent(from_client(input=items, tools=[FINDER]), dialect)
    expected = {name for name in ("shell", "apply_patch", "mcp__docs__find_page") if name.partition("__")[0] in str(items)}
    assert set(names(body)) == {"tool_search", *expected}
    said = orjson.dumps(body).decode()
    assert "additional_tools" not in said
    assert "(empty message)" not in said
    for message in body.get("messages") or body.get("input"):
        assert message.get("content") not in ("", [])


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_search_round_is_a_call_and_its_answer_everywhere(dialect: str) -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "find_page", "namespace": "mcp__docs", "arguments": "{}"}
    answer = {"type": "function_call_output", "call_id": "c1", "output": "page 12"}
    body = sent(from_client(input=[HI, ASKED, FOUND, call, answer], tools=[FINDER]), dialect)
    said = orjson.dumps(body).decode()
    assert "tool_search_output" not in said
    assert "mcp__docs__find_page: Finds pages." in said
    assert "page 12" in said
    assert said.count('"s1"') == 2
    assert said.count('"c1"') == 2


def test_search_of_the_provider_itself_is_told_in_words() -> None:
    request = from_client(
        input=[HI, {**ASKED, "call_id": None, "execution": "server"}, {**FOUND, "call_id": None, "execution": "server"}],
        tools=[{"type": "tool_search"}, {**SHELL, "defer_loading": True}],
    )
    for dialect in UPSTREAMS:
        body = sent(request, dialect)
        assert set(names(body)) >= {"shell", "mcp__docs__find_page"}
        assert "mcp__docs__find_page: Finds pages." in str(body)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": "web_search_call", "id": "ws", "action": {"type": "search", "query": "tides"}}, "[searched the web: tides]"),
        ({"type": "web_search_call", "id": "ws", "action": {"type": "open_page", "url": "https://e.org"}}, "https://e.org"),
        (
            {"type": "mcp_call", "id": "m", "name": "lookup", "arguments": "{}", "output": "seven"},
            "lookup with {}; it answered: seven",
        ),
        (
            {"type": "code_interpreter_call", "id": "ci", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]},
            "ran code: 1+1",
        ),
        ({"type": "image_generation_call", "id": "ig", "result": "AAAA" * 9999}, "an image was generated"),
        ({"type": "file_search_call", "id": "fs", "queries": ["x"], "results": None}, '"queries":["x"]'),
        ({"type": "compaction", "id": "cmp", "encrypted_content": "gAAAA"}, UNREADABLE[:40]),
        ({"type": "compaction_summary", "encrypted_content": seal_summary("we fixed it")}, "we fixed it"),
        ({"type": "context_compaction", "encrypted_content": None}, UNREADABLE[:40]),
        ({"type": "hologram", "id": "h", "shape": "cube"}, '"shape":"cube"'),
        ({"type": "local_shell_call", "call_id": "l", "action": {"type": "exec", "command": ["ls"]}}, "ls"),
        ({"type": "agent_message", "content": [{"type": "output_text", "text": "from a helper"}]}, "from a helper"),
    ],
)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_item_of_openais_own_is_told_in_words_everywhere(dialect: str, item: dict[str, Any], words: str) -> None:
    body = sent(from_client(input=[HI, item, HI]), dialect)
    if dialect == "openai_responses" and item["type"] in UNTOUCHED:
        assert item in body["input"]
        return
    said = str(body.get("messages") or body.get("input")).replace("\\\\", "").replace('\\"', '"')
    assert words in said
    assert "encrypted_content" not in said
    assert "AAAA" * 50 not in said


@pytest.mark.parametrize("kind", ["mcp_list_tools", "configuration_update"])
@pytest.mark.parametrize("dialect", ["openai_chat_completions", "anthropic_messages"])
def test_item_that_says_nothing_is_no_turn(dialect: str, kind: str) -> None:
    body = sent(from_client(input=[{"type": kind, "id": "x"}, HI]), dialect)
    assert len(body["messages"]) == 1


@pytest.mark.parametrize("kind", ["local_shell", "shell", "apply_patch", "computer"])
def test_vendors_tool_run_by_the_client_is_a_call_like_any_other(kind: str) -> None:
    call = {"type": f"{kind}_call", "id": "i", "call_id": "c", "status": "completed", "action": {"commands": ["ls"]}}
    outputs: list[Any] = ["a.txt", [{"stdout": "a.txt", "outcome": {"type": "exit"}}], {"type": "input_text", "text": "a.txt"}]
    for output in outputs:
        request = from_client(input=[HI, call, {"type": f"{kind}_call_output", "call_id": "c", "output": output}])
        assert request.messages[1].parts == (ToolCallPart("c", kind, '{"action":{"commands":["ls"]}}'),)
        (answer,) = request.messages[2].parts
        assert isinstance(answer, ToolCallResponsePart)
        assert "a.txt" in cast("TextPart", answer.content[0]).text


def test_screenshot_of_a_computer_stays_a_picture() -> None:
    output = {"type": "computer_screenshot", "image_url": "https://e.org/s.png"}
    request = from_client(input=[HI, {"type": "computer_call_output", "call_id": "c", "output": output}])
    (answer,) = request.messages[1].parts if len(request.messages) > 1 else request.messages[0].parts[1:]
    assert cast("ToolCallResponsePart", answer).content[0].uri == "https://e.org/s.png"  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------------------------------ answers


def answered(request: ChatRequest, *events: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The output items of an answer: as streamed, and in the final event."""
    encoder = make_dialect().stream_encoder(request, "m")
    stream = unwire(encoder.send(Frame(b"", (ResponseStarted("r", "m"), *events, ResponseFinished("tool_call")))))
    return [event["item"] for event in stream if event["type"] == "response.output_item.done"], stream[-1]["response"]["output"]


def part(index: int, kind: Any, text: str, **fields: Any) -> tuple[Any, ...]:
    return PartStarted(index, kind, **fields), PartDelta(index, text), PartFinished(index)


def test_call_of_the_clients_search_is_a_search_call() -> None:
    request = from_client(tools=[FINDER])
    streamed, final = answered(request, *part(0, "tool_call", '{"query": "docs"}', id="s1", name="tool_search"))
    assert streamed == final
    (item,) = final
    assert {name: item[name] for name in ("type", "call_id", "execution", "status", "arguments")} == {
        "type": "tool_search_call",
        "call_id": "s1",
        "execution": "client",
        "status": "completed",
        "arguments": {"query": "docs"},
    }
    # What the client sends back is understood.
    again = from_client(input=[HI, item, {**FOUND, "call_id": "s1"}], tools=[FINDER])
    assert again.messages[1].parts == (ToolCallPart("s1", "tool_search", '{"query":"docs"}'),)


@pytest.mark.parametrize("given", [{"input": [ADDED, HI]}, {"input": [HI, ASKED, FOUND]}, {"input": "hi", "tools": [DOCS]}])
def test_call_of_a_grouped_tool_gets_its_namespace_back(given: dict[str, Any]) -> None:
    _, (item,) = answered(from_client(**given), *part(0, "tool_call", "{}", id="c", name="mcp__docs__find_page"))
    assert (item["name"], item["namespace"]) == ("find_page", "mcp__docs")


def test_free_text_tool_of_an_item_gets_its_text_back() -> None:
    _, (item,) = answered(
        from_client(input=[ADDED, HI]), *part(0, "tool_call", '{"input": "*** Begin"}', id="c", name="apply_patch")
    )
    assert (item["type"], item["input"]) == ("custom_tool_call", "*** Begin")


COMPACT = [
    HI,
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yo"}]},
    {"type": "compaction_trigger"},
]


@pytest.mark.parametrize("dialect", ["openai_chat_completions", "anthropic_messages"])
def test_compaction_is_asked_for_in_words_without_calls(dialect: str) -> None:
    body = sent(from_client(input=COMPACT, tools=[SHELL]), dialect)
    assert "summary of our conversation" in str(body["messages"][-1])
    assert body["tool_choice"] in ("none", {"type": "none"})


def test_compaction_is_answered_with_one_item_that_any_provider_can_go_on_from() -> None:
    request = from_client(input=COMPACT)
    streamed, final = answered(request, *part(0, "reasoning", "hm"), *part(1, "text", "They said "), *part(2, "text", "hello."))
    assert streamed == final
    (item,) = final
    assert item["type"] == "compaction"
    assert read_summary(item["encrypted_content"]) == "They said hello."
    for dialect in UPSTREAMS:
        assert "They said hello." in str(sent(from_client(input=[item, HI]), dialect))
    native = make_dialect().encode_request(from_client(input=[item, HI], model="gpt-5.6-sol"), ModelInfo("openai", "gpt-5.6-sol"))
    assert "They said hello." in str(native.body["input"])
    assert "compaction" not in str(native.body["input"])


def test_tool_discovery_what_seals_a_call_travels_in_front_of_it_and_back() -> None:
    opaque = Opaque("thought_signature", "SIG==", "gemini/a")
    _, final = answered(from_client(), *part(0, "tool_call", "{}", id="c", name="f", opaque=opaque))
    carrier, call = final
    assert carrier["encrypted_content"] == seal(opaque, "c")
    assert call["type"] == "function_call"
    again = from_client(input=[HI, carrier, call, {"type": "function_call_output", "call_id": "c", "output": "x"}])
    assert again.messages[1].parts == (ToolCallPart("c", "f", "{}", opaque=opaque),)


@pytest.mark.parametrize("late", [False, True])
def test_tool_discovery_what_seals_a_text_travels_with_it_and_back(late: bool) -> None:
    opaque = Opaque("thought_signature", "SIG==", "gemini/a")
    start, delta, end = part(0, "text", "hi", **({} if late else {"opaque": opaque}))
    _, final = answered(from_client(), start, delta, PartFinished(0, opaque) if late else end)
    again = from_client(input=[HI, *final, HI])
    assert again.messages[1].parts == (TextPart("hi", opaque=opaque),)
    sealed = [item for item in final if item["type"] == "reasoning"]
    encoded = make_dialect().encode_request(again, ModelInfo("openai", "gpt-5.6-sol"))
    assert len(sealed) == 1
    assert not [item for item in cast("list[dict[str, Any]]", encoded.body["input"]) if item["type"] == "reasoning"]


def test_native_items_of_an_openai_model_stay_as_they_are() -> None:
    items = [ADDED, HI, ASKED, FOUND, {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"}]
    body = make_dialect().encode_request(from_client(input=items, tools=[FINDER]), ModelInfo("openai-codex", "gpt-5.6-sol")).body
    assert body["input"] == items
    assert body["tools"] == [FINDER]


def test_compaction_of_another_account_is_told_in_words() -> None:
    request = from_client(input=[{"type": "compaction", "id": "cmp_1", "encrypted_content": "theirs"}, HI])
    assert any(isinstance(part, TextPart) and part.opaque for message in request.messages for part in message.parts)
    foreign = ChatRequest(
        **{name: getattr(request, name) for name in request.__slots__} | {"foreign_opaque": frozenset({"theirs"})}
    )
    body = make_dialect().encode_request(foreign, ModelInfo("openai", "gpt-5.6-sol")).body
    assert UNREADABLE in str(body["input"])
    assert "theirs" not in str(body["input"])


def test_upstream_item_without_a_word_is_native_still() -> None:
    request = from_client(input=[HI, {"type": "hologram", "shape": 1}])
    assert isinstance(request.messages[1].parts[0], NativePart)
