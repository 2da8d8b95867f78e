"""A remembered head is written as the same headers would be, each time they are asked for."""

from __future__ import annotations

import httpx
import pytest

from openclaw_oauthrouter.post import Address, Head, Heads, Post
from openclaw_oauthrouter.upstream.http_pool import encoded

ADDRESS = Address("https://api.example.org/v1/messages?beta=true")


def lines(request: httpx.Request) -> list[bytes]:
    head, _, body = encoded(request).partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    return [first, *sorted(fields), body]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"x-api-key": "secret"}, {}),
        ({"Host": "other.example.org"}, {}),
        ({"accept-encoding": "gzip"}, {}),
        ({"x-api-key": "secret"}, {"traceparent": "00-1-2-01", "x-via": "me"}),
        ({"x-via": "somebody"}, {"x-via": "me"}),
    ],
    ids=["plain", "a host of its own", "compressed", "more is said", "other than before"],
)
def test_post_is_written_as_its_headers_are(headers: dict[str, str], said: dict[str, str]) -> None:
    quick, slow = (Post(Head(ADDRESS, headers), b'{"a":1}') for _ in range(2))
    for name, value in said.items():
        quick.say(name, value)
        slow.headers[name] = value
    assert lines(quick) == lines(slow)
    assert dict(quick.headers) == dict(slow.headers)


@pytest.mark.parametrize("value", ["a\r\nset: b", "a\nb", "a\rb"])
def test_post_never_writes_a_header_that_breaks_out_of_its_line(value: str) -> None:
    said = Post(Head(ADDRESS, {}), b"{}")
    said.say("x", value)
    for post in (said, Post(Head(ADDRESS, {"x": value}), b"{}")):
        with pytest.raises(httpx.LocalProtocolError):
            encoded(post)


def test_heads_are_remembered_by_all_they_hold_and_are_bounded() -> None:
    heads = Heads()
    first = heads.of(ADDRESS, {"x-api-key": "one"})
    assert heads.of(ADDRESS, {"x-api-key": "one"}) is first
    assert heads.of(ADDRESS, {"x-api-key": "two"}).fields["x-api-key"] == "two"
    assert heads.of(Address("https://api.example.org/v2"), {"x-api-key": "one"}) is not first
    for number in range(1000):
        heads.of(ADDRESS, {"session-id": str(number)})
    assert len(heads._known) < 100
