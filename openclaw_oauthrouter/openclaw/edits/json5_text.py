"""Changes single values in a JSON5 text; comments, order and spelling of everything else stay as they are."""

from __future__ import annotations

import json
import re
from typing import Any

import json5

from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.edits.json5_tree import Node, parse, skip_blanks

Path = tuple[str, ...]

_INDENT = "  "
_REST_OF_LINE = re.compile(r"(?:[ \t]|/\*[^\n]*?\*/)*(?://[^\n\r]*)?")
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
        if node.members is None:
            raise ConfigurationError(f"{'.'.join(path[:depth]) or 'the file'} is not an object, so {key!r} cannot be set in it")
        if key not in node.members:
            return _insert_member(text, node, key, _nest(path[depth + 1 :], value))
        node = node.members[key].value
    return text[: node.start] + _dump(value, _indent_at(text, node.start)) + text[node.end :]


def append(text: str, path: Path, item: object) -> str:
    """Add an item to the array at a path, unless it holds it already; an absent array is made."""
    present = value_at(read(text), path, _MISSING)
    if present is _MISSING:
        return put(text, path, [item])
    if not isinstance(present, list):
        raise ConfigurationError(f"{'.'.join(path)} is not an array")
    return text if item in present else put(text, path, [*present, item])


def remove(text: str, path: Path) -> str:
    """Take out the member at a path, if it is there."""
    node = parse(text)
    for key in path[:-1]:
        if node.members is None or key not in node.members:
            return text
        node = node.members[key].value
    return _cut_member(text, node, path[-1]) if path[-1] in (node.members or {}) else text


def _nest(keys: Path, value: object) -> object:
    for key in reversed(keys):
        value = {key: value}
    return value


def _dump(value: object, indent: str) -> str:
    return json.dumps(value, indent=len(_INDENT), ensure_ascii=False).replace("\n", "\n" + indent)


def _indent_at(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]


def _insert_member(text: str, node: Node, key: str, value: object) -> str:
    name = json.dumps(key, ensure_ascii=False)
    members = list((node.members or {}).values())
    one_line = "\n" not in text[node.start : node.end]
    if one_line and members:
        end = members[-1].value.end
        return f"{text[:end]}, {name}: {json.dumps(value, ensure_ascii=False)}{text[end:]}"
    if not members:
        outer = _indent_at(text, node.start)
        inner = outer + _INDENT
        rest = text[node.start + 1 : node.end - 1].rstrip()
        return f"{text[: node.start]}{{{rest}\n{inner}{name}: {_dump(value, inner)}\n{outer}}}{text[node.end :]}"
    end = members[-1].value.end
    indent = _indent_at(text, members[-1].start)
    comma = skip_blanks(text, end)
    trailing = text[comma : comma + 1] == ","
    # The new line goes below a comment that belongs to the line above it.
    rest_of_line = _REST_OF_LINE.match(text, comma + 1 if trailing else end)
    below = rest_of_line.end() if rest_of_line else end
    line = f"\n{indent}{name}: {_dump(value, indent)}"
    if trailing:
        return f"{text[:below]}{line},{text[below:]}"
    return f"{text[:end]},{text[end:below]}{line}{text[below:]}"


def _cut_member(text: str, node: Node, key: str) -> str:
    members = node.members or {}
    member = members[key]
    start, end = member.start, member.value.end
    comma = skip_blanks(text, end)
    if text[comma] == ",":
        end = comma + 1
    elif len(members) > 1:
        # The last one, without a comma of its own: the one before it loses its comma.
        start = next(other.value.end for other in reversed(members.values()) if other.start < member.start)
        return text[:start] + text[end:]
    line_start = text.rfind("\n", 0, start)
    if line_start >= 0 and not text[line_start + 1 : start].strip():
        start = line_start
    return text[:start] + text[end:]
