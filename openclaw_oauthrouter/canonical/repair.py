"""Mends what no provider accepts in a conversation: calls without answers, answers without calls, ids used twice, empty texts.

Clients cut histories, switch models in the middle and lose tool results; a provider answers each of these with a 400 that the client's
user cannot do anything about. A conversation that needs nothing is returned as the same object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby

from openclaw_oauthrouter.canonical.content import Part, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.glance import CALL, TEXT
from openclaw_oauthrouter.canonical.request import Message, Note

NO_RESULT = "no result"
"""What a call is answered with when its own answer is lost."""

_Place = tuple[int, int]
_Call = tuple[str, ToolCallPart]


def repair(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Note, ...]]:
    """Mend a conversation.

    Afterwards every tool call is answered once, right after the assistant's turn and before anything else of the user's, in a message of
    the user; ids are unique; no text is empty. Messages that held nothing but empty text are gone, except a user's, which stay as empty turns.

    :return: the messages (the same object when nothing had to be mended) and what was done
    """
    whole = _whole_until(messages)
    if whole == len(messages):
        return messages, ()
    mending = _Mending(messages, used=messages[:whole])
    mended = (*messages[:whole], *mending.run(messages[whole:]))
    return (mended if mending.notes else messages), tuple(mending.notes)


def _whole_until(messages: tuple[Message, ...]) -> int:
    """Up to where a look at each part in turn shows that nothing has to be mended: all of nearly every conversation, else up to a turn of
    the assistant's before which every call has its answer.

    It may well be that nothing has to be mended of what comes after, too.
    """
    used: set[str] = set()
    awaited: set[str] = set()
    whole, before = 0, "assistant"
    for at, message in enumerate(messages):
        role = message.role
        if role == "assistant" and before != "assistant" and not awaited:
            whole = at
        before = role
        if awaited and not (role == "assistant" or (role == "user" and message.parts)):
            return whole
        if (awaited or (message.seen or message.glance).holds & ~TEXT) and not _is_in_order(message, used, awaited):
            return whole
    return whole if awaited else len(messages)


def _is_in_order(message: Message, used: set[str], awaited: set[str]) -> bool:
    by_assistant = message.role == "assistant"
    for part in message.parts:
        kind = type(part)
        if kind is ToolCallResponsePart:
            id_ = part.id  # type: ignore[union-attr] # as its kind says: isinstance() is a call, and histories are long
            if by_assistant or id_ not in awaited:
                return False
            awaited.remove(id_)
        elif awaited and not by_assistant:
            return False
        elif kind is ToolCallPart and by_assistant:
            id_ = part.id  # type: ignore[union-attr]
            if id_ in used:
                return False
            used.add(id_)
            awaited.add(id_)
        elif kind is TextPart and not part.text:  # type: ignore[union-attr]
            return False
    return True


class _Mending:
    """One pass over a conversation: turns of the assistant alternate with what answers them."""

    def __init__(self, messages: Iterable[Message], used: Iterable[Message]) -> None:
        """
        :param used: those before where it begins
        """
        self.notes: list[Note] = []
        self._known = _call_ids(messages)
        self._used = _call_ids(message for message in used if message.role == "assistant")

    def run(self, messages: Iterable[Message]) -> Iterator[Message]:
        calls: list[_Call] = []
        for is_assistant, turn in groupby(self._without_empty_texts(messages), key=lambda message: message.role == "assistant"):
            if is_assistant:
                calls = []
                for message in turn:
                    yield self._take_calls(message, calls)
            else:
                yield from self._settle(tuple(turn), calls)
                calls = []
        yield from self._settle((), calls)

    def _without_empty_texts(self, messages: Iterable[Message]) -> Iterator[Message]:
        for message in messages:
            parts = tuple(part for part in message.parts if not isinstance(part, TextPart) or part.text)
            if len(parts) == len(message.parts):
                yield message
                continue
            self._note("text", "a text without words is refused")
            if parts or message.role == "user":
                yield replace(message, parts=parts)

    def _take_calls(self, message: Message, calls: list[_Call]) -> Message:
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                unique = self._unique(part)
                calls.append((part.id, unique))
                parts.append(unique)
            elif isinstance(part, ToolCallResponsePart):
                self._note(f"tool result {part.id!r}", "only a user message can hold one; its content is kept as words")
                parts.extend(_as_user_words(part))
            else:
                parts.append(part)
        return _with_parts(message, parts)

    def _unique(self, call: ToolCallPart) -> ToolCallPart:
        new = call.id
        if new in self._used:
            new = next(name for number in count(2) if (name := f"{call.id}_{number}") not in self._known)
            self._known.add(new)
            self._note(f"tool call {call.id!r}", "the id was used before in this conversation")
        self._used.add(new)
        return call if new == call.id else replace(call, id=new)

    def _settle(self, turn: Sequence[Message], calls: Sequence[_Call]) -> Iterator[Message]:
        """Match what follows an assistant's turn with the calls in it."""
        claimed, answers = self._match(turn, calls)
        in_place = len(claimed) == len(calls) and _lead(turn, claimed)
        if not in_place:
            if len(claimed) == len(calls):
                self._note("tool result", "results come right after their calls, before anything else")
            yield Message("user", tuple(answers))
        for row, message in enumerate(turn):
            parts = list(self._rest(row, message, claimed, in_place))
            if parts or not message.parts:
                yield _with_parts(message, parts)

    def _match(
        self, turn: Sequence[Message], calls: Sequence[_Call]
    ) -> tuple[dict[_Place, ToolCallResponsePart], list[ToolCallResponsePart]]:
        """Which answer, by its place, belongs to which call; and one answer for every call."""
        places = [
            ((row, column), part)
            for row, message in enumerate(turn)
            for column, part in enumerate(message.parts)
            if isinstance(part, ToolCallResponsePart)
        ]
        claimed: dict[_Place, ToolCallResponsePart] = {}
        answers: list[ToolCallResponsePart] = []
        for original, call in calls:
            found = next(((at, part) for at, part in places if part.id == original and at not in claimed), None)
            if found is None:
                self._note(f"tool call {original!r}", "it has no result, and every call needs one")
                answers.append(ToolCallResponsePart(call.id, (TextPart(NO_RESULT),), is_error=True, custom=call.custom))
                continue
            at, part = found
            claimed[at] = part if part.id == call.id else replace(part, id=call.id)
            answers.append(claimed[at])
        return claimed, answers

    def _rest(self, row: int, message: Message, claimed: dict[_Place, ToolCallResponsePart], in_place: bool) -> Iterator[Part]:
        for column, part in enumerate(message.parts):
            if not isinstance(part, ToolCallResponsePart):
                yield part
            elif (row, column) in claimed:
                if in_place:
                    yield claimed[row, column]
            else:
                self._note(
                    f"tool result {part.id!r}", "no call right before it has this id; its content is kept as the user's words"
                )
                yield from _as_user_words(part)

    def _note(self, subject: str, reason: str) -> None:
        self.notes.append(Note("repaired", subject, reason))


def _call_ids(messages: Iterable[Message]) -> set[str]:
    calling = [message for message in messages if (message.seen or message.glance).holds & CALL]
    return {part.id for message in calling for part in message.parts if isinstance(part, ToolCallPart)}


def _lead(turn: Sequence[Message], claimed: dict[_Place, ToolCallResponsePart]) -> bool:
    """Whether the claimed answers stand before everything else, and in messages of the user."""
    if any(turn[row].role != "user" for row, _ in claimed):
        return False
    order = [(row, column) in claimed for row, message in enumerate(turn) for column in range(max(1, len(message.parts)))]
    return all(order[: len(claimed)])


def _as_user_words(part: ToolCallResponsePart) -> Iterator[Part]:
    yield TextPart(f"[result of tool call {part.id}]")
    yield from (item for item in part.content if not isinstance(item, TextPart) or item.text)


def _with_parts(message: Message, parts: Sequence[Part]) -> Message:
    return message if tuple(parts) == message.parts else replace(message, parts=tuple(parts))
