"""Sections of settings as they are declared: read by their own types as far as all is plainly right, by pydantic wherever something is not.

Importing pydantic and building its models takes longer than the rest of a start. What stands in most files is plainly right: a text where
a text belongs, a number within its bounds. Whatever else stands there (another type, an unknown key, a refusal by one of our checks) is
left to the pydantic model of the same declaration (``pydantic_model``), which corrects it or says what is wrong. A test compares both.
"""

from __future__ import annotations

import operator
import os.path
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from inspect import get_annotations
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from openclaw_oauthrouter.config.spelling import camel

_T = TypeVar("_T")

MISSING: Any = object()
"""Default of a setting that must be given."""


class DoubtfulError(ValueError):
    """Only pydantic can tell whether a value will do."""


class SecretStr:
    """A text that is not shown; pydantic's has the same methods."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """The text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __len__(self) -> int:
        return len(self._text)

    def __str__(self) -> str:
        return "**********" if self._text else ""

    def __repr__(self) -> str:
        return f"SecretStr({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        from openclaw_oauthrouter.config.pydantic_model import secret_schema

        return secret_schema(cls)


class Setting:
    """One declared setting.

    :ivar default: ``MISSING`` when it must be given, or a factory makes it
    :ivar bounds: ``ge``, ``gt``, ``le``, ``lt``, as given
    :ivar shown: whether the section's ``repr`` shows it
    :ivar annotation: its type
    """

    def __init__(
        self, default: Any, factory: Callable[[], Any] | None, description: str, shown: bool, bounds: Mapping[str, float]
    ):
        self.default = default
        self.factory = factory
        self.description = description
        self.shown = shown
        self.bounds = bounds
        self.owner: type[Declared] = Declared
        self.name = ""

    @property
    def annotation(self) -> Any:
        """Evaluated when somebody asks: most sections hold their defaults, which nobody has to check."""
        return self.owner.declared_types()[self.name]

    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING and self.factory is None

    def standard(self) -> Any:
        """What it is when nothing is said."""
        return self.default if self.factory is None else self.factory()


def Field(  # noqa: N802 - pydantic's name: to the type checker it is pydantic's
    default: Any = MISSING,
    *,
    description: str = "",
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,
    **bounds: float,
) -> Any:
    """A setting's default, bounds (``ge``, ``gt``, ``le``, ``lt``) and meaning."""
    return Setting(default, default_factory, description, repr, bounds)


class Check:
    """A method that looks at one or several settings, or at the whole section.

    :ivar names: of settings; none: the whole section
    :ivar before: it sees what was given, not what was read from it
    """

    def __init__(self, method: Any, names: tuple[str, ...], before: bool) -> None:
        self.method = method
        self.names = names
        self.before = before


def field_validator(*names: str, mode: Literal["before", "after"] = "after") -> Callable[[Any], Any]:
    """Marks a class method that takes a setting's value and returns it, or raises ``ValueError``; not asked of defaults."""
    return lambda method: Check(method, names, mode == "before")


def model_validator(*, mode: Literal["after"]) -> Callable[[Any], Any]:  # noqa: ARG001 - there is no other yet
    """Marks a method that sees the section once it is read, and raises ``ValueError`` or returns it."""
    return lambda method: Check(method, (), before=False)


