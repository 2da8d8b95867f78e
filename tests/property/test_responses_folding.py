"""The whole answer of a relayed stream is what the stream's own items say, however the stream is cut and whatever fields they carry."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.events import Frame
from tests.support.responses import from_client, make_dialect, wire

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8), st.lists(st.text(max_size=4), max_size=2)
)
ITEM = st.dictionaries(
    st.sampled_from(["id", "phase", "namespace", "name", "call_id", "arguments", "status", "odd"]), VALUES
).map(lambda fields: {**fields, "type": "function_call"})


def stream_of(items: list[dict[str, Any]], *, listed: bool) -> bytes:
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {"id": "r", "output": []}}]
    for at, item in enumerate(items):
        events.append({"type": "response.output_item.added", "output_index": at, "item": item})
        events.append({"type": "response.output_item.done", "output_index": at, "item": item})
    return wire(*events, {"type": "response.completed", "response": {"id": "r", "output": items if listed else []}})


@given(st.lists(ITEM, max_size=4), st.booleans(), st.data())
def test_responses_folding_whole_answer_is_the_folded_stream(
    items: list[dict[str, Any]], listed: bool, data: st.DataObject
) -> None:
    dialect = make_dialect()
    encoder = dialect.relay_encoder(from_client(), {})
    blocks = [block + b"\n\n" for block in stream_of(items, listed=listed).split(b"\n\n")[:-1]]
    cut = data.draw(st.integers(0, len(blocks)))
    stream = encoder.send(Frame(b"".join(blocks[:cut]))) + encoder.send(Frame(b"".join(blocks[cut:])))
    assert dialect.whole_answer(stream) == {"id": "r", "output": items}
