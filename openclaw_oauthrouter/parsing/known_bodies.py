"""Bodies that go on from earlier ones are read only where they are new: an agent sends its whole conversation with every turn.

What is remembered of a conversation is its text: all before the first message, each message, and all behind the last one. Where a body
begins with the same bytes, these messages are the same objects as before, and the parser sees only what follows them. JSON's grammar
makes that safe: whatever stands where a message may begin, and reads as a whole object, is that message.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.spelled import Spelled
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.wire.known_turns import is_conversation
from openclaw_oauthrouter.wire.repeated import Repeated

LEAST_BYTES = 4096
"""Below, parsing costs less than looking."""

MOST_BYTES = 1 << 21
"""Of all conversations that are remembered, as they came; a conversation of more than a quarter of it is not."""

_BEGINNING = 128
"""Bytes by whose equality conversations are looked for: an agent's differ later, behind its instructions."""

_MOST_ALIKE = 16
"""Conversations with one beginning."""

_REWRITTEN = 6
"""Messages at the end that a client may write anew with the next turn, as marks for caches move on."""

_NAMES = ("messages", "input")
"""What the list of messages is called, in one dialect or another."""

_BEGINS = {name: lazily(rb'"%b"\s*:\s*\[\s*' % name.encode()) for name in _NAMES}
_BETWEEN = lazily(rb"\s*,\s*")
_MARK = b'"\\u0000"'
"""Stands for the messages that are known; there is no other way to spell it."""

_scan = json.JSONDecoder().raw_decode


class _Known:
    """A conversation as its last request told it.

    :ivar text: the body up to the end of the last message
    :ivar begin: where the first message begins in it
    :ivar ends: where each message ends
    :ivar after: the body behind the last message
    :ivar body: what all of it was parsed to; ``name`` is that of its list of messages
    """

    __slots__ = ("after", "begin", "body", "ends", "name", "text")

    def __init__(self, name: str, text: bytes, begin: int, ends: list[int], after: bytes, body: JsonObject) -> None:
        self.name = name
        self.text = text
        self.begin = begin
        self.ends = ends
        self.after = after
        self.body = body

    @property
    def size(self) -> int:
        """Bytes of it."""
        return len(self.text) + len(self.after)

    def common(self, body: bytes) -> int:
        """With how many of its messages a body begins."""
        if body.startswith(self.text):
            return len(self.ends)
        # The first text of them that differs: where one does, all longer ones do.
        return bisect(self.ends, 0, key=lambda end: not body.startswith(self.text[:end]))


