"""Changes a YAML text: one marked block of ours, at the end or first in a list; everything else stays as it is."""

from __future__ import annotations

import re
from typing import Any

from openclaw_oauthrouter.edits.marked_block import marked, put_block, remove_block
from openclaw_oauthrouter.errors import ConfigurationError


def read(text: str) -> Any:
    """The document; ``None`` when the text is empty.

    :raises ConfigurationError: it is not YAML
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"not valid YAML: {str(error).splitlines()[0]}") from None


def put_keys(text: str, body: str) -> str:
    """Put top-level keys of ours at the end.

    :raises ConfigurationError: the file has one of them already
    """
    rest = remove_block(text)
    present, ours = read(rest), read(body)
    if present is not None and not isinstance(present, dict):
        raise ConfigurationError("it holds no keys at its top")
    taken = sorted(set(present or ()) & set(ours))
    if taken:
        raise ConfigurationError(f"{', '.join(map(repr, taken))} stands there already; take it out first")
    return _still_yaml(put_block(rest, body))


def put_items(text: str, key: str | None, body: str, *, head: str = "") -> str:
    """Put items of ours into a list: first in the one below a top-level key, or last in the one that the whole file is.

    :param key: ``None`` when the file itself is the list
    :param body: the items, each beginning with ``- ``
    :param head: keys that a file needs besides; put into one that holds nothing
    :raises ConfigurationError: something else stands there
    """
    rest = remove_block(text)
    present = read(rest)
    if key is None:
        if present is not None and not isinstance(present, list):
            raise ConfigurationError("it holds no list at its top")
        return _still_yaml(put_block(rest, body))
    if present is not None and not isinstance(present, dict):
        raise ConfigurationError("it holds no keys at its top")
    if key not in (present or {}):
        above = "" if rest.strip() else head
        return _still_yaml(put_block(rest, f"{above}{key}:\n" + "\n".join(f"  {line}" for line in body.strip("\n").split("\n"))))
    if rest and not rest.endswith("\n"):
        rest += "\n"
    if present and present[key] == []:
        rest = _empty_list(key).sub(rf"{key}:\1", rest, count=1)
    line = re.compile(rf"^{re.escape(key)}:[ \t]*(?:#[^\n]*)?\n", re.MULTILINE).search(rest)
    if line is None:
        raise ConfigurationError(f"{key!r} is not written as a list of lines, so nothing can be put into it")
    first = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*([ ]*)- ").match(rest, line.end())
    indent = first[1] if first else "  "
    return _still_yaml(rest[: line.end()] + marked(body, indent) + rest[line.end() :])


def without_items(text: str, before: str, key: str) -> str:
    """The text without our block, a list that was empty before being empty again."""
    rest = remove_block(text)
    former, present = read(before), read(rest)
    if (
        not isinstance(former, dict)
        or not isinstance(present, dict)
        or former.get(key) != []
        or present.get(key, key) is not None
    ):
        return rest
    return re.compile(rf"^{re.escape(key)}:", re.MULTILINE).sub(f"{key}: []", rest, count=1)


def _empty_list(key: str) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(key)}:[ \t]*\[\s*\]([ \t]*(?:#[^\n]*)?)$", re.MULTILINE)


def _still_yaml(text: str) -> str:
    try:
        read(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"our entries do not fit beside what the file holds already ({error.message})") from None
    return text
