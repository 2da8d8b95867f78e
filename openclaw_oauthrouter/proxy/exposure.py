"""Other machines may only come in with a token that cannot be guessed."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.errors import ConfigurationError

LEAST_TOKEN_CHARACTERS = 24


def check_exposure(settings: ServerSettings, token: Secret) -> None:
    """Accept the address to listen on.

    :raises ConfigurationError: it is not loopback, and a token is short; says what to do
    """
    if is_loopback(settings.listen_host):
        return
    for name, value in _tokens(settings, token):
        if len(value) < LEAST_TOKEN_CHARACTERS:
            raise ConfigurationError(
                f"server.listen_host {settings.listen_host!r} lets other machines in, but {name} has fewer than "
                f"{LEAST_TOKEN_CHARACTERS} characters: use a longer one (server.auth_token may be left out, then a good one is made), "
                "or listen on 127.0.0.1"
            )


def _tokens(settings: ServerSettings, token: Secret) -> Iterator[tuple[str, str]]:
    yield "the local token (server.auth_token)", token.reveal()
    for name, key in settings.client_keys.items():
        yield f"server.client_keys.{name}.token", key.token.get_secret_value()


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is only reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
