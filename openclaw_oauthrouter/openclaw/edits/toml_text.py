"""Changes a TOML text: one marked block of ours, and single top-level keys; everything else stays as it is."""

from __future__ import annotations

import json
import re
import tomllib
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
