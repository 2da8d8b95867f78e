"""A body reads the same whether it is known or not: what is remembered only saves work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.parsing.known_bodies import KnownBodies

Body = dict[str, Any]
Spell = Callable[[Body], bytes]

SPELLINGS: dict[str, Spell] = {
    "compact": lambda body: json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
    "python": lambda body: json.dumps(body).encode(),
    "indented": lambda body: json.dumps(body, indent=2).encode(),
}
LONG = "lorem ipsum " * 500
TOOLS = [{"type": "function", "function": {"name": "look", "description": LONG}}]


def turns(count: int, name: str = "messages", **more: Any) -> Body:
    said = [{"role": "user", "content": [{"type": "text", "text": f'Zeile {n}: línea "{n}"\n'}], "n": 1.5} for n in range(count)]
    said[0]["content"] = LONG
    return {"model": "m", name: said, "tools": TOOLS, **more}


def read(known: KnownBodies, text: bytes) -> Body:
    """A body as it is read, checked against what it is without memory: to the order of fields and the types of numbers."""
    value = known.parse(text)
    assert json.dumps(value) == json.dumps(json.loads(text))
    return value


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("name", ["messages", "input"])
@pytest.mark.parametrize("tools_first", [False, True])
def test_known_bodies_reads_only_what_is_new(spell: Spell, name: str, tools_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def body(count: int, **more: Any) -> bytes:
        whole = turns(count, name, **more)
        return spell({"tools": whole.pop("tools"), **whole} if tools_first else whole)

    known = KnownBodies()
    first = read(known, body(5))
    parsed: list[int] = []

    def noted(text: bytes) -> Body:
        parsed.append(len(text))
        return parse_body(text)

    monkeypatch.setattr("openclaw_oauthrouter.parsing.known_bodies.parse_body", noted)
    second, third, fourth = read(known, body(7)), read(known, body(9)), read(known, body(9))
    for one, other, count in ((first, second, 5), (second, third, 7), (third, fourth, 9)):
        assert all(old is new for old, new in zip(one[name][:count], other[name], strict=False))
        assert one["tools"] is other["tools"]
    assert len(parsed) == 2
    assert max(parsed) < 500
    changed = read(known, body(9, max_tokens=5))
    assert changed[name][8] is fourth[name][8]
    assert changed["tools"] is fourth["tools"]
    assert read(known, body(11, max_tokens=5))[name][8] is fourth[name][8]


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_known_bodies_finds_where_a_conversation_was_changed(spell: Spell) -> None:
    known = KnownBodies()
    first = read(known, spell(turns(8)))["messages"]
    edited = turns(10)
    edited["messages"][6]["content"] = "something else"
    second = read(known, spell(edited))["messages"]
    assert [one is other for one, other in zip(first, second, strict=False)] == [True] * 6 + [False] * 2
    branched = turns(8)
    branched["messages"][1]["content"] = "another question"
    for body in (branched, edited, turns(12), branched, turns(3), turns(1), turns(2)):
        read(known, spell(body))
    assert read(known, spell(turns(12)))["messages"][0] is first[0]


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("said", [3, 4, 5, 6])
@pytest.mark.parametrize("field", [[], {}, 1, "x", [{"role": "user"}]], ids=repr)
def test_known_bodies_sees_a_field_between_the_conversation_and_what_stood_behind_it(spell: Spell, said: int, field: Any) -> None:
    known = KnownBodies()
    bodies = [turns(5), turns(said), turns(said)]
    tools = bodies[1].pop("tools")
    bodies[1].update(temperature=field, tools=tools)
    for body in (*bodies, bodies[1], bodies[0]):
        read(known, spell(body))
    longer = {**turns(7), "temperature": field, "tools": bodies[0]["tools"]}
    assert read(known, spell(longer))["messages"][0] is read(known, spell(bodies[0]))["messages"][0]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "input", "a", '"', "]}", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)
_message = st.dictionaries(st.sampled_from(["role", "content", "messages", "x"]), _json, max_size=3)


@given(
    conversation=st.lists(_message, min_size=4, max_size=7),
    later=st.lists(
        st.tuples(st.integers(0, 7), st.lists(_message | _json, max_size=3), st.sampled_from(["", "between", "behind"])),
        max_size=4,
    ),
    before=st.dictionaries(st.sampled_from(["model", "metadata", "input"]), _json, max_size=2),
    between=st.dictionaries(st.sampled_from(["n", "seed"]), _json, max_size=2),
    after=st.dictionaries(st.sampled_from(["stop", "user", "input"]), _json, max_size=2),
    spell=st.sampled_from([*SPELLINGS.values()]),
)
def test_known_bodies_reads_whatever_comes_as_without_memory(
    conversation: list[Body],
    later: list[tuple[int, list[Any], str]],
    before: Body,
    between: Body,
    after: Body,
    spell: Spell,
) -> None:
    known = KnownBodies()
    said: list[Any] = conversation
    for keep, more, where in [(len(said), [], ""), *later]:
        said = [*said[:keep], *more]
        body = {"pad": LONG, **before, "messages": said, **(between if where == "between" else {}), **after}
        if where == "behind":
            body["changed"] = True
        text = spell(body)
        assert _plain(known.parse(text)) == _plain(parse_body(text))


def _plain(value: Body) -> str:
    # Numbers beyond 64 bits are kept as they were written.
    return json.dumps(
        value, default=lambda fragment: bytes(fragment.contents).decode() if hasattr(fragment, "contents") else "long"
    )


_ONE = '{"role":"user","content":"x"}'
_FOUR = ",".join([_ONE] * 4)
_PAD = f'"pad":"{LONG}"'


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f'{{{_PAD},"messages":[{_FOUR}]}}', f'{{{_PAD},"messages":[{_FOUR},{_ONE}],"messages":[]}}'),
        (f'{{{_PAD},"messages":[{_FOUR}],"messages":[{_FOUR}]}}', f'{{{_PAD},"messages":[{_FOUR},{_ONE}],"messages":[{_FOUR}]}}'),
        (
            f'{{{_PAD},"messages":[{_FOUR}],"m\\u0065ssages":[{_FOUR}]}}',
            f'{{{_PAD},"messages":[{_FOUR},{_ONE}],"m\\u0065ssages":[{_FOUR}]}}',
        ),
        (f'{{{_PAD},"messages":[],"messages":[{_FOUR}]}}', f'{{{_PAD},"messages":[{_ONE}],"messages":[{_FOUR},{_ONE}]}}'),
        (
            f'{{{_PAD},"metadata":{{"messages":[{_FOUR}]}},"messages":[{_FOUR}]}}',
            f'{{{_PAD},"metadata":{{"messages":[{_FOUR},{_ONE}]}},"messages":[{_FOUR}]}}',
        ),
        (f'{{{_PAD},"messages":[{_FOUR}]}}', f'{{{_PAD},"messages":[{_FOUR},"\\u0000"]}}'),
        (f'{{{_PAD},"messages":[{_FOUR}]}}', f'{{{_PAD},"messages":[{_FOUR}],"messages":["\\u0000"]}}'),
        (f'{{{_PAD},"messages":[{_FOUR}]}}', f'{{{_PAD},"messages":[{_FOUR}],"messages":7}}'),
    ],
)
def test_known_bodies_is_not_misled_by_names_that_come_twice(first: str, second: str) -> None:
    known = KnownBodies()
    for text in (first, second, first, second):
        assert known.parse(text.encode()) == parse_body(text.encode())


@pytest.mark.parametrize(
    "rest",
    [
        f",{_ONE}]",  # no end
        f",{_ONE}}}",
        f"{_ONE}]}}",  # no comma
        ",]}",
        "]}}",
        ']}, "more": 1}',
        f"],{_PAD}",
        ',"line\nbreak"]}',
        ',{"a":' + "[" * 2000 + "]" * 2000 + "}]}",
    ],
)
def test_known_bodies_refuses_what_is_refused_without_memory(rest: str) -> None:
    known = KnownBodies()
    begins = f'{{{_PAD},"messages":[{_FOUR}'
    known.parse(f"{begins}]}}".encode())
    with pytest.raises(InvalidRequestError) as expected:
        parse_body(f"{begins}{rest}".encode())
    with pytest.raises(InvalidRequestError) as found:
        known.parse(f"{begins}{rest}".encode())
    assert str(found.value) == str(expected.value)


def test_known_bodies_keeps_the_lists_it_gave_out() -> None:
    known = KnownBodies()
    text = SPELLINGS["compact"](turns(5))
    first = known.parse(text)
    first["model"] = "another"
    assert known.parse(text)["model"] == "m"


def test_known_bodies_is_bounded() -> None:
    known = KnownBodies(40_000)
    for number in range(30):
        body = turns(5, first=number)
        body["messages"][0]["content"] = f"{number}"
        known.parse(SPELLINGS["compact"](body))
        assert known.bytes <= 40_000
    assert known.bytes == sum(one.size for alike in known._known.values() for one in alike) > 0
    known.parse(SPELLINGS["compact"](turns(5, more=LONG)))
    assert known.bytes <= 40_000
    assert all(known._known.values())


def test_known_bodies_has_the_tools_of_earlier_bodies() -> None:
    known = KnownBodies()
    one = known.parse(SPELLINGS["compact"](turns(1)))
    other = known.parse(SPELLINGS["python"](turns(2, user="other")))
    assert one["tools"] is other["tools"]