class Declared:
    """What sections are made of; frozen."""

    model_fields: ClassVar[dict[str, Setting]] = {}
    declared_checks: ClassVar[dict[str, Check]] = {}
    _spelt: ClassVar[dict[str, str]] = {}
    _types: ClassVar[dict[str, Any] | None] = None

    def __init_subclass__(cls) -> None:
        cls.model_fields, cls.declared_checks, cls._types = dict(cls.model_fields), dict(cls.declared_checks), None
        for name, found in list(vars(cls).items()):
            if isinstance(found, Check):
                cls.declared_checks[name] = found
                setattr(cls, name, found.method)
        for name in get_annotations(cls):
            found = cls.__dict__.get(name, MISSING)
            setting = found if isinstance(found, Setting) else Setting(found, None, "", True, {})
            setting.owner, setting.name = cls, name
            cls.model_fields[name] = setting
            if found is not MISSING:
                delattr(cls, name)
        cls._spelt = {spelling: name for name in cls.model_fields for spelling in (name, camel(name))}

    def __init__(self, **given: Any) -> None:
        try:
            values, names = _read(type(self), given)
        except DoubtfulError:
            values, names = _asked_of_pydantic(type(self), given)
        self.__dict__.update(values, _given=names)

    @classmethod
    def model_validate(cls, given: object) -> Self:
        """A section from a mapping, spelt either way.

        :raises pydantic.ValidationError: naming everything that is wrong
        """
        if isinstance(given, cls):
            return given
        try:
            return cls._made(*_read(cls, given))
        except DoubtfulError:
            return cls._made(*_asked_of_pydantic(cls, given))

    @classmethod
    def _made(cls, values: Mapping[str, Any], given: Iterable[str]) -> Self:
        made = object.__new__(cls)
        made.__dict__.update(values, _given=frozenset(given))
        return made

    @classmethod
    def declared_types(cls) -> dict[str, Any]:
        """Setting -> type."""
        if cls._types is None:
            cls._types = get_type_hints(cls)
        return cls._types

    @property
    def model_fields_set(self) -> frozenset[str]:
        """The settings that were given, whatever their value."""
        names: frozenset[str] = self.__dict__["_given"]
        return names

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The same with other values, which are not checked."""
        changed = dict(update or {})
        values = {name: self.__dict__[name] for name in type(self).model_fields}
        return self._made(values | changed, self.model_fields_set | changed.keys())

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Any = None,
        exclude: Any = None,
        exclude_unset: bool = False,
        by_alias: bool = False,
    ) -> Any:
        """As nested dicts.

        :param mode: ``json``: only what JSON has, secrets masked
        :param include: names, or a mapping of names to ``True`` or to what to include below
        :param exclude: names
        :param exclude_unset: leave out what was not given
        :param by_alias: names in camelCase
        """
        names = [
            name
            for name in type(self).model_fields
            if (include is None or name in include)
            and (exclude is None or name not in exclude)
            and (not exclude_unset or name in self.model_fields_set)
        ]
        below = include if isinstance(include, Mapping) else {}
        plain = partial(_dumped, mode=mode, exclude_unset=exclude_unset, by_alias=by_alias)
        return {
            camel(name) if by_alias else name: plain(
                self.__dict__[name], include=None if below.get(name) is True else below.get(name)
            )
            for name in names
        }

    def __setattr__(self, name: str, value: object) -> None:
        raise ValueError(f"{type(self).__name__} is frozen: {name!r} cannot be assigned; use model_copy(update=…)")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), *self._values()))

    def __repr__(self) -> str:
        shown = (f"{name}={self.__dict__[name]!r}" for name, setting in type(self).model_fields.items() if setting.shown)
        return f"{type(self).__name__}({', '.join(shown)})"

    def _values(self) -> list[Any]:
        return [self.__dict__[name] for name in type(self).model_fields]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
        from openclaw_oauthrouter.config.pydantic_model import section_schema

        return section_schema(cls, handler)


def _asked_of_pydantic(cls: type[Declared], given: object) -> tuple[dict[str, Any], frozenset[str]]:
    from openclaw_oauthrouter.config.pydantic_model import read_by_pydantic

    return read_by_pydantic(cls, given)


def _dumped(value: Any, *, include: Any = None, **how: Any) -> Any:
    if isinstance(value, Declared):
        return value.model_dump(include=include, **how)
    if isinstance(value, dict):
        return {key: _dumped(item, **how) for key, item in value.items()}
    is_json = how["mode"] == "json"
    if isinstance(value, tuple):
        items = [_dumped(item, **how) for item in value]
        return items if is_json else tuple(items)
    return str(value) if is_json and isinstance(value, Path | SecretStr) else value


def _read(cls: type[Declared], given: object) -> tuple[dict[str, Any], frozenset[str]]:
    """The values of all settings, and the names of those given.

    :raises DoubtfulError: something is not plainly right
    """
    if not isinstance(given, dict):
        raise DoubtfulError
    said: dict[str, Any] = {}
    for key, value in given.items():
        name = cls._spelt.get(key)
        if name is None or name in said:
            raise DoubtfulError
        said[name] = value
    try:
        values = {
            name: _value(cls, setting, said[name]) if name in said else _standard(setting)
            for name, setting in cls.model_fields.items()
        }
        made = cls._made(values, said)
        for check in cls.declared_checks.values():
            if not check.names:
                check.method(made)
    except (ValueError, AssertionError):
        raise DoubtfulError from None
    return values, frozenset(said)


def _standard(setting: Setting) -> Any:
    if setting.is_required():
        raise DoubtfulError
    return setting.standard()


def _value(cls: type[Declared], setting: Setting, given: Any) -> Any:
    checks = [check for check in cls.declared_checks.values() if setting.name in check.names]
    for check in checks:
        if check.before:
            given = check.method.__get__(None, cls)(given)
    read = _as(setting.annotation, given)
    if setting.bounds and read is not None:
        _keep_within(setting.bounds, read)
    for check in checks:
        if not check.before:
            read = check.method.__get__(None, cls)(read)
    return read


def _keep_within(bounds: Mapping[str, float], read: Any) -> None:
    for bound, limit in bounds.items():
        if not _HOLDS[bound](read, limit):
            raise DoubtfulError


_HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {"ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt}


def _as(kind: Any, given: Any) -> Any:
    """What was given, as a type of settings holds it.

    :raises DoubtfulError: it is not plainly of this type
    """
    read = _SCALARS.get(kind)
    if read is not None:
        return read(given)
    if isinstance(kind, type) and issubclass(kind, Declared):
        return given if isinstance(given, kind) else kind._made(*_read(kind, given))
    read_generic = _GENERICS.get(get_origin(kind))
    if read_generic is None:
        raise DoubtfulError
    return read_generic(get_args(kind), given)


def _exactly(kind: type[_T], given: Any) -> _T:
    if type(given) is not kind:
        raise DoubtfulError
    return given


def _as_int(given: Any) -> int:
    if (
        type(given) is str and given.isdecimal() and given.isascii() and len(given) < _SHORT
    ):  # as variables of the environment hold them
        return int(given)
    return _exactly(int, given)


_SHORT = 10


def _as_float(given: Any) -> float:
    if (type(given) is not float and type(given) is not int) or not -sys.float_info.max < given < sys.float_info.max:
        raise DoubtfulError
    return float(given)


def _as_path(given: Any) -> Path:
    # No shell has looked at a path that comes from a file, a unit or a quoted word.
    return Path(os.path.expanduser(given if isinstance(given, Path) else _exactly(str, given)))


def _as_secret(given: Any) -> SecretStr:
    return given if type(given) is SecretStr else SecretStr(_exactly(str, given))


def _as_literal(words: tuple[Any, ...], given: Any) -> Any:
    if type(given) is not str or given not in words:
        raise DoubtfulError
    return given


def _as_optional(kinds: tuple[Any, ...], given: Any) -> Any:
    others = [kind for kind in kinds if kind is not NoneType]
    if len(others) != 1 or len(kinds) != len(others) + 1:
        raise DoubtfulError
    return None if given is None else _as(others[0], given)


def _as_tuple(kinds: tuple[Any, ...], given: Any) -> tuple[Any, ...]:
    if type(given) is not list and type(given) is not tuple:
        raise DoubtfulError
    if kinds[-1] is Ellipsis:
        return tuple(_as(kinds[0], item) for item in given)
    if len(kinds) != len(given):
        raise DoubtfulError
    return tuple(map(_as, kinds, given))


def _as_dict(kinds: tuple[Any, ...], given: Any) -> dict[Any, Any]:
    if type(given) is not dict:
        raise DoubtfulError
    return {_as(kinds[0], key): _as(kinds[1], item) for key, item in given.items()}


_SCALARS: Mapping[Any, Callable[[Any], Any]] = {
    str: partial(_exactly, str),
    bool: partial(_exactly, bool),
    int: _as_int,
    float: _as_float,
    Path: _as_path,
    SecretStr: _as_secret,
}

_GENERICS: Mapping[Any, Callable[[tuple[Any, ...], Any], Any]] = {
    Literal: _as_literal,
    Union: _as_optional,
    UnionType: _as_optional,
    tuple: _as_tuple,
    dict: _as_dict,
}