class KnownBodies:
    """Parses bodies. Nobody may change what the lists within one hold.

    :ivar bytes: what is remembered
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._known: OrderedDict[bytes, list[_Known]] = OrderedDict()
        self._repeated = Repeated()
        self._most_bytes = most_bytes
        self.bytes = 0

    def parse(self, body: bytes) -> JsonObject:
        """A request's body as a JSON object.

        :raises InvalidRequestError: it is something else
        """
        if len(body) < LEAST_BYTES:
            return self.with_known_tools(parse_body(body))
        key = body[:_BEGINNING]
        known, count = None, 0
        for one in self._known.get(key, ()):
            found = one.common(body)
            if found > count:
                known, count = one, found
        if known is None:
            value = self.with_known_tools(parse_body(body))
            return self._keep(key, value, _taken_apart(body, value))
        self._known.move_to_end(key)
        if count == len(known.ends) and len(body) == known.size and body.endswith(known.after):
            return {**known.body, known.name: known.body[known.name].copy()}
        return self._continued(key, body, known, count)

    def with_known_tools(self, value: JsonObject) -> JsonObject:
        """The same, with the tools of an earlier body where they are equal."""
        tools = value.get("tools")
        if isinstance(tools, list) and tools:
            value["tools"] = self._repeated.same(tools)
        return value

    def _continued(self, key: bytes, body: bytes, known: _Known, count: int) -> JsonObject:
        """A body whose first messages are known.

        :param count: how many
        """
        name, at = known.name, known.ends[count - 1]
        end = len(body) - len(known.after)
        more = None
        if at <= end and body.endswith(known.after):
            more = _parsed_behind(b'{"%b":[' % name.encode(), body[at:end] + b"]}")
        # More than the list is another field between the conversation and what stood behind it: alike, and not the same.
        alike = more is not None and len(more) == 1
        value = more if more is not None and alike else _parsed_behind(body[: known.begin], body[at:])
        new = value.get(name) if value is not None else None
        if value is None or not isinstance(new, list) or new[:1] != ["\0"]:
            return self.with_known_tools(parse_body(body))  # which says what is wrong with it, if anything is
        new[:1] = known.body[name][:count]
        value = {**known.body, name: new} if alike else self.with_known_tools(value)
        state = _remembered(name, body, known.begin, known.ends[:count], value, checked=alike)
        return self._keep(key, value, state, known if len(known.ends) - count <= _REWRITTEN else None)

    def _keep(self, key: bytes, value: JsonObject, state: _Known | None, instead_of: _Known | None = None) -> JsonObject:
        """Remember a body; returns it, with its messages spelled as they came."""
        if state is None or state.size * 4 > self._most_bytes:
            return value
        alike = self._known.setdefault(key, [])
        if instead_of is not None:
            alike.remove(instead_of)
            self.bytes -= instead_of.size
        alike.append(state)
        self.bytes += state.size
        if len(alike) > _MOST_ALIKE:
            self.bytes -= alike.pop(0).size
        while self.bytes > self._most_bytes:
            oldest = next(iter(self._known))
            self.bytes -= self._known[oldest].pop(0).size
            if not self._known[oldest]:
                del self._known[oldest]
        return {**value, state.name: state.body[state.name].copy()}


def _parsed_behind(before: bytes, rest: bytes) -> JsonObject | None:
    """A body with a mark in place of the messages that are known; ``None`` where it cannot be read so."""
    if rest.find(_MARK) >= 0:
        return None  # a word of the client's cannot be told from the mark
    try:
        return parse_body(b"%b%b%b" % (before, _MARK, rest))
    except InvalidRequestError:
        return None


def _taken_apart(body: bytes, value: JsonObject) -> _Known | None:
    """What to remember of a body that was parsed as a whole; ``None`` where it is no conversation."""
    name = next((name for name in _NAMES if is_conversation(value.get(name))), None)
    begins = _BEGINS[name].search(body) if name else None
    if name is None or begins is None:
        return None
    before = body[: begins.end()]
    opened = _loaded(before + b"]}")
    if opened is None or [*opened.items()][-1] != (name, []):
        return None  # it is another list of this name, deeper within
    return _remembered(name, body, len(before), [], value)


def _remembered(
    name: str, body: bytes, begin: int, ends: list[int], value: JsonObject, *, checked: bool = False
) -> _Known | None:
    """What to remember of a body.

    :param begin: where its first message begins
    :param ends: of those that are known, the first ones
    :param checked: what stands behind the messages has been remembered before
    """
    messages = value[name]
    ends = [*ends, *_ends_of(messages[len(ends) :], body, ends[-1] if ends else begin, first=not ends)]
    if len(ends) < len(messages):
        return None
    after = body[ends[-1] :]
    if not checked:
        rest = _loaded(b'{"":[' + after)
        if rest is None or name in rest:
            return None
    text = body[: ends[-1]]
    return _Known(name, text, begin, ends, after, {**value, name: Spelled(messages, text, begin, len(text))})


def _ends_of(messages: Sequence[Any], body: bytes, at: int, *, first: bool) -> Iterator[int]:
    """Where messages end that stand one behind the other, as many as can be told apart."""
    for message in messages:
        between = None if first else _BETWEEN.match(body, at)
        if type(message) is not dict or (between is None and not first):
            return  # a number's text may begin with that of another
        at = at if between is None else between.end()
        usual = orjson.dumps(message)
        try:
            at += len(usual) if body.startswith(usual, at) else _length(body[at : at + 8 * len(usual) + 256])
        except (ValueError, RecursionError):
            return
        yield at
        first = False


def _length(text: bytes) -> int:
    """Bytes of the value that a text begins with, spelled in whichever way.

    :raises ValueError: it does not end there
    """
    read = text.decode(errors="ignore")  # the text may end within a character
    return len(read[: _scan(read)[1]].encode())


def _loaded(text: bytes) -> JsonObject | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
