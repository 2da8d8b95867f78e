"""Whatever a provider sends in the place of Gemini's answer: events, or the provider's fault, never ours."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.events import ResponseFailed, ResponseFinished
from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent
from openclaw_oauthrouter.errors import UpstreamError

DIALECT = GeminiGenerateContent(lambda: 0.0)

scalars = (
    st.none() | st.booleans() | st.integers(-9, 2**62) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4)
)
odd = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6
)


def maybe(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(right, right, right, odd)


part = st.fixed_dictionaries(
    {},
    optional={
        "text": maybe(st.text(max_size=5)),
        "thought": maybe(st.booleans()),
        "thoughtSignature": maybe(st.text(max_size=5)),
        "functionCall": maybe(
            st.fixed_dictionaries({"name": maybe(st.just("f"))}, optional={"args": odd, "id": maybe(st.text(max_size=3))})
        ),
        "inlineData": odd,
    },
)
grounding = st.fixed_dictionaries(
    {},
    optional={
        "webSearchQueries": maybe(st.lists(st.text(max_size=3), max_size=2)),
        "groundingChunks": maybe(
            st.lists(
                maybe(st.fixed_dictionaries({"web": maybe(st.fixed_dictionaries({"uri": maybe(st.text(max_size=3))}))})),
                max_size=2,
            )
        ),
        "groundingSupports": maybe(
            st.lists(
                maybe(
                    st.fixed_dictionaries(
                        {"groundingChunkIndices": maybe(st.lists(maybe(st.integers(-3, 3)), max_size=2))},
                        optional={"segment": maybe(st.fixed_dictionaries({"startIndex": odd, "endIndex": odd}))},
                    )
                ),
                max_size=2,
            )
        ),
    },
)
candidate = st.fixed_dictionaries(
    {"content": maybe(st.fixed_dictionaries({"parts": maybe(st.lists(maybe(part), max_size=3))}))},
    optional={
        "finishReason": maybe(st.sampled_from(["STOP", "SAFETY", "MALFORMED_FUNCTION_CALL", "?"])),
        "groundingMetadata": maybe(grounding),
        "urlContextMetadata": odd,
        "index": odd,
    },
)
chunk = st.fixed_dictionaries(
    {},
    optional={
        "candidates": maybe(st.lists(maybe(candidate), max_size=2)),
        "usageMetadata": maybe(
            st.fixed_dictionaries({"promptTokenCount": odd, "thoughtsTokenCount": odd, "promptTokensDetails": odd})
        ),
        "promptFeedback": odd,
        "error": odd,
        "responseId": odd,
        "modelVersion": odd,
    },
)


@given(st.lists(maybe(chunk), max_size=3))
def test_odd_stream_ends_in_an_answer_or_in_the_provider_s_fault(chunks: list[Any]) -> None:
    decoder = DIALECT.stream_decoder()
    events = [
        event
        for found in (*(decoder.receive(b"data: " + orjson.dumps(value) + b"\n\n") for value in chunks), decoder.finish())
        for event in found.events
    ]
    assert isinstance(events[-1], ResponseFinished | ResponseFailed)


@given(chunk)
def test_odd_answer_is_read_or_is_the_provider_s_fault(body: dict[str, Any]) -> None:
    try:
        DIALECT.decode_response(body)
    except UpstreamError:
        return


@given(
    st.integers(400, 599),
    odd
    | st.fixed_dictionaries({"error": odd | st.fixed_dictionaries({"message": odd, "status": odd, "details": odd, "code": odd})}),
)
def test_odd_refusal_is_a_refusal(status: int, body: Any) -> None:
    assert isinstance(DIALECT.decode_error(status, {}, orjson.dumps(body)), UpstreamError)
