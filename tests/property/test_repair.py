"""Whatever a client makes of a conversation, ``repair`` makes one that every provider accepts."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import BlobPart, Part, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.repair import NO_RESULT, _Mending, repair
from openclaw_oauthrouter.canonical.request import Message

ids = st.sampled_from(["a", "b", "c", "a_2"])
texts = st.builds(TextPart, st.sampled_from(["", "x", "y"]))
calls = st.builds(ToolCallPart, ids, st.just("f"), st.just("{}"))
results = st.builds(ToolCallResponsePart, ids, st.lists(texts, max_size=2).map(tuple))
messages = st.one_of(
    st.builds(Message, st.just("system"), st.lists(texts | results, max_size=2).map(tuple)),
    st.builds(Message, st.just("user"), st.lists(texts | results, max_size=4).map(tuple)),
    st.builds(Message, st.just("assistant"), st.lists(texts | calls | results, max_size=4).map(tuple)),
)
conversations = st.lists(messages, max_size=8).map(tuple)


def of(parts: tuple[Part, ...], kind: type) -> list[Part]:
    return [part for part in parts if isinstance(part, kind)]


def turns(conversation: tuple[Message, ...]) -> list[tuple[bool, tuple[Part, ...]]]:
    """The assistant's turns and what lies between them, as parts."""
    return [
        (is_assistant, tuple(part for message in turn for part in message.parts))
        for is_assistant, turn in groupby(conversation, key=lambda message: message.role == "assistant")
    ]


@given(conversations)
def test_repair_every_call_is_answered_once_right_after_its_turn(conversation: tuple[Message, ...]) -> None:
    mended, _ = repair(conversation)
    open_calls: list[str] = []
    for is_assistant, parts in [*turns(mended), (False, ())]:
        called = [part.id for part in of(parts, ToolCallPart)]  # type: ignore[attr-defined]
        answered = [part.id for part in of(parts[: len(open_calls)], ToolCallResponsePart)]  # type: ignore[attr-defined]
        assert sorted(answered) == sorted(open_calls)
        assert len(of(parts, ToolCallResponsePart)) == len(open_calls)
        open_calls = called if is_assistant else []


@given(conversations)
def test_repair_only_a_user_message_answers_calls(conversation: tuple[Message, ...]) -> None:
    mended, _ = repair(conversation)
    assert not [message for message in mended if message.role != "user" and of(message.parts, ToolCallResponsePart)]


@given(conversations)
def test_ids_are_unique_and_no_text_is_empty(conversation: tuple[Message, ...]) -> None:
    mended, _ = repair(conversation)
    parts = [part for message in mended for part in message.parts]
    called = [part.id for part in parts if isinstance(part, ToolCallPart)]
    assert len(set(called)) == len(called)
    assert all(part.text for part in parts if isinstance(part, TextPart))


@given(conversations)
def test_repair_mended_conversation_is_clean_and_a_clean_one_is_the_same_object(conversation: tuple[Message, ...]) -> None:
    mended, notes = repair(conversation)
    assert (mended is conversation) == (not notes)
    again, none = repair(mended)
    assert again is mended
    assert none == ()


@given(conversations)
def test_repair_no_words_are_lost(conversation: tuple[Message, ...]) -> None:
    def words(found: tuple[Message, ...]) -> list[str]:
        inner = [
            item
            for message in found
            for part in message.parts
            for item in (part.content if isinstance(part, ToolCallResponsePart) else (part,))
        ]
        return sorted(item.text for item in inner if isinstance(item, TextPart) and item.text in ("x", "y"))

    assert words(repair(conversation)[0]) == words(conversation)


HI = Message("user", (TextPart("hi"),))
CALL = Message("assistant", (ToolCallPart("a", "f", "{}"),))
RESULT = Message("user", (ToolCallResponsePart("a", (TextPart("r"),)),))


@pytest.mark.parametrize(
    "conversation",
    [
        (HI,),
        (HI, CALL, RESULT, HI),
        (HI, CALL, Message("user", (*RESULT.parts, TextPart("and")))),
        (Message("user", ()), Message("assistant", ())),
    ],
)
def test_clean_conversations(conversation: tuple[Message, ...]) -> None:
    assert repair(conversation)[0] is conversation


def test_repair_lost_result() -> None:
    mended, notes = repair((HI, CALL, HI))
    assert mended == (HI, CALL, Message("user", (ToolCallResponsePart("a", (TextPart(NO_RESULT),), is_error=True),)), HI)
    assert [str(note) for note in notes] == ["repaired tool call 'a': it has no result, and every call needs one"]


def test_repair_lost_call() -> None:
    image = BlobPart("image", "image/png", "aGk=")
    mended, notes = repair((HI, Message("user", (ToolCallResponsePart("a", (TextPart("r"), image)),))))
    assert mended == (HI, Message("user", (TextPart("[result of tool call a]"), TextPart("r"), image)))
    assert notes[0].action == "repaired"


def test_results_that_come_late_move_up() -> None:
    mended, _ = repair((HI, CALL, HI, RESULT))
    assert mended == (HI, CALL, RESULT, HI)


def test_repair_id_used_twice_is_told_apart_in_calls_and_results() -> None:
    mended, _ = repair((HI, CALL, RESULT, CALL, RESULT))
    assert [part.id for message in mended[1:] for part in message.parts] == ["a", "a", "a_2", "a_2"]  # type: ignore[union-attr]


@given(conversations, conversations)
def test_repair_of_what_follows_a_whole_beginning_is_that_of_all(
    beginning: tuple[Message, ...], rest: tuple[Message, ...]
) -> None:
    conversation = (*repair(beginning)[0], *rest)
    all_of_it = _Mending(conversation, used=())
    expected = tuple(all_of_it.run(conversation))
    assert repair(conversation) == (expected if all_of_it.notes else conversation, tuple(all_of_it.notes))
