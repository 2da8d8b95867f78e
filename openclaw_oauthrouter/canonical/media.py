"""Data URLs, and which media type is which modality."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.content import Modality

_DATA_URL = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,", re.IGNORECASE | re.ASCII)


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
