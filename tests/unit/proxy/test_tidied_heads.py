"""Fields of a request's head as the rest of the gateway reads them."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.errors import HttpProtocolError
from openclaw_oauthrouter.proxy.request_heads import MAX_HEAD_BYTES, tidied

OTHER = (b"Host", b"h")


@pytest.mark.parametrize("value", [b"x", b" x", b"x ", b"\tx", b"x\t", b" \t x\t ", b""])
@pytest.mark.parametrize("place", ["first", "middle", "last", "alone"])
def test_tidied_takes_blanks_off_values_wherever_they_stand(value: bytes, place: str) -> None:
    one = (b"X-Name", value)
    fields = {"first": [one, OTHER], "middle": [OTHER, one, OTHER], "last": [OTHER, one], "alone": [one]}[place]
    found, _ = tidied(fields)
    assert found == [(name.lower(), text.strip()) for name, text in fields]


def test_tidied_keeps_blanks_within_a_value() -> None:
    assert tidied([(b"A", b"b  c"), OTHER])[0] == [(b"a", b"b  c"), (b"host", b"h")]


def test_tidied_of_nothing_is_nothing() -> None:
    assert tidied([]) == ([], 0)


def test_tidied_refuses_more_than_a_head_may_hold() -> None:
    with pytest.raises(HttpProtocolError) as refused:
        tidied([OTHER, (b"x", b"y" * MAX_HEAD_BYTES)])
    assert refused.value.status_code == 431
