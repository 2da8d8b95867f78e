"""Chat requests: whatever a client sends, the answer is a request or a 400; what is read is written back the same."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import InvalidRequestError

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

DIALECT = ChatCompletions(lambda: 0.0)
CARD = ModelInfo("openai", "gpt-x")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["user", "assistant", "tool", "function", "system", "text", "image_url", "file", "custom", "allowed_tools", "json_schema"]
)


def of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of these fields, each of the right shape or of any."""
    return st.fixed_dictionaries({}, optional={name: kind | JSON for name, kind in fields.items()})


FUNCTION = of(name=st.text(max_size=4), arguments=st.text(max_size=4), parameters=JSON, schema=JSON)
PART = of(type=WORDS, text=st.text(max_size=4), image_url=of(url=st.text(max_size=9)), file=of(file_data=st.text(max_size=9)))
MESSAGE = of(
    role=WORDS,
    content=st.text(max_size=4) | st.lists(PART, max_size=2),
    tool_call_id=st.text(max_size=3),
    name=st.text(max_size=3),
    tool_calls=st.lists(of(id=st.text(max_size=3), function=FUNCTION, custom=FUNCTION), max_size=2),
    function_call=FUNCTION,
    thinking_blocks=st.lists(of(type=st.sampled_from(["thinking", "redacted_thinking"]), thinking=JSON, data=JSON), max_size=2),
)
BODY = of(
    model=st.text(min_size=1, max_size=4),
    messages=st.lists(MESSAGE, max_size=3),
    tools=st.lists(of(type=WORDS, function=FUNCTION, custom=FUNCTION), max_size=2),
    tool_choice=of(type=WORDS, function=FUNCTION, allowed_tools=of(mode=WORDS, tools=st.lists(JSON, max_size=2))),
    response_format=of(type=WORDS, json_schema=FUNCTION),
    stop=st.lists(JSON, max_size=2),
    thinking=of(type=WORDS, budget_tokens=JSON),
    max_tokens=JSON,
    temperature=JSON,
)  # fmt: skip


def read(body: Any) -> ChatRequest | InvalidRequestError:
    try:
        return DIALECT.decode_request(body, {})
    except InvalidRequestError as error:
        return error


@UNTIMED
@given(BODY)
def test_chat_requests_any_body_is_a_request_or_a_refusal_that_names_the_field(body: Any) -> None:
    found = read(body)
    if isinstance(found, InvalidRequestError):
        assert found.param
    else:
        assert DIALECT.encode_request(found, CARD).body == {**body, "model": "gpt-x"}


def test_deep_nesting_is_no_danger() -> None:
    schema: Any = {}
    for _ in range(5000):
        schema = {"type": "object", "properties": {"a": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [tool]}
    request = DIALECT.decode_request(body, {})
    assert request.tools[0].parameters is schema
    assert DIALECT.encode_request(request, CARD).body["tools"] is body["tools"]


text = st.text(min_size=1, max_size=12)
SOUND_CALL = st.builds(
    lambda name, arguments: {"type": "function", "function": {"name": name, "arguments": arguments}},
    st.text("abcXYZ019_-", min_size=1, max_size=12),
    text,
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Conversations in the form our encoder writes them, with every call answered."""
    out: list[dict[str, Any]] = [{"role": "system", "content": draw(text)}, {"role": "user", "content": draw(text)}]
    for turn in range(draw(st.integers(0, 3))):
        calls = [{"id": f"call_{turn}_{n}", **call} for n, call in enumerate(draw(st.lists(SOUND_CALL, max_size=3)))]
        said = {"role": "assistant", "content": draw(text if not calls else text | st.none())}
        out.append({**said, "tool_calls": calls} if calls else said)
        out.extend({"role": "tool", "tool_call_id": call["id"], "content": draw(text)} for call in calls)
        out.append({"role": "user", "content": draw(text)})
    return out


@UNTIMED
@given(conversations())
def test_chat_requests_what_is_read_is_written_back_the_same(messages: list[dict[str, Any]]) -> None:
    request = DIALECT.decode_request({"model": "m", "messages": messages}, {})
    foreign = ChatRequest("anthropic_messages", request.model, request.messages)
    encoded = DIALECT.encode_request(foreign, CARD)
    assert encoded.body["messages"] == messages
    assert orjson.loads(orjson.dumps(encoded.body)) == encoded.body
