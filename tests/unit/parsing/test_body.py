"""A client's body as JSON: what cannot be read, or could not be written again, is refused."""

from __future__ import annotations

import orjson
import pytest

from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.parsing.body import parse_body


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize("body", [b"{}", b'{"a":[1,"\\u00fc",1e300,18446744073709551615]}', nested(200)])
def test_parse_body_object_is_read(body: bytes) -> None:
    assert parse_body(body) == orjson.loads(body)


@pytest.mark.parametrize("number", [b"170141183460469231731687303715884105727", b"-99999999999999999999", b"7" * 300])
def test_parse_body_whole_number_beyond_64_bits_is_written_as_it_came(number: bytes) -> None:
    body = b'{"a":[' + number + b'],"b":' + number + b',"c":12345678901234567890,"d":"1: 1234567890123456789012"}'
    found = parse_body(body)
    assert orjson.dumps(found) == body
    assert found["c"] == 12345678901234567890


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"a":"\\ud800"}', "not valid JSON"),
        (b"[]", "not list"),
        (b"null", "not NoneType"),
        (nested(260), "nested too deeply"),
        (nested(900), "nested too deeply"),
        (nested(100_000), "not valid JSON"),
    ],
)
def test_parse_body_anything_else_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=problem):
        parse_body(body)


@pytest.mark.parametrize("levels", range(235, 260))
def test_parse_body_what_is_read_can_be_written_with_the_levels_a_translation_adds(levels: int) -> None:
    try:
        value = parse_body(nested(levels))
    except InvalidRequestError:
        return
    assert orjson.dumps({"tools": [{"function": {"parameters": value}}]})


@pytest.mark.parametrize("level", ['{"a":%s}', "[%s]", '[1,"[[[",{"a":2,"b":%s}]'])
@pytest.mark.parametrize("leaf", ["1", "[]", "{}", '"x"'])
def test_parse_body_takes_as_many_levels_as_can_be_written_with_eight_more(level: str, leaf: str) -> None:
    for levels in (120, 122, 123, 124, 243, 244, 245, 246, 247, 250):
        body = leaf
        for _ in range(levels):
            body = level % body
        body = f'{{"a":{body}}}'
        try:
            orjson.dumps([[[[[[[[orjson.loads(body)]]]]]]]])
        except orjson.JSONEncodeError:
            with pytest.raises(InvalidRequestError, match="nested too deeply"):
                parse_body(body.encode())
        else:
            assert parse_body(body.encode()) == orjson.loads(body)


@pytest.mark.parametrize("lead", [b"", b" ", b"\n\t ", b" " * 600])
@pytest.mark.parametrize("sign", [b"", b"-"])
@pytest.mark.parametrize("offset", range(8))
def test_a_long_number_is_found_wherever_it_stands(lead: bytes, sign: bytes, offset: int) -> None:
    number = sign + b"98765432109876543210987"
    body = b'{"' + b"k" * offset + b'":' + lead + number + b"}"
    assert orjson.dumps(parse_body(body)) == body.replace(lead, b"")


def test_digits_within_words_are_no_number() -> None:
    body = b'{"a":"id 123456789012345678901234567890","b":"98765432109876543210987","c":[1.5]}'
    assert parse_body(body) == orjson.loads(body)
