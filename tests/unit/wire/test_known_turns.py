"""What is remembered of conversations: only what is the same, within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.wire.known_turns import KnownTurns

Messages = list[dict[str, Any]]


def conversation(turns: int, said: str = "words", first: str = "Begin") -> Messages:
    return [{"role": "user", "content": first if number == 0 else f"{said} {number}"} for number in range(turns)]


def read(messages: Messages) -> tuple[object, ...]:
    return tuple(object() for _ in messages)


def test_known_turns_gives_back_what_the_same_messages_were_read_to() -> None:
    known = KnownTurns[object]()
    messages = conversation(5)
    made = read(messages)
    known.keep(messages, made, len(known.recall(messages)))
    again = known.recall(conversation(7))
    assert len(again) == 5
    assert all(one is other for one, other in zip(again, made, strict=True))


def test_known_turns_ends_where_a_message_was_changed() -> None:
    known = KnownTurns[object]()
    known.keep(conversation(6), read(conversation(6)), len(known.recall(conversation(6))))
    edited = conversation(6)
    edited[3]["content"] = "something else"
    assert len(known.recall(edited)) == 3
    assert len(known.recall(conversation(3))) == 3
    assert not known.recall(conversation(6, first="Another"))


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0, False), (1.0, True), ({"deep": [0]}, {"deep": [False]}), ([1], [1.0])]
)
def test_known_turns_tells_what_is_equal_from_what_is_the_same(one: object, other: object) -> None:
    known = KnownTurns[object]()
    messages = conversation(6)
    messages[4]["extra"] = one
    known.keep(messages, read(messages), len(known.recall(messages)))
    same, equal = conversation(6), conversation(6)
    same[4]["extra"], equal[4]["extra"] = one, other
    assert same == equal
    assert len(known.recall(same)) == 6
    assert len(known.recall(equal)) == 4


def test_known_turns_leaves_out_what_cannot_be_written() -> None:
    known = KnownTurns[object]()
    messages = conversation(6)
    messages[3]["extra"] = object()
    known.keep(messages, read(messages), len(known.recall(messages)))
    assert len(known.recall(messages)) == 3


def test_known_turns_goes_on_from_what_it_knows() -> None:
    known = KnownTurns[object]()
    made = read(conversation(4))
    known.keep(conversation(4), made, len(known.recall(conversation(4))))
    longer = conversation(6)
    known.keep(longer, (*known.recall(longer), *read(longer[4:])), len(known.recall(longer)))
    assert len(known.recall(conversation(9))) == 6
    assert known.recall(conversation(9))[0] is made[0]
    known.keep(conversation(3), read(conversation(3)), len(known.recall(conversation(3))))
    assert len(known.recall(conversation(9))) == 3


def test_known_turns_forgets_the_oldest_beyond_its_bytes() -> None:
    known = KnownTurns[object](most_bytes=4000)
    for number in range(40):
        messages = conversation(5, first=f"Conversation {number}")
        known.keep(messages, read(messages), len(known.recall(messages)))
        assert known.bytes <= 4000
    assert len(known.recall(conversation(5, first="Conversation 39"))) == 5
    assert not known.recall(conversation(5, first="Conversation 0"))


def test_known_turns_remembers_the_beginning_of_what_is_too_long() -> None:
    known = KnownTurns[object](most_bytes=4000)
    messages = conversation(4) + conversation(3, said="x" * 900)[1:]
    known.keep(messages, read(messages), len(known.recall(messages)))
    assert len(known.recall(messages)) == 4
    assert known.bytes <= 1000


def test_known_turns_of_nothing_but_one_long_message_are_none() -> None:
    known = KnownTurns[object](most_bytes=400)
    messages = conversation(2, first="x" * 900)
    known.keep(messages, read(messages), len(known.recall(messages)))
    assert not known.recall(messages)
    assert known.bytes == 0


def test_known_turns_tells_conversations_with_lists_of_parts_apart() -> None:
    known: KnownTurns[str] = KnownTurns()
    one = [{"role": "user", "content": [{"type": "text", "text": "one"}]}] * 3
    other = [{"role": "user", "content": [{"type": "text", "text": "other"}]}] * 3
    known.keep(one, "abc", len(known.recall(one)))
    known.keep(other, "xyz", len(known.recall(other)))
    assert known.recall([*one, *one]) == "abc"
    assert known.recall([*other, *one]) == "xyz"
