"""What came spelled is written as it came, until somebody changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.spelled import Spelled, written
from openclaw_oauthrouter.parsing.known_bodies import KnownBodies

TEXT = b'{"a": 1.50},\t{"b": "\\u00e9"}'


def spelled() -> Spelled:
    return Spelled([{"a": 1.5}, {"b": "é"}], b"<" + TEXT + b">", 1, 1 + len(TEXT))


def test_written_passes_on_what_came() -> None:
    assert (
        written({"model": "m", "messages": spelled(), "stop": ["x"]}) == b'{"model":"m","messages":[' + TEXT + b'],"stop":["x"]}'
    )
    assert written({"messages": spelled().copy()}) == b'{"messages":[' + TEXT + b"]}"


CHANGES: dict[str, Callable[[list[Any]], Any]] = {
    "append": lambda found: found.append(1),
    "clear": lambda found: found.clear(),
    "delete": lambda found: found.__delitem__(0),
    "extend": lambda found: found.extend([1]),
    "insert": lambda found: found.insert(0, {"c": 1}),
    "in place": lambda found: found.__iadd__([1]),
    "pop": lambda found: found.pop(),
    "remove": lambda found: found.remove({"a": 1.5}),
    "repeat": lambda found: found.__imul__(2),
    "reverse": lambda found: found.reverse(),
    "set": lambda found: found.__setitem__(slice(0, 1), [3, 4]),
    "sort": lambda found: found.sort(key=str, reverse=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_written_has_every_change_of_a_list(change: Callable[[list[Any]], Any]) -> None:
    changed, plain, other = spelled(), [*spelled()], spelled()
    another = other.copy()
    change(changed)
    change(plain)
    assert changed == plain
    assert written({"messages": changed}) == orjson.dumps({"messages": plain})
    change(another)
    assert written({"messages": other}) == b'{"messages":[' + TEXT + b"]}"


def test_written_passes_on_a_known_conversation_and_its_tools() -> None:
    known = KnownBodies()
    message = b'{ "role":"user", "content":"' + b"lorem " * 200 + b'","seed":1e2}'
    begin, end = b'{"model":"m","messages":[' + b", ".join([message] * 4), b'],"tools":[{"name" : "f"}]}'
    for new in (b"", b"", b", " + message, b", " + message, b", " + message + b"," + message):
        body = known.parse(begin + new + end)
        assert written(body) == begin + new + b'],"tools":[{"name":"f"}]}'


def test_spelled_with_all_of_its_json_is_written_as_that() -> None:
    text = b'[ 1.50, {"a":"\xc3\xa9"} ]'
    given = Spelled([1.5, {"a": "é"}], text)
    assert written({"tools": given}) == b'{"tools":' + text + b"}"
    assert written({"tools": given.copy()}) == b'{"tools":' + text + b"}"
    given.append(None)
    assert written({"tools": given}) == '{"tools":[1.5,{"a":"é"},null]}'.encode()
