"""Whatever order the parts of an answer come in, the client's stream is well formed and says the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import Opaque, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import (
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.canonical.usage import Usage
from tests.support.responses import decode, encode, fold, from_client, make_dialect, unwire

kinds = st.sampled_from(["text", "refusal", "reasoning", "tool_call"])
chunk = st.text(alphabet='ab{}"\n漢🙂', min_size=1, max_size=5)
usages = st.builds(
    Usage, st.integers(0, 999), st.integers(0, 999), st.integers(0, 9), st.integers(0, 9), st.just(0), st.integers(0, 9)
)


@st.composite
def answers(draw: st.DrawFn) -> list[StreamEvent]:
    """Parts whose events interleave in any way that keeps each part's own order."""
    parts: list[list[StreamEvent]] = []
    for index in range(draw(st.integers(0, 4))):
        kind = draw(kinds)
        call = {"id": f"call_{index}", "name": "f", "custom": draw(st.booleans())} if kind == "tool_call" else {}
        opaque = Opaque("signature", "s", "a/b") if kind == "reasoning" and draw(st.booleans()) else None
        deltas = [PartDelta(index, text) for text in draw(st.lists(chunk, min_size=1, max_size=3))]
        parts.append([PartStarted(index, kind, **call), *deltas, PartFinished(index, opaque)])
    events: list[StreamEvent] = [ResponseStarted("resp_0", "m")]
    started = 0
    while any(parts):
        # Parts open in the order of their indices, as every decoder numbers them.
        open_now = [part for part in parts[: started + 1] if part]
        part = draw(st.sampled_from(open_now))
        if isinstance(part[0], PartStarted):
            started += 1
        events.append(part.pop(0))
    return [*events, UsageReported(draw(usages)), ResponseFinished("stop")]


def _comparable(answer: ChatResponse) -> list[Any]:
    """Parts without what only one side knows: where opaque content is wrapped."""
    return [
        (part.text, part.opaque and (unseal(part.opaque.data) or part.opaque)) if isinstance(part, ReasoningPart) else part
        for part in answer.parts
    ]


@given(answers())
@settings(deadline=None)
def test_responses_encoding_what_is_encoded_decodes_to_the_same(events: list[StreamEvent]) -> None:
    answer, again = fold(events), fold(decode(encode(events, from_client())))
    assert _comparable(again) == _comparable(answer)
    assert again.usage == answer.usage
    assert isinstance(answer.parts, tuple)


@given(answers())
@settings(deadline=None)
def test_items_never_overlap_and_numbers_have_no_gap(events: list[StreamEvent]) -> None:
    wire = unwire(encode(events, from_client()))
    assert [event["sequence_number"] for event in wire] == list(range(len(wire)))
    borders = [(event["type"].rpartition(".")[2], event["output_index"]) for event in wire if "output_item." in event["type"]]
    assert borders == [border for at in range(len(borders) // 2) for border in (("added", at), ("done", at))]
    done = [event["item"] for event in wire if event["type"] == "response.output_item.done"]
    assert wire[-1]["response"]["output"] == done


@given(answers())
@settings(deadline=None)
def test_responses_encoding_whole_and_streamed_answers_agree(events: list[StreamEvent]) -> None:
    whole = make_dialect().encode_response(fold(events), from_client(), "m")
    (*_, last) = unwire(encode(events, from_client()))
    said = [_words(item) for item in last["response"]["output"]]
    assert [_words(item) for item in whole["output"]] == said


def _words(item: dict[str, Any]) -> Any:
    return {key: value for key, value in item.items() if key != "id"}


def test_responses_encoding_parts_compared_above_are_all_the_kinds_there_are() -> None:
    events: list[StreamEvent] = []
    for index, kind in enumerate(("text", "refusal", "reasoning", "tool_call")):
        events += [PartStarted(index, kind, id="c", name="f"), PartDelta(index, "x"), PartFinished(index)]
    answer = fold(decode(encode([ResponseStarted("", ""), *events, ResponseFinished("stop")], from_client())))
    assert [type(part) for part in answer.parts] == [TextPart, RefusalPart, ReasoningPart, ToolCallPart]
