"""Estimates: right for every script and kind of part, and never from base64."""

from __future__ import annotations

import base64
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, ResponseFormat, Tool
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.policy.exact_count import ExactCounter
from openclaw_oauthrouter.policy.media_tokens import image_size, image_tokens
from openclaw_oauthrouter.policy.token_estimate import TokenEstimator, answer_tokens, text_tokens

CARD = ModelInfo("anthropic", "claude-haiku-4-5", max_output_tokens=64_000)


def request(*parts, **fields) -> ChatRequest:
    return ChatRequest("openai_chat_completions", "auto", (Message("user", parts),), **fields)


def tokens(*parts, **fields) -> int:
    return TokenEstimator().input_tokens(request(*parts, **fields))


EMPTY = tokens()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 400, 100),
        ("é" * 200, 100),  # two bytes each
        ("ж" * 200, 100),
        ("量" * 100, 100),  # three bytes: a token a character, not 75
        ("😀" * 10, 20),
        ("abcd量😀", 4),
        ("\ud800", 1),  # half a surrogate pair, as broken clients send it
    ],
)
def test_text_by_script(text: str, expected: int) -> None:
    assert text_tokens(text) == expected


@given(st.text(), st.text())
def test_token_estimate_more_text_never_counts_less(first: str, second: str) -> None:
    assert text_tokens(first) <= text_tokens(first + second) <= text_tokens(first) + text_tokens(second)


def test_token_estimate_every_part_counts() -> None:
    text = TextPart("x" * 400)
    assert tokens(text) - EMPTY == 100
    assert tokens(RefusalPart("x" * 400)) - EMPTY == 100
    assert tokens(ToolCallPart("1", "read", "x" * 400)) - EMPTY == 100 + 1 + 4
    assert tokens(ToolCallResponsePart("1", (text, text))) - EMPTY == 200 + 4
    assert tokens(ReasoningPart("x" * 400, Opaque("signature", "s" * 9000))) - EMPTY == 100
    assert tokens(ReasoningPart("", Opaque("encrypted", "s" * 1600))) - EMPTY == 300
    assert tokens(NativePart("openai_responses", "x", {"k": "x" * 392})) - EMPTY == 100
    assert tokens(UriPart("image", "https://example.com/a.png")) - EMPTY == 1600
    assert tokens(FilePart("document", "file-1")) - EMPTY == 10_000


def test_tools_and_answer_schema_count() -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string", "description": "x" * 400}}}
    assert tokens(tools=(Tool("read", "y" * 40, schema),)) > EMPTY + 110
    assert tokens(tools=(Tool("web", native=("openai_responses", schema)),)) > EMPTY + 100
    assert tokens(response_format=ResponseFormat("json_schema", schema)) > EMPTY + 100
    assert tokens(response_format=ResponseFormat("json_object")) == EMPTY


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def png(width: int, height: int, size: int = 0) -> str:
    return encoded(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(size))


def jpeg(width: int, height: int) -> str:
    thumbnail = b"\xff\xe1" + struct.pack(">H", 9002) + bytes(9000)
    frame = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width) + bytes(10)
    return encoded(b"\xff\xd8" + thumbnail + frame)


def gif(width: int, height: int) -> str:
    return encoded(b"GIF89a" + struct.pack("<HH", width, height) + bytes(20))


@pytest.mark.parametrize("make", [png, jpeg, gif])
def test_image_size_from_its_header(make) -> None:
    assert image_size(make(640, 480)) == (640, 480)
    assert image_tokens(make(640, 480)) == 410


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(10, 10), 85),
        (png(8000, 8000), 1600),
        (encoded(b"RIFF....WEBP"), 1600),
        ("", 1600),
        ("not base64!", 1600),
        (encoded(b"\x89PNG\r\n\x1a\n"), 1600),
        (encoded(b"\xff\xd8\xff\xe1\x00"), 1600),
        (encoded(b"\xff\xd8\xff\xe1\x00\x04\x00\x00end"), 1600),
    ],
)
def test_image_tokens_are_bounded_and_default_to_a_full_one(data: str, expected: int) -> None:
    assert image_tokens(data) == expected


@given(st.binary(max_size=200))
def test_token_estimate_any_bytes_after_a_jpeg_mark_are_survived(tail: bytes) -> None:
    assert 85 <= image_tokens(encoded(b"\xff\xd8" + tail)) <= 1600


def test_base64_length_never_counts_as_text() -> None:
    picture = BlobPart("image", "image/png", png(1000, 750, size=1_900_000))
    assert tokens(picture) - EMPTY == 1000
    assert tokens(BlobPart("image", "image/png", png(1000, 750), detail="low")) - EMPTY == 85
    assert tokens(BlobPart("document", "application/pdf", encoded(bytes(120_000)))) - EMPTY == 6_000
    assert tokens(BlobPart("document", "application/pdf", encoded(bytes(30_000_000)))) - EMPTY == 200_000
    assert tokens(BlobPart("audio", "audio/mpeg", encoded(bytes(50_000)))) - EMPTY == 51


@pytest.mark.parametrize(
    ("asked", "most", "expected"),
    [(None, 8192, 8192), (None, None, 4096), (100, 8192, 100), (10_000, 8192, 8192), (10_000, None, 10_000)],
)
def test_output_is_what_is_asked_for_within_what_the_model_can(asked, most, expected) -> None:
    info = ModelInfo("p", "m", max_output_tokens=most)
    assert answer_tokens(asked, info) == expected


class Exact(ExactCounter):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def counter(self):
        self.asked += 1
        return len


@pytest.mark.parametrize(("limit", "exact"), [(None, False), (50, False), (100, True), (130, True), (200, False)])
def test_exact_only_near_the_limit(limit: int | None, exact: bool) -> None:
    counter = Exact()
    estimator = TokenEstimator(limit, counter)
    counted = estimator.estimate(request(TextPart("x" * 400)), CARD).input_tokens
    assert (counted, counter.asked) == ((404, 1) if exact else (104, 0))


def test_token_estimate_request_is_counted_once_for_all_models_of_its_route() -> None:
    counter = Exact()
    estimator = TokenEstimator(100, counter)
    first, second = request(TextPart("x" * 400)), request(TextPart("y" * 320))
    for asked, expected in ((first, 404), (replace(first, max_output_tokens=5), 404), (second, 324), (first, 404)):
        assert estimator.estimate(asked, CARD).input_tokens == expected
    assert counter.asked == 3


def test_token_estimate_without_the_extra_the_estimate_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_oauthrouter.policy.exact_count.find_spec", lambda name: None)
    assert TokenEstimator(100).input_tokens(request(TextPart("x" * 400))) == 104


def test_token_estimate_with_the_extra_the_count_comes_once_it_is_loaded() -> None:
    pytest.importorskip("quicktok")
    counter = ExactCounter()
    assert counter.counter() is None
    counter.wait()
    count = counter.counter()
    assert count is not None
    assert count("hello world") == 2
