"""What a token endpoint may answer: packed or not, it is read within a bound."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.credentials.refresh import MOST_ANSWER_BYTES, TokenClient, TokenEndpoint
from openclaw_oauthrouter.errors import RefreshFailed

TOKENS = json.dumps({"access_token": "new", "expires_in": 60}).encode()


class _Chunks(httpx.SyncByteStream):
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self):
        for at in range(0, len(self._data), 1000):
            yield self._data[at : at + 1000]


def renew(body: bytes, coding: str) -> str:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        return httpx.Response(200, headers={"content-encoding": coding} if coding else {}, stream=_Chunks(body))

    client = TokenClient(lambda: httpx.Client(transport=httpx.MockTransport(answer)), lambda: 0.0)
    return client.renew(TokenEndpoint("https://auth.test/token", "id"), Secret("old")).access.reveal()


@pytest.mark.parametrize(("body", "coding"), [(TOKENS, ""), (gzip.compress(TOKENS, mtime=0), "gzip")])
def test_token_answer_is_read(body: bytes, coding: str) -> None:
    assert renew(body, coding) == "new"


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A hundred megabytes in a hundred kilobytes."""
    return gzip.compress(b" " * (100 << 20))


def test_token_answer_beyond_the_bound_is_a_failed_renewal(bomb: bytes) -> None:
    for body, coding in (
        (b" " * (MOST_ANSWER_BYTES + 1), ""),
        (bomb, "gzip"),
        (gzip.compress(bomb), "gzip, gzip"),
        (b"not packed", "gzip"),
    ):
        with pytest.raises(RefreshFailed, match="cannot be used"):
            renew(body, coding)
