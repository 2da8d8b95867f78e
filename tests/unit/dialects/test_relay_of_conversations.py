"""On the transparent lane a decoder says which messages need no second look: what is sent is the same as if each had been looked at."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.interfaces import Dialect
from tests.unit.dialects.test_kinds_on_every_lane import CHAT, DIALECTS, MESSAGES, MODELS, RESPONSES

Json = dict[str, Any]

SEALED = seal(Opaque("signature", "sig", "anthropic/a"))
PLAIN: dict[str, list[Json]] = {
    CHAT: [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "https://a/b.png"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "done"},
        {"role": "assistant", "content": "It is done."},
    ],
    MESSAGES: [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "so", "signature": "own"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "done"}]}]},
        {"role": "assistant", "content": "It is done."},
    ],
    RESPONSES: [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It is done."}]},
    ],
}
ODD: dict[str, list[Json]] = {
    CHAT: [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "a part of Responses"}]},
        {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]},
        {"role": "assistant", "content": "said", "reasoning_details": [{"type": "reasoning.encrypted", "data": SEALED}]},
    ],
    MESSAGES: [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "so", "signature": ""}, {"type": "text", "text": "said"}],
        },
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "so", "signature": SEALED}, {"type": "text", "text": "said"}],
        },
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]},
    ],
    RESPONSES: [
        {"role": "user", "content": "without a type"},
        {"role": "system", "content": "Be brief."},
        {"type": "message", "id": "chatcmpl-1", "role": "assistant", "content": [{"type": "output_text", "text": "said"}]},
        {"type": "function_call", "call_id": "c" * 80, "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "d", "name": "f", "arguments": {"a": 1}},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SEALED},
        {"type": "additional_tools", "tools": [{"type": "function", "name": "g", "parameters": {}}]},
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ],
}
CASES = [pytest.param(dialect, odd, id=f"{dialect}-{at}") for dialect, found in ODD.items() for at, odd in enumerate(found)]


def body(dialect: str, messages: list[Json]) -> Json:
    return {
        "model": "m",
        "input" if dialect == RESPONSES else "messages": messages,
        **({"max_tokens": 9} if dialect == MESSAGES else {}),
    }


def relayed(dialect: Dialect, asked: Json, *, looked_at: bool) -> tuple[Json, object]:
    request = dialect.decode_request(asked, {})
    if looked_at:
        request.overview.plain = False
    encoded = dialect.encode_request(request, MODELS[dialect.name])
    return encoded.body, encoded.notes


@pytest.mark.parametrize("dialect", DIALECTS)
def test_decoder_finds_plain_what_is_plain(dialect: str) -> None:
    request = DIALECTS[dialect].decode_request(body(dialect, PLAIN[dialect]), {})
    assert request.overview.plain


@pytest.mark.parametrize(("dialect", "odd"), CASES)
@pytest.mark.parametrize("place", [0, 2, 99])
def test_relay_of_a_conversation_mends_the_same_with_and_without_memory(dialect: str, odd: Json, place: int) -> None:
    speaks = DIALECTS[dialect]
    said = [*PLAIN[dialect]]
    for messages in (said, [*said[:place], odd, *said[place:]], [*said[:place], odd, *said[place:], *said], [*said, *said]):
        asked = body(dialect, messages)
        assert relayed(speaks, asked, looked_at=False) == relayed(speaks, asked, looked_at=True)


@pytest.mark.parametrize(("dialect", "odd"), CASES)
def test_decoder_does_not_find_plain_what_is_odd(dialect: str, odd: Json) -> None:
    request = DIALECTS[dialect].decode_request(body(dialect, [*PLAIN[dialect], odd]), {})
    assert not request.overview.plain or request.overview.opaque
