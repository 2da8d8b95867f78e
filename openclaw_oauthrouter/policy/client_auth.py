"""Which local client sends a request: the main token, or one of the client keys."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from openclaw_oauthrouter.canonical.client_paths import TOKEN_HEADER
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.errors import ConfigurationError

DEFAULT_CLIENT = "default"
"""Name of whoever sends the main token."""

MOST_TOKEN_CHARACTERS = 4096


class ClientKeys:
    """The tokens this gateway answers to; keeps digests only.

    :param auth_token: the main token
    :param client_keys: ``server.clientKeys``
    :param headers: where a token may stand, lower-case names; the dialects name them
    :raises ConfigurationError: a token is empty or used twice, or a key is named ``default``
    """

    def __init__(self, auth_token: str, client_keys: Mapping[str, ClientKeySettings], headers: Sequence[str]) -> None:
        self._headers = tuple(headers)
        self._digests: dict[bytes, str] = {}
        self._add(DEFAULT_CLIENT, auth_token)
        for name, settings in client_keys.items():
            if name == DEFAULT_CLIENT:
                raise ConfigurationError(f"server.clientKeys: {name!r} is the main token's own name; choose another")
            self._add(name, settings.token.get_secret_value())

    def identify(self, headers: Mapping[str, str]) -> str | None:
        """The client's name, ``default`` for the main token, ``None`` for a stranger.

        In ``authorization`` a token may stand after ``Bearer`` or bare, elsewhere bare; where a client sends several, one that fits
        is enough. The time it takes does not tell how much of a token was right.

        :param headers: lower-case names, or a mapping that ignores case
        """
        found: str | None = None
        for token in self._tokens(headers):
            offered = _digest(token)
            for digest, name in self._digests.items():
                if hmac.compare_digest(offered, digest):
                    found = found or name
        return found

    def _tokens(self, headers: Mapping[str, str]) -> Iterator[str]:
        for header in self._headers:
            told = headers.get(header)
            if told is None:
                continue
            value = told.strip()
            if header == TOKEN_HEADER:
                scheme, _, rest = value.partition(" ")
                value = rest.strip() if scheme.lower() == "bearer" else value
            if 0 < len(value) <= MOST_TOKEN_CHARACTERS:
                yield value

    def _add(self, name: str, token: str) -> None:
        if not token or len(token) > MOST_TOKEN_CHARACTERS:
            raise ConfigurationError(f"the local token of client {name!r} must have 1 to {MOST_TOKEN_CHARACTERS} characters")
        other = self._digests.setdefault(_digest(token), name)
        if other != name:
            raise ConfigurationError(f"clients {other!r} and {name!r} have the same local token; give each its own")


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
