"""Data URLs, and which media type is which modality."""

from __future__ import annotations

import base64
import binascii
import re

from openclaw_oauthrouter.canonical.content import BlobPart, Modality
from openclaw_oauthrouter.canonical.patterns import lazily

_DATA_URL = lazily(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,", re.IGNORECASE | re.ASCII)


def parse_data_url(url: str) -> tuple[str, str] | None:
    """Split ``data:…;base64,…`` into media type (lower case) and base64 text; ``None`` if it is not one."""
    match = _DATA_URL.match(url)
    if match is None:
        return None
    mime_type = (match["mime"] or "text/plain").lower()
    return "image/jpeg" if mime_type == "image/jpg" else mime_type, url[match.end() :]


def data_url(mime_type: str, data: str) -> str:
    """The reverse of ``parse_data_url``."""
    return f"data:{mime_type};base64,{data}"


def modality_of(mime_type: str) -> Modality:
    """Image, audio, or document for everything else."""
    kind = mime_type.partition("/")[0]
    return "image" if kind == "image" else "audio" if kind == "audio" else "document"


_TEXT_TYPES = frozenset(
    f"application/{name}" for name in ("json", "x-ndjson", "xml", "yaml", "x-yaml", "toml", "javascript", "x-sh", "sql", "csv")
)


def is_textual(mime_type: str) -> bool:
    """Whether what is of a media type is words, whatever it is called."""
    return mime_type.startswith("text/") or mime_type in _TEXT_TYPES or mime_type.endswith(("+json", "+xml"))


def text_of(part: BlobPart) -> str | None:
    """The words of a document that is nothing but words; ``None`` for any other, and where its bytes are none."""
    if part.modality != "document" or not is_textual(part.mime_type):
        return None
    try:
        return base64.b64decode(part.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
