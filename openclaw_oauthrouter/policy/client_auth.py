"""Which local client sends a request: the main token, or one of the client keys."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256

from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.errors import ConfigurationError

DEFAULT_CLIENT = "default"
"""Name of whoever sends the main token."""

MOST_TOKEN_CHARACTERS = 4096

_HEADERS = ("authorization", "x-api-key", "x-openai-api-key")


class ClientKeys:
    """The tokens this gateway answers to; keeps digests only.

    :param auth_token: the main token
    :param client_keys: ``server.clientKeys``
    :raises ConfigurationError: a token is empty or used twice, or a key is named ``default``
    """

    def __init__(self, auth_token: str, client_keys: Mapping[str, ClientKeySettings]) -> None:
        self._digests: dict[bytes, str] = {}
        self._add(DEFAULT_CLIENT, auth_token)
        for name, settings in client_keys.items():
            if name == DEFAULT_CLIENT:
                raise ConfigurationError(f"server.clientKeys: {name!r} is the main token's own name; choose another")
            self._add(name, settings.token.get_secret_value())

    def identify(self, headers: Mapping[str, str]) -> str | None:
        """The client's name, ``default`` for the main token, ``None`` for a stranger.

        Takes ``Authorization: Bearer …`` (or the bare token), ``x-api-key`` and ``x-openai-api-key``; where a client sends several,
        one that fits is enough. The time it takes does not tell how much of a token was right.

        :param headers: lower-case names, or a mapping that ignores case
        """
        found: str | None = None
        for token in _tokens(headers):
            offered = _digest(token)
            for digest, name in self._digests.items():
                if hmac.compare_digest(offered, digest):
                    found = found or name
        return found

    def _add(self, name: str, token: str) -> None:
        if not token or len(token) > MOST_TOKEN_CHARACTERS:
            raise ConfigurationError(f"the local token of client {name!r} must have 1 to {MOST_TOKEN_CHARACTERS} characters")
        other = self._digests.setdefault(_digest(token), name)
        if other != name:
            raise ConfigurationError(f"clients {other!r} and {name!r} have the same local token; give each its own")


def _tokens(headers: Mapping[str, str]) -> Iterator[str]:
    for header in _HEADERS:
        value = headers.get(header, "").strip()
        if header == "authorization":
            scheme, _, rest = value.partition(" ")
            value = rest.strip() if scheme.lower() == "bearer" else value
        if 0 < len(value) <= MOST_TOKEN_CHARACTERS:
            yield value


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
