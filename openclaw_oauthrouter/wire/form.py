"""Forms of fields and files (``multipart/form-data``, RFC 7578), in which sound and pictures are sent: read, and one field replaced in place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openclaw_oauthrouter.canonical.patterns import lazily

FORM = "multipart/form-data"

_BOUNDARY = lazily(r';\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_NAME = lazily(rb'^content-disposition:[^\r\n]*?;\s*name=(?:"([^"\r\n]*)"|([^\s;"]+))', re.IGNORECASE | re.MULTILINE)
_FILE = lazily(rb"^content-disposition:[^\r\n]*?;\s*filename\*?=", re.IGNORECASE | re.MULTILINE)
_LINE = b"\r\n"


class FormError(ValueError):
    """The body is no such form."""


class Form:
    """One form; everything but what is replaced stays byte for byte.

    :param content_type: of the body, with its boundary
    :raises FormError: it is none
    """

    def __init__(self, body: bytes, content_type: str) -> None:
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise FormError("its content type names no boundary")
        self._delimiter = _LINE + b"--" + (found[1] or found[2]).encode("latin-1", "replace")
        pieces = (_LINE + body).split(self._delimiter)
        if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
            raise FormError("it does not end with its boundary")
        self._pieces = pieces

    def field(self, name: str) -> str | None:
        """What a field holds."""
        return next((self._content(at).decode(errors="replace") for at in self._fields(name)), None)

    def with_field(self, name: str, value: str) -> bytes:
        """The body with another value of a field."""
        pieces = list(self._pieces)
        for at in self._fields(name):
            pieces[at] = pieces[at].partition(_LINE * 2)[0] + _LINE * 2 + value.encode()
        return self._delimiter.join(pieces).removeprefix(_LINE)

    def sizes(self) -> tuple[int, int]:
        """Bytes of all fields and of all files."""
        fields = files = 0
        for at in range(1, len(self._pieces) - 1):
            size = len(self._content(at))
            if _FILE.search(self._head(at)):
                files += size
            else:
                fields += size
        return fields, files

    def _fields(self, name: str) -> Iterator[int]:
        for at in range(1, len(self._pieces) - 1):
            head = self._head(at)
            found = _NAME.search(head)
            if found is not None and (found[1] or found[2]) == name.encode() and not _FILE.search(head):
                yield at

    def _head(self, at: int) -> bytes:
        return self._pieces[at].partition(_LINE * 2)[0]

    def _content(self, at: int) -> bytes:
        return self._pieces[at].partition(_LINE * 2)[2]
