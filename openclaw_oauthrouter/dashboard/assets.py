"""The page and its files, read from the package when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        # Asked for again each time, answered by 304 unless the package was upgraded.
        "cache-control": "no-cache",
    }
)
"""Sent with every file: nothing from elsewhere, nothing inline, no framing."""

_NAME = lazily(r"[a-z0-9_-]+\.(?P<kind>html|js|css|svg|woff2)")


@value(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    body: bytes
    content_type: str
    etag: str


class Assets:
    """The files of ``dashboard/static``; keeps what it has read."""

    def __init__(self) -> None:
        self._read: dict[str, Asset] = {}

    def get(self, name: str) -> Asset | None:
        """A file by its bare name; ``None`` when there is none of that name."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        if name not in self._read:
            file = files("openclaw_oauthrouter.dashboard").joinpath("static", name)
            if not file.is_file():
                return None
            body = file.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
            self._read[name] = Asset(body, CONTENT_TYPES[match["kind"]], etag)
        return self._read[name]
