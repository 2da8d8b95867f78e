"""Reads somebody else's JSON, for all dialects: the right type comes out, or a 400 that names the field.

Hand-written rather than a pydantic model: a 100 kB history is walked once, unknown fields are nobody's business here, and where a
field stands is only put into words when something is wrong with it. What counts as what, in every dialect:

* a field that is absent and one that is ``null`` are the same;
* a *number* is a JSON number, never ``true`` and never ``"3"``;
* an *integer* is a number without a fraction, so ``1.0`` is one; it must be one that every JSON reader gets back unchanged
  (at most 2**53 - 1 either way), so ``1e300`` is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NoReturn, TypeVar

from openclaw_oauthrouter.canonical.json import MAX_INTEGER, FrozenObject
from openclaw_oauthrouter.errors import InvalidRequestError

_T = TypeVar("_T")

PathStyle = Literal["brackets", "dots"]
"""How a vendor names an entry of a list: OpenAI's ``messages[0].content``, Anthropic's and Google's ``messages.0.content``."""

_NAMES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class JsonFields:
    """One JSON object of a client's, and where it stands in the body.

    :param holder: the object
    :param style: how its vendor names an entry of a list
    :ivar holder: the object itself, for fields that are passed on unread
    """

    __slots__ = ("_parent", "_step", "holder", "style")

    def __init__(
        self,
        holder: FrozenObject,
        style: PathStyle = "brackets",
        parent: JsonFields | None = None,
        step: str | tuple[str, int] = "",
    ) -> None:
        self.holder = holder
        self.style = style
        self._parent = parent
        self._step = step

    def __contains__(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self.holder.get(key) is not None

    def get(self, key: str) -> Any:
        """The field as it is."""
        return self.holder.get(key)

    def at(self, key: str | tuple[str, int] = "") -> str:
        """Where a field of this object stands, in the vendor's style.

        :param key: the field, or an entry of a list as ``(field, position)``; ``""`` for the object itself
        """
        above = self._parent.at(self._step) if self._parent is not None else ""
        if not key:
            return above
        name = key if isinstance(key, str) else f"{key[0]}[{key[1]}]" if self.style == "brackets" else f"{key[0]}.{key[1]}"
        return f"{above}.{name}" if above else name

    def refuse(self, key: str | tuple[str, int], problem: str) -> NoReturn:
        """Turn the request down because of a field.

        :raises InvalidRequestError: always
        """
        raise self._refusal(key, problem)

    # ------------------------------------------------------------------ words and numbers

    def string(self, key: str) -> str:
        """A string that must be there; it may be empty."""
        value = self.holder.get(key)
        return value if type(value) is str else self._required(key, self.optional_string(key))

    def name(self, key: str) -> str:
        """A string that must be there and hold something."""
        value = self.holder.get(key)
        found = value if type(value) is str else self.string(key)
        if not found:
            self.refuse(key, "expected a string that is not empty")
        return found

    def optional_string(self, key: str) -> str | None:
        """A string, or nothing."""
        value = self.holder.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(key, "a string", value)

    def optional_boolean(self, key: str) -> bool | None:
        """A boolean, or nothing."""
        value = self.holder.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(key, "a boolean", value)

    def optional_number(self, key: str) -> float | None:
        """A number, or nothing."""
        value = self.holder.get(key)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return value
        raise self._wrong(key, "a number", value)

    def optional_integer(self, key: str, least: int = 1) -> int | None:
        """An integer from ``least`` up, or nothing."""
        value = self.optional_number(key)
        if value is None:
            return None
        if not least <= value <= MAX_INTEGER or value != int(value):
            self.refuse(key, f"expected an integer from {least} to {MAX_INTEGER}")
        return int(value)

    def integer(self, key: str, least: int = 1) -> int:
        """An integer from ``least`` up that must be there."""
        return self._required(key, self.optional_integer(key, least))

    # ------------------------------------------------------------------ objects and lists

    def optional_mapping(self, key: str) -> FrozenObject | None:
        """An object to be passed on as it is, or nothing."""
        value = self.holder.get(key)
        if value is None or type(value) is dict or isinstance(value, Mapping):
            return value
        raise self._wrong(key, "an object", value)

    def mapping(self, key: str) -> FrozenObject:
        """An object to be passed on as it is, that must be there."""
        return self._required(key, self.optional_mapping(key))

    def optional_nested(self, key: str) -> JsonFields | None:
        """An object to be read further, or nothing."""
        value = self.optional_mapping(key)
        return None if value is None else JsonFields(value, self.style, self, key)

    def nested(self, key: str) -> JsonFields:
        """An object to be read further, that must be there."""
        return self._required(key, self.optional_nested(key))

    def objects(self, key: str, begin: int = 0) -> Iterator[JsonFields]:
        """The objects of a list; none when the field is absent.

        :param begin: position of the first that is wanted
        """
        return self._objects(key, self.optional_list(key) or (), begin)

    def optional_list(self, key: str) -> list[Any] | None:
        """A list of anything, or nothing."""
        value = self.holder.get(key)
        if value is None or isinstance(value, list):
            return value
        raise self._wrong(key, "a list", value)

    def strings(self, key: str) -> tuple[str, ...]:
        """The strings of a list; none when the field is absent."""
        entries = self.optional_list(key) or ()
        for position, entry in enumerate(entries):
            if not isinstance(entry, str):
                raise self._wrong((key, position), "a string", entry)
        return tuple(entries)

    def string_or_objects(self, key: str) -> str | Iterator[JsonFields] | None:
        """What every dialect calls content: a string, the objects of a list, or nothing."""
        value = self.holder.get(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, list):
            return self._objects(key, value)
        raise self._wrong(key, "a string or a list of objects", value)

    def choice(self, key: str, table: Mapping[str, _T]) -> _T:
        """The row of a table that a word of the client's selects."""
        value = self.holder.get(key)
        word = value if type(value) is str else self.string(key)
        if word not in table:
            self.refuse(key, f"{word[:64]!r} is not one of {', '.join(table)}")
        return table[word]

    def _objects(self, key: str, entries: Any, begin: int = 0) -> Iterator[JsonFields]:
        style = self.style
        for position, entry in enumerate(entries[begin:] if begin else entries, begin):
            # A plain dictionary is what JSON is read to; asking an abstract class costs ten times as much.
            if type(entry) is not dict and not isinstance(entry, Mapping):
                raise self._wrong((key, position), "an object", entry)
            yield JsonFields(entry, style, self, (key, position))

    def _required(self, key: str, found: _T | None) -> _T:
        if found is None:
            self.refuse(key, "it is required")
        return found

    def _refusal(self, key: str | tuple[str, int], problem: str) -> InvalidRequestError:
        param = self.at(key)
        return InvalidRequestError(f"{param}: {problem}" if param else problem, param=param or None)

    def _wrong(self, key: str | tuple[str, int], wanted: str, value: object) -> InvalidRequestError:
        return self._refusal(key, f"expected {wanted}, not {_NAMES.get(type(value), type(value).__name__)}")
