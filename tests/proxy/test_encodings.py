"""Packed bodies, both ways: a client's is unpacked within the body limit, an upstream's never grows beyond the answer's."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import brotli
import httpx
import pytest

from openclaw_oauthrouter.wire import encodings
from openclaw_oauthrouter.wire.encodings import STEP_BYTES
from tests.support.answers import Answer, play
from tests.support.conversations import CHAT
from tests.support.memory import Peak
from tests.support.upstream import Play

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": encodings._zstd_module().compress,
}
LIMIT = 1 << 20
BODY = {"model": "house/m", "messages": [{"role": "user", "content": "hi"}]}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": BODY,
    "/v1/responses": {"model": "house/m", "input": "hi"},
    "/v1/messages": {**BODY, "max_tokens": 5},
    "/v1/embeddings": {"model": "house/m", "input": "hi"},
    "/v1/route/explain": {"prompt": "hi"},
    "/v1/messages/count_tokens": BODY,
}


@pytest.fixture
async def http(gateway: Any, scripted: Any, client: Any) -> httpx.AsyncClient:
    upstream = await scripted(play(CHAT, Answer("fine"), stream=False))
    providers = {"house": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "sk-test"}}
    return await client(await gateway(providers=providers, server={"max_body_bytes": LIMIT}))


async def send(http: httpx.AsyncClient, path: str, content: bytes, coding: str) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": coding}
    return await http.post(path, content=content, headers=headers)


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("path", BODIES)
async def test_packed_request_is_served_on_every_path(path: str, coding: str, http: httpx.AsyncClient) -> None:
    answer = await send(http, path, PACK[coding](json.dumps(BODIES[path]).encode()), coding)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("path", BODIES)
async def test_packed_request_beyond_the_limit_is_413(path: str, coding: str, http: httpx.AsyncClient) -> None:
    bomb = _blank(coding)
    assert len(bomb) < LIMIT
    answer = await send(http, path, bomb, coding)
    assert answer.status_code == 413
    assert "max_body_bytes" in answer.text


@pytest.mark.parametrize("coding", ["compress", "gzip, gzip", "gzip, br", "aes128gcm"])
@pytest.mark.parametrize("path", BODIES)
async def test_request_packed_otherwise_is_415(path: str, coding: str, http: httpx.AsyncClient) -> None:
    answer = await send(http, path, gzip.compress(gzip.compress(json.dumps(BODIES[path]).encode())), coding)
    assert answer.status_code == 415
    assert "content coding" in answer.text or "times over" in answer.text


@pytest.mark.parametrize("coding", PACK)
async def test_request_that_is_not_its_coding_is_400(coding: str, http: httpx.AsyncClient) -> None:
    answer = await send(http, "/v1/chat/completions", json.dumps(BODY).encode(), coding)
    assert answer.status_code == 400
    assert coding in answer.text


async def test_stranger_learns_of_the_token_before_anything_is_unpacked(http: httpx.AsyncClient) -> None:
    headers = {"content-encoding": "gzip", "authorization": "Bearer wrong"}
    answer = await http.post("/v1/chat/completions", content=_blank("gzip"), headers=headers)
    assert answer.status_code == 401


@cache
def _blank(coding: str) -> bytes:
    return PACK[coding](b" " * (64 << 20))


@cache
def _nested(times: int) -> bytes:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


ANSWERS: dict[str, tuple[int, str]] = {
    "answer": (200, "application/json"),
    "refusal": (400, "application/json"),
    "stream": (200, "text/event-stream"),
}
CODED = {"one layer": ("gzip", 1), "two layers": ("gzip, gzip", 2), "three layers": ("gzip, gzip, gzip", 3)}


@pytest.mark.parametrize("layers", CODED)
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
async def test_answer_that_unpacks_to_gigabytes_ends_in_an_error(
    path: str, kind: str, layers: str, gateway: Any, scripted: Any, client: Any
) -> None:
    status, content_type = ANSWERS[kind]
    coding, times = CODED[layers]
    upstream = await scripted(Play([_nested(times)], status, {"content-encoding": coding}, content_type))
    providers = {"house": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "sk-test"}}
    http = await client(await gateway(providers=providers, upstream={"timeouts": {"first_byte": 30.0, "idle": 30.0}}))
    with Peak() as peak:
        answer = await http.post(path, json={**BODIES[path], "stream": kind == "stream"})
    assert answer.status_code in (400, 502), answer.text
    assert "error" in answer.json()
    assert peak.grown_mib < 200
    assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_answer_packed_unasked_is_understood(stream: bool, coding: str, gateway: Any, scripted: Any, client: Any) -> None:
    plain = play(CHAT, Answer("fine words " * STEP_BYTES), stream=stream)
    packed = PACK[coding](b"".join(piece for piece in plain.pieces if isinstance(piece, bytes)))
    upstream = await scripted(Play([packed], 200, {"content-encoding": coding}, plain.content_type))
    providers = {"house": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "sk-test"}}
    answer = await (await client(await gateway(providers=providers))).post(
        "/v1/chat/completions", json={**BODY, "stream": stream}
    )
    assert answer.status_code == 200
    assert "fine words" in answer.text
    assert upstream.seen[0].headers["accept-encoding"] == "identity"
