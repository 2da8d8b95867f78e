"""Changes single values in a JSON5 text; comments, order and spelling of everything else stay as they are."""

from __future__ import annotations

import json
from typing import Any

import json5

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.edits.json5_tree import Node, Span, parse, skip_blanks
from openclaw_oauthrouter.errors import ConfigurationError

Path = tuple[str, ...]

_INDENT = "  "
_REST_OF_LINE = lazily(r"(?:[ \t]|/\*[^\n]*?\*/)*(?://[^\n\r]*)?")
_MISSING = object()


def read(text: str) -> Any:
    """The value of a JSON5 text; an empty text is an empty object.

    :raises ConfigurationError: it is not JSON5
    """
    if not text.strip():
        return {}
    try:
        return json5.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"not valid JSON: {error}") from error
    except RecursionError:
        raise ConfigurationError("nested too deeply to be read") from None


def value_at(document: Any, path: Path, default: Any = None) -> Any:
    """What stands at a path; ``default`` when nothing does."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return default
        document = document[key]
    return document


def put(text: str, path: Path, value: object) -> str:
    """Set the value at a path, making the objects on the way there.

    :raises ConfigurationError: something that is no object stands on the way
    """
    text = text if text.strip() else "{\n}\n"
    node = parse(text)
    for depth, key in enumerate(path):
        if node.members is None and depth and text[node.start : node.end] == "null":
            value = _nest(path[depth:], value)
            break
        if node.members is None:
            raise ConfigurationError(f"{'.'.join(path[:depth]) or 'the file'} is not an object, so {key!r} cannot be set in it")
        if key not in node.members:
            return _insert(text, node, f"{json.dumps(key, ensure_ascii=False)}: ", _nest(path[depth + 1 :], value))
        node = node.members[key].value
    return text[: node.start] + _dump(value, _indent_at(text, node.start)) + text[node.end :]


def append(text: str, path: Path, item: object) -> str:
    """Add an item to the array at a path, unless it holds it already; an absent array is made."""
    present = value_at(read(text), path, _MISSING)
    if present is _MISSING:
        return put(text, path, [item])
    if not isinstance(present, list):
        raise ConfigurationError(f"{'.'.join(path)} is not an array")
    return text if item in present else _insert(text, _node_at(text, path), "", item)


def drop(text: str, path: Path, item: object) -> str:
    """Take an item out of the array at a path, if it is there."""
    present = value_at(read(text), path)
    if not isinstance(present, list) or item not in present:
        return text
    return _cut(text, _node_at(text, path).entries(), present.index(item))


def remove(text: str, path: Path) -> str:
    """Take out the member at a path, if it is there."""
    if value_at(read(text), path, _MISSING) is _MISSING:
        return text
    parent = _node_at(text, path[:-1])
    return _cut(text, parent.entries(), list(parent.members or ()).index(path[-1]))


def _node_at(text: str, path: Path) -> Node:
    node = parse(text)
    for key in path:
        node = (node.members or {})[key].value
    return node


def _nest(keys: Path, value: object) -> object:
    for key in reversed(keys):
        value = {key: value}
    return value


def _dump(value: object, indent: str) -> str:
    return json.dumps(value, indent=len(_INDENT), ensure_ascii=False).replace("\n", "\n" + indent)


def _indent_at(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]


def _insert(text: str, node: Node, label: str, value: object) -> str:
    """Add an entry to an object or array, below the others."""
    entries = node.entries()
    if not entries:
        return _insert_first(text, node, label, value)
    end = entries[-1][1]
    if "\n" not in text[node.start : node.end]:
        return f"{text[:end]}, {label}{json.dumps(value, ensure_ascii=False)}{text[end:]}"
    indent = _indent_at(text, entries[-1][0])
    line = f"\n{indent}{label}{_dump(value, indent)}"
    comma = skip_blanks(text, end)
    trailing = text[comma] == ","
    # The new line goes below a comment that belongs to the line above it.
    rest_of_line = _REST_OF_LINE.match(text, comma + 1 if trailing else end)
    below = rest_of_line.end() if rest_of_line else end
    if trailing:
        return f"{text[:below]}{line},{text[below:]}"
    return f"{text[:end]},{text[end:below]}{line}{text[below:]}"


def _insert_first(text: str, node: Node, label: str, value: object) -> str:
    outer = _indent_at(text, node.start)
    inner = outer + _INDENT
    opening, comment, closing = text[node.start], text[node.start + 1 : node.end - 1].rstrip(), text[node.end - 1]
    return f"{text[: node.start]}{opening}{comment}\n{inner}{label}{_dump(value, inner)}\n{outer}{closing}{text[node.end :]}"


def _cut(text: str, entries: list[Span], index: int) -> str:
    """Take one entry out together with its comma, and with its line if it has one to itself."""
    start, end = entries[index]
    comma = skip_blanks(text, end)
    has_comma = text[comma] == ","
    line_break = text.rfind("\n", 0, start)
    if line_break >= 0 and not text[line_break:start].strip():
        start = line_break
    text = text[:start] + text[comma + 1 if has_comma else end :]
    if has_comma or not index:
        return text
    # It was the last one: plain JSON takes no comma before the closing bracket.
    before = skip_blanks(text, entries[index - 1][1])
    return text[:before] + text[before + 1 :]
