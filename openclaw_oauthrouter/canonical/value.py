"""``@value``: frozen dataclasses whose objects cost a third, and whose classes cost a start a tenth of what they cost elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["changed", "value"]

_V = TypeVar("_V")

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen, slots):
        """A dataclass that compares and hashes as a frozen one does.

        That nothing assigns to it is for the type checker to see, to whom this is ``dataclass`` itself: refusing it at runtime would
        have every field of every new object set through ``object.__setattr__``, for each token and each part of a conversation.

        ``dataclasses`` compiles six methods for each class, which was a sixth of the gateway's whole start. Here printing and comparing
        are written once for all classes, and ``__init__`` is compiled when the first object is made.

        :raises TypeError: it asks for what is not here: fields that are given by name only
        """

        def made(cls):
            own = vars(cls)
            new = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            fields = dataclasses.fields(new)
            if any(field.kw_only for field in fields):
                raise TypeError(f"{cls.__name__}: a value has no fields that are given by name only")
            if "__init__" not in own:
                new.__init__ = _first_init(new)
            if "__repr__" not in own:
                new.__repr__ = _repr
            if "__eq__" not in own:
                new.__eq__, hashed = _comparing([field.name for field in fields if field.compare])
                if "__hash__" not in own:
                    new.__hash__ = hashed if frozen else None
            return new

        return made


def changed(old: _V, **fields: Any) -> _V:
    """The same value but for some fields: ``dataclasses.replace`` in a third of its time, for values without ``__post_init__``."""
    cls = type(old)
    new = object.__new__(cls)
    for name in cls.__slots__:  # type: ignore[attr-defined]
        object.__setattr__(new, name, fields[name] if name in fields else getattr(old, name))
    return new


def _first_init(cls: type[Any]) -> Callable[..., None]:
    """Stands for ``__init__`` until the first object is made."""

    def first(self: object, *arguments: object, **named: object) -> None:
        init = _compiled_init(cls)
        cls.__init__ = init
        init(self, *arguments, **named)

    first.__name__ = "__init__"
    return first


def _compiled_init(cls: type[Any]) -> Callable[..., None]:
    """As ``dataclasses`` writes it: arguments in the order of the fields, defaults, factories, ``__post_init__``."""
    known: dict[str, Any] = {"__absent": _Absent}
    arguments, lines = ["self"], []
    for at, field in enumerate(dataclasses.fields(cls)):
        known[f"__default{at}"], known[f"__make{at}"] = field.default, field.default_factory
        is_made = field.default_factory is not dataclasses.MISSING
        has_default = field.default is not dataclasses.MISSING
        if field.init:
            arguments.append(field.name + (f"=__default{at}" if has_default else "=__absent" if is_made else ""))
            given = f"__make{at}() if {field.name} is __absent else {field.name}" if is_made else field.name
        elif is_made or has_default:
            given = f"__make{at}()" if is_made else f"__default{at}"
        else:
            continue
        lines.append(f"self.{field.name} = {given}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "\n ".join(lines or ["pass"])
    # Only names of fields, which Python has taken for names already, come into the text.
    exec(compile(f"def __init__({', '.join(arguments)}):\n {body}", f"<value {cls.__qualname__}>", "exec"), known)  # noqa: S102
    init: Callable[..., None] = known["__init__"]
    return init


class _Absent:
    """Default of an argument whose field has a factory."""


def _comparing(names: Sequence[str]) -> tuple[Callable[[object, object], Any], Callable[[object], int]]:
    """``__eq__`` and ``__hash__`` by these fields."""
    # One name alone would be read bare, and not as the tuple that ``dataclasses`` compares.
    read: Callable[[object], Any] = (
        attrgetter(*names) if len(names) > 1 else attrgetter(names[0], names[0]) if names else _nothing
    )

    def __eq__(self: object, other: object) -> Any:  # noqa: N807 - it is the method's name
        return read(self) == read(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(read(self))

    return __eq__, __hash__


def _nothing(_value: object) -> tuple[()]:
    return ()


def _repr(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({shown})"
