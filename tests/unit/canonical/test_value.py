"""``@value`` is a frozen dataclass to whoever uses it: the same arguments, comparison, hash, words and tools."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_type_hints

import msgspec
import pytest

from openclaw_oauthrouter.canonical.content import Part
from openclaw_oauthrouter.canonical.glance import Glance
from openclaw_oauthrouter.canonical.request import Message, Role
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.value import changed, derive, value


def _body(name: str, setting: Any) -> dict[str, Any]:
    def post(self: Any) -> None:
        setting(self, "derived", f"{self.number}!")

    return {
        "__qualname__": name,
        "__module__": __name__,
        "__doc__": "One.",
        "__annotations__": {
            "number": int,
            "secret": str,
            "many": list[int],
            "unseen": int,
            "derived": str,
            "KIND": ClassVar[str],
        },
        "secret": field(default="s", repr=False),
        "many": field(default_factory=list),
        "unseen": field(default=0, compare=False),
        "derived": field(init=False),
        "KIND": "kind",
        "__post_init__": post,
    }


Ours: Any = value(frozen=True, slots=True)(type("Ours", (), _body("Ours", derive)))  # type: ignore[arg-type]
Theirs: Any = dataclass(frozen=True, slots=True)(type("Theirs", (), _body("Theirs", object.__setattr__)))


@value(frozen=True, slots=True)
class Parent:
    """Has a field."""

    a: int


@value(frozen=True, slots=True)
class Child:
    """Has two."""

    a: int
    b: int = 2


@value(frozen=False, slots=True)
class Mutable:
    """May be changed, so nothing finds it by its hash."""

    a: int


@value(frozen=True, slots=True)
class Empty:
    """Has nothing."""


@pytest.mark.parametrize("made", [Ours, Theirs])
def test_value_behaves_as_a_frozen_dataclass_does(made: Any) -> None:
    one, same, other = made(1), made(number=1, secret="s", many=[], unseen=9), made(2, "x", [3])
    assert one == same
    assert one != other
    assert one.many is not same.many
    assert repr(other) == f"{made.__name__}(number=2, many=[3], unseen=0, derived='2!')"
    assert dataclasses.replace(one, number=4).derived == "4!"
    assert dataclasses.asdict(other) == {"number": 2, "secret": "x", "many": [3], "unseen": 0, "derived": "2!"}
    assert made.__match_args__ == ("number", "secret", "many", "unseen")
    assert not hasattr(one, "__dict__")
    for wrong in ({}, {"number": 1, "nonsense": 2}):
        with pytest.raises(TypeError):
            made(**wrong)
    with pytest.raises(TypeError):
        made(1, "s", [], 0, "x")
    with pytest.raises(AttributeError):
        one.number = 2
    assert copy.deepcopy(other) == other
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_value_derived_field_is_what_its_class_makes_it() -> None:
    assert Ours(1, derived="x").derived == "1!"
    assert changed(Ours(1, unseen=3), number=4) == Ours(4)
    assert changed(Ours(1), number=4).derived == "4!"


def test_value_of_another_class_is_never_equal() -> None:
    assert Ours(1) != Theirs(1)
    assert Parent(1) != Child(1)
    assert {Child(1), Child(1, 2), Child(1, 3)} == {Child(1), Child(1, 3)}
    assert Empty() == Empty()
    assert len({Parent(1), Parent(1), Empty(), Empty()}) == 2


def test_value_is_known_to_those_who_read_dataclasses() -> None:
    assert msgspec.json.decode(b'{"a":1,"b":5}', type=Child) == Child(1, 5)
    assert msgspec.json.encode(Child(1)) == b'{"a":1,"b":2}'
    assert pickle.loads(pickle.dumps(Child(1, 7))) == Child(1, 7)


def test_value_that_may_change_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Mutable(1))


def test_value_refuses_what_it_does_not_do() -> None:
    with pytest.raises(TypeError, match="by name only"):

        @value(frozen=True, slots=True)
        class _Named:
            a: int = field(kw_only=True)

    with pytest.raises(TypeError, match="inherits from nothing"):

        @value(frozen=True, slots=True)
        class _Grandchild(Parent):
            """Has nothing of its own."""


@pytest.mark.parametrize("decorate", [dataclass, dataclass(frozen=True), dataclass(frozen=True, slots=True), lambda made: made])
def test_value_says_what_to_do_instead_where_a_class_adds_fields_to_it(decorate: Any) -> None:
    with pytest.raises(TypeError, match="Mine cannot add more to ModelInfo, which is a value: keep what you add beside it"):

        @decorate
        class Mine(ModelInfo):
            more: int = 3


@pytest.mark.parametrize("frozen", [True, False])
def test_value_says_what_to_do_instead_where_a_dataclass_inherits_from_it(frozen: bool) -> None:
    class Mine(Parent):
        LIMIT: ClassVar[int] = 3

        def twice(self) -> int:
            return 2 * self.a

    assert dataclasses.replace(Mine(1), a=4).twice() == 8
    assert not hasattr(Mine, "__dataclass_params__")
    with pytest.raises(
        AttributeError, match="a dataclass cannot inherit from Parent, which is a value: keep what you add beside it"
    ):
        dataclass(frozen=frozen)(Mine)


def test_value_with_derived_fields_tells_its_types() -> None:
    assert get_type_hints(Message) == {"role": Role, "parts": tuple[Part, ...], "seen": Glance | None}
    by_place = [name for name, told in inspect.signature(Message).parameters.items() if told.kind is told.POSITIONAL_OR_KEYWORD]
    assert by_place == ["role", "parts"]
