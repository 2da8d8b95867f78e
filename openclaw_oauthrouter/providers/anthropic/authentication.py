"""Which header proves who we are: API keys go to ``x-api-key``, subscription tokens to ``Authorization``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.providers.anthropic.oauth import is_oauth_token

AUTH_HEADERS = frozenset({"authorization", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Authentication:
    """One way to authenticate.

    :ivar header: lower-case name
    :ivar oauth: the secret is a Claude subscription's token
    """

    header: str
    secret: Secret = field(repr=False)
    scheme: str = ""
    oauth: bool = False

    def headers(self) -> dict[str, str]:
        """The header to send."""
        return {self.header: self.scheme + self.secret.reveal()}


def authenticate(credential: Credential | None, settings: ProviderSettings) -> Authentication | None:
    """How to authenticate: with the credential, else with whatever secret the provider's settings hold."""
    if credential is not None:
        return _from(credential.header, credential.secret.reveal())
    return next(_configured(settings), None)


def _configured(settings: ProviderSettings) -> Iterator[Authentication]:
    if settings.auth_header is not None:
        yield _from(settings.auth_header.name, settings.auth_header.value.get_secret_value())
    if settings.api_key is not None:
        yield _from(None, settings.api_key.get_secret_value())
    for name, value in settings.headers.items():
        if name.lower() in AUTH_HEADERS:
            yield _from(name, value)


def _from(header: str | None, value: str) -> Authentication:
    scheme, _, rest = value.partition(" ")
    bare = rest.strip() if scheme.lower() == "bearer" and rest else value
    if is_oauth_token(bare):
        return Authentication("authorization", Secret(bare), "Bearer ", oauth=True)
    name = (header or "x-api-key").lower()
    if name in AUTH_HEADERS:
        # An API key is one wherever the user put it, and this is the one place it is read from.
        return Authentication("x-api-key", Secret(bare))
    return Authentication(name, Secret(value))
