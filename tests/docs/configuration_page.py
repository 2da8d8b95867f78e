"""Keeps the tables of ``docs/configuration.md``: ``python -m tests.docs.configuration_page --write`` writes them from the settings themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import ENVIRONMENT, SHORTHANDS
from openclaw_oauthrouter.config.pydantic_model import model_of
from openclaw_oauthrouter.config.section import SecretStr, Section
from openclaw_oauthrouter.config.spelling import camel
from tests.docs.pages import DOCS

PAGE = DOCS / "configuration.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"

_PLAIN = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret",
    NoneType: "nothing",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def tables() -> str:
    """Every section's table, then the environment variables and the original's shorthands."""
    return "".join(_section(path, model) for path, model in sections(Settings)) + _names()


def with_tables(page: str) -> str:
    """The page with its tables replaced."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END)[1]


def sections(model: type[Section], path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Every section with its dotted path; ``<name>`` stands for a name of the user's, ``[]`` for the entries of a list."""
    yield path, model
    for name, field in model_of(model).model_fields.items():
        inner = _inner_section(field.annotation)
        if inner is not None:
            yield from sections(inner, f"{path}.{name}".lstrip(".") + _place(field.annotation))


def leaves(model: type[Section]) -> dict[str, FieldInfo]:
    """The fields that are no sections; lists and tables of sections count, for they have a default of their own."""
    return {name: field for name, field in model_of(model).model_fields.items() if not _is_section(field.annotation)}


def _section(path: str, model: type[Section]) -> str:
    rows = "".join(_row(path, name, field) for name, field in leaves(model).items())
    if not rows:
        return ""
    doc = (model.__doc__ or "").strip().replace("``", "`").splitlines()[0]
    heading = f"`{path}`" if path else "At the top"
    head = "| setting | camelCase | type | default | meaning |\n| --- | --- | --- | --- | --- |\n"
    return f"### {heading}\n\n{doc}\n\n{head}{rows}\n"


def _row(path: str, name: str, field: FieldInfo) -> str:
    variable = next((key for key, setting in ENVIRONMENT.items() if setting == f"{path}.{name}".lstrip(".")), None)
    meaning = (field.description or "") + (f" (`{variable}`)" if variable else "")
    cells = (f"`{name}`", f"`{camel(name)}`", _type(field), _default(field), meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(limit, key):,}"
        for limit in field.metadata
        for key, sign in _BOUNDS.items()
        if getattr(limit, key, None) is not None
    ]
    return ", ".join([_words(field.annotation), *bounds])


def _words(kind: Any) -> str:
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_words(one) for one in arguments if one is not NoneType)
    if origin is tuple:
        return f"list of {_words(arguments[0])}" if arguments[-1] is Ellipsis else f"{len(arguments)} × {_words(arguments[0])}"
    if origin is dict:
        return f"{_words(arguments[0])} → {_words(arguments[1])}"
    return "section, see below"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Path):
        return f"`{value}`".replace(str(Path.home()), "~")
    if isinstance(value, dict) and any(isinstance(item, Section) for item in value.values()):
        return "[computed](guide.md#choose-which-models-auto-uses)"
    return "–" if value in (None, (), {}) else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _inner_section(kind: Any) -> type[Section] | None:
    if _is_section(kind):
        return kind  # type: ignore[no-any-return]
    return next((found for one in get_args(kind) if (found := _inner_section(one)) is not None), None)


def _place(kind: Any) -> str:
    if get_origin(kind) is dict:
        return ".<TIER>" if get_origin(get_args(kind)[0]) is Literal else ".<name>"
    many = get_origin(kind) is tuple or any(get_origin(one) is tuple for one in get_args(kind))
    return "[]" if many else ""


def _names() -> str:
    variables = "".join(f"| `{name}` | `{setting}` |\n" for name, setting in ENVIRONMENT.items())
    shorthands = "".join(f"| `{camel(name)}` | `{setting}` |\n" for name, setting in SHORTHANDS.items())
    head = "| {} | setting |\n| --- | --- |\n"
    return (
        f"### Environment variables\n\n{head.format('variable')}{variables}\n"
        f"### Shorthands at the top\n\n{head.format('the original says')}{shorthands}\n"
    )


if __name__ == "__main__":
    page = with_tables(PAGE.read_text(encoding="utf-8"))
    if "--write" in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)
