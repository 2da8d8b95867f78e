"""Regular expressions that are compiled when they are first used: a start needs few of them, and all would take a tenth of it."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class LazyPattern:
    """Stands for a compiled pattern; at its first use the pattern's methods become its own, so that later uses cost what they always did."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Whatever ``re.Pattern`` has; this is only asked for what is not there yet.

        :raises re.error: the pattern is none
        """
        compiled = re.compile(self._text, self._flags)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)

    def __repr__(self) -> str:
        return f"lazily({self._text!r})"


_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split", "pattern", "flags", "groups")


def lazily(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As ``re.compile``, but compiled at the first use; for patterns of modules.

    A test compiles all of them, so that a wrong one is found before it is used. The functions of ``re`` take it only by its ``pattern``.

    :param flags: of the module ``re``
    """
    return cast("re.Pattern[AnyStr]", LazyPattern(text, flags))
