"""The one registry of what clients may call: which dialect answers on which path, and what follows from that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from openclaw_oauthrouter.canonical.client_paths import TOKEN_HEADER, ClientPath, MatchedPath
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Dialect

_NEVER_FORWARDED = frozenset(
    {
        "proxy-authorization",
        "x-goog-api-key",
        "api-key",
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
"""Hop-by-hop fields, cookies, and keys of vendors: of no use to anybody but us, and dangerous in a vendor's hands."""


class ClientPaths:
    """Paths, token headers and forwarded headers of all dialects.

    :param dialects: those whose ``client_paths`` is empty or absent are spoken by upstreams only
    :raises ConfigurationError: two dialects want the same path
    """

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        dialects = list(dialects)
        self.by_pattern: dict[str, tuple[Dialect, ClientPath]] = {}
        for dialect, path in _all_paths(dialects):
            other, _ = self.by_pattern.setdefault(path.pattern, (dialect, path))
            if other is not dialect:
                raise ConfigurationError(f"dialects {other.name!r} and {dialect.name!r} both answer on {path.pattern}")
        self._literal = {
            pattern: (dialect, MatchedPath(pattern)) for pattern, (dialect, _) in self.by_pattern.items() if "{" not in pattern
        }
        self._patterns = [
            (pattern, _compile(pattern), dialect) for pattern, (dialect, _) in self.by_pattern.items() if "{" in pattern
        ]
        self.token_headers = _token_headers(dialects)
        """Where the local token may stand, lower-case names."""
        self.never_forwarded = _NEVER_FORWARDED.union(self.token_headers)
        """Headers no room behind the proxy may see."""

    def find(self, path: str) -> tuple[Dialect, MatchedPath] | None:
        """Who answers on a path; ``None`` if no dialect does."""
        found = self._literal.get(path)
        if found is not None:
            return found
        for pattern, expression, dialect in self._patterns:
            match = expression.fullmatch(path)
            if match is not None:
                return dialect, MatchedPath(pattern, match.groupdict())
        return None

    def forwarded(self, headers: Mapping[str, str]) -> dict[str, str]:
        """A client's headers without those that end here.

        :param headers: lower-case names
        """
        return {name: value for name, value in headers.items() if name not in self.never_forwarded}

    def __str__(self) -> str:
        return ", ".join(self.by_pattern)


def _all_paths(dialects: Iterable[Dialect]) -> Iterator[tuple[Dialect, ClientPath]]:
    # Dialects of third parties that only upstreams speak have neither attribute.
    return ((dialect, path) for dialect in dialects for path in getattr(dialect, "client_paths", ()))


def _token_headers(dialects: Iterable[Dialect]) -> tuple[str, ...]:
    named = [name.lower() for dialect in dialects for name in getattr(dialect, "token_headers", ())]
    return tuple(dict.fromkeys((TOKEN_HEADER, *named)))


def _compile(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", pattern)
    return re.compile("".join(f"(?P<{piece}>.+)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)))
