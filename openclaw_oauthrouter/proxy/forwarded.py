"""Which of a client's headers the rooms behind the proxy may see."""

from __future__ import annotations

from collections.abc import Mapping

_NEVER = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "x-openai-api-key",
        "cookie",
        "host",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
        "content-encoding",
        "accept-encoding",
        "origin",
        "referer",
    }
)
"""Hop-by-hop fields, cookies, and the local token: of no use to anybody but us, and dangerous in a vendor's hands."""


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those that end here."""
    return {name: value for name, value in headers.items() if name not in _NEVER}
