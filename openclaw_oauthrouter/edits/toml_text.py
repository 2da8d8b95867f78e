"""Changes a TOML text: one marked block of ours, and single top-level keys; everything else stays as it is."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from openclaw_oauthrouter.errors import ConfigurationError


def read(text: str) -> dict[str, Any]:
    """The document.

    :raises ConfigurationError: it is not TOML
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not valid TOML: {error}") from error
    except RecursionError:
        raise ConfigurationError("nested too deeply to be read") from None


def still_toml(text: str) -> str:
    """A text of ours, once it is known that others can read it: a table or key may be spelt in ways that are not seen here.

    :raises ConfigurationError: they cannot, and why
    """
    try:
        read(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"our entries do not fit beside what the file holds already ({error.message})") from None
    return text


def put_key(text: str, key: str, value: str) -> str:
    """Set a top-level string; a new one goes to the top, for below the first table it would belong to that table."""
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    found = _key_line(text, key)
    return f"{line}\n{text}" if found is None else text[: found.start()] + line + text[found.end() :]


def remove_key(text: str, key: str) -> str:
    """Take out a top-level key, if it is there."""
    found = _key_line(text, key)
    return text if found is None else text[: found.start()] + text[found.end() :].removeprefix("\n")


def _key_line(text: str, key: str) -> re.Match[str] | None:
    table = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    name = re.escape(key)
    return re.compile(rf"""^[ \t]*(?:{name}|"{name}"|'{name}')[ \t]*=[^\n]*""", re.MULTILINE).search(
        text, 0, table.start() if table else len(text)
    )


Leaf = tuple[tuple[str, ...], Any]


def fill_in(text: str, leaves: Iterable[Leaf]) -> str:
    """Set values below paths that hold none yet; comments and order of everything else stay.

    :raises ConfigurationError: something that is no table stands on the way
    """
    import tomlkit

    read(text)
    document = tomlkit.parse(text)
    for path, value in leaves:
        place: Any = document
        for key in path[:-1]:
            if key not in place:
                place[key] = tomlkit.table(is_super_table=False)
            place = place[key]
            if not isinstance(place, dict):
                raise ConfigurationError(f"{key!r} is no table, so {'.'.join(path)} cannot be set")
        if path[-1] not in place:
            place[path[-1]] = value
    return tomlkit.dumps(document)


def take_out(text: str, before: str, leaves: Iterable[Leaf]) -> str:
    """Remove values of ours that the former text did not hold, and tables that are empty without them."""
    import tomlkit

    former, document = read(before), tomlkit.parse(text)
    for path, value in leaves:
        places: list[Any] = [document]
        for key in path[:-1]:
            inner = places[-1].get(key)
            if not isinstance(inner, dict):
                break
            places.append(inner)
        else:
            _take_one(places, path, value, former)
    return tomlkit.dumps(document)


def value_at(tree: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path; ``None`` when nothing does."""
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


def put_value(text: str, path: tuple[str, ...], value: Any) -> str:
    """Set a value, or take it out where it is ``None``.

    :raises ConfigurationError: something that is no table stands on the way, or the file is laid out in a way that is not understood
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if value_at(read(text), path) == value:
        return text
    document = tomlkit.parse(text)
    try:
        _put_into(document, path, value)
        after = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise ConfigurationError(f"{'.'.join(path)} cannot be set: {error}") from error
    if value_at(read(still_toml(after)), path) != value:
        raise ConfigurationError(f"{'.'.join(path)} cannot be set in a file laid out like this; change it by hand")
    return after


def _put_into(place: Any, path: tuple[str, ...], value: Any) -> None:
    import tomlkit

    for number, key in enumerate(path[:-1]):
        if key not in place:
            if value is None:
                return
            inline = isinstance(place, tomlkit.items.InlineTable)
            place[key] = (
                tomlkit.inline_table()
                if inline
                else tomlkit.table(is_super_table=number < len(path) - 2 or isinstance(value, dict))
            )
        place = place[key]
        if not isinstance(place, dict):
            raise ConfigurationError(f"{key!r} is a value, not a table; nothing can stand below it")
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value


def drop_empty(text: str, before: str, path: tuple[str, ...]) -> str:
    """Without the tables on a path that hold nothing and that the former text did not have."""
    import tomlkit

    former, document = read(before), tomlkit.parse(text)
    for depth in range(len(path) - 1, 0, -1):
        if value_at(document, path[:depth]) != {} or _holds(former, path[:depth]):
            break
        _put_into(document, path[:depth], None)
    return tomlkit.dumps(document)


def _take_one(places: list[Any], path: tuple[str, ...], value: Any, former: dict[str, Any]) -> None:
    if _holds(former, path) or places[-1].get(path[-1]) != value:
        return
    del places[-1][path[-1]]
    for depth in range(len(path) - 1, 0, -1):
        if places[depth] or _holds(former, path[:depth]):
            return
        del places[depth - 1][path[depth - 1]]


def _holds(tree: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return False
        tree = tree[key]
    return True
