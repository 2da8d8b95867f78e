"""``@value``: frozen dataclasses whose objects are made in C, for a quarter of what they cost elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

__all__ = ["changed", "derive", "value"]

_V = TypeVar("_V")

derive: Callable[[object, str, Any], None] = msgspec.structs.force_setattr  # type: ignore[assignment] # mypy takes values for dataclasses
"""Sets a derived field (``init=False``) of a value, for its own class: before Python 3.12 ``object.__setattr__`` refuses."""

INSTEAD = "keep what you add beside it, by its name or in a class that holds one; dataclasses.replace makes a changed one"
"""What to do where one would inherit from a value."""

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen, slots):  # noqa: ARG001 - which a struct has anyway
        """A dataclass to whoever reads it (mypy takes this for ``dataclass`` itself), a struct of ``msgspec`` by its making.

        A small request makes some forty values and each streamed token two; calling a Python ``__init__`` was a tenth of all a request's
        instructions. Nor is anything compiled when a class is made: what ``dataclasses`` tells of one is found out when it is asked.

        :raises TypeError: it asks for what is not here: fields that are given by name only, or a class to inherit from
        """

        def made(cls):
            if cls.__bases__ != (object,):
                raise TypeError(f"{cls.__name__}: a value inherits from nothing")
            new = _struct(cls, frozen)
            new.__dataclass_fields__ = _Fields(cls)
            new.__dataclass_params__ = _NO_PARAMS
            new.__init_subclass__ = _inherits
            return new

        return made


def changed(old: _V, **fields: Any) -> _V:
    """The same value but for some fields: ``dataclasses.replace`` in a tenth of its time."""
    new: _V = msgspec.structs.replace(old, **fields)  # type: ignore[type-var] # what mypy takes for a dataclass
    return new


def _struct(cls: type[Any], frozen: bool) -> type[Any]:
    body = {name: told for name, told in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    given, derived, compared, compares_all = dict(body.get("__annotations__", ())), {}, [], True
    for name in list(given):
        told = body.get(name)
        if not isinstance(told, dataclasses.Field):
            compared.append(name)
            continue
        if told.kw_only is True:
            raise TypeError(f"{cls.__name__}.{name}: a value has no fields that are given by name only")
        if told.compare:
            compared.append(name)
        else:
            compares_all = False
        default = _default(name, body.pop(name))
        if told.init:
            body |= default
        else:
            derived[name] = given.pop(name), default or {name: None}
    body |= {"__annotations__": given, "__qualname__": cls.__qualname__}
    body.setdefault("__repr__", _repr)
    if not compares_all:
        _compare_by(compared, body)
    return msgspec.StructMeta(cls.__name__, (_base(cls, derived),), body, frozen=frozen, eq=compares_all)


def _default(name: str, field: dataclasses.Field[Any]) -> dict[str, Any]:
    if field.default is not dataclasses.MISSING:
        return {name: field.default}
    if field.default_factory is not dataclasses.MISSING:
        return {name: msgspec.field(default_factory=field.default_factory)}
    return {}


def _base(cls: type[Any], derived: dict[str, tuple[Any, dict[str, Any]]]) -> type[Any]:
    """What a class has its derived fields from (``init=False``), so that none of them is given by its place."""
    if not derived:
        return msgspec.Struct
    annotations = {name: kind for name, (kind, _) in derived.items()}
    body: dict[str, Any] = {"__module__": cls.__module__, "__annotations__": annotations}
    for _, default in derived.values():
        body |= default
    return msgspec.StructMeta(f"_{cls.__name__}", (msgspec.Struct,), body, kw_only=True)


def _compare_by(names: list[str], body: dict[str, Any]) -> None:
    """``__eq__`` and ``__hash__`` where some fields do not count."""
    # One name alone would be read bare, and not as the tuple that is compared.
    read = attrgetter(*names, names[0])

    def __eq__(self: object, other: object) -> Any:  # noqa: N807 - it is the method's name
        return read(self) == read(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(read(self))

    body["__eq__"], body["__hash__"] = __eq__, __hash__


class _Fields:
    """Stands for what ``dataclasses`` knows of a class until somebody asks."""

    def __init__(self, cls: type[Any]) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: type[Any]) -> dict[str, Any]:
        plain = dataclasses.dataclass(init=False, repr=False, eq=False)(self._cls)
        found: dict[str, Any] = vars(plain)["__dataclass_fields__"]
        owner.__dataclass_fields__ = found
        return found


class _NoParams:
    """Is asked for by ``dataclass`` where a class to be made inherits from a value, and by nobody else."""

    def __get__(self, instance: object, owner: type[Any]) -> None:
        raise AttributeError(f"a dataclass cannot inherit from {owner.__name__}, which is a value: {INSTEAD}")


_NO_PARAMS = _NoParams()


@classmethod  # type: ignore[misc] # which it is in the classes it is given to
def _inherits(cls: type[Any]) -> None:
    """Refuse fields that no tool would know of: ``replace`` and ``repr`` would lose them without a word. Methods may be added."""
    fields = [name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)]
    if fields:
        raise TypeError(
            f"{cls.__name__} cannot add {', '.join(fields)} to {cls.__mro__[1].__name__}, which is a value: {INSTEAD}"
        )


def _repr(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({shown})"
