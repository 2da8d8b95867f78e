"""Talks to the gateway that runs on this machine, for commands that ask it something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.proxy.local_token import token_path


@contextmanager
def local_client(settings: Settings) -> Iterator[httpx.Client]:
    """A client with base URL and token.

    :raises ConfigurationError: no gateway answers, or its token is not known
    """
    host = settings.server.listen_host
    base_url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '') else host}:{settings.server.port}"  # noqa: S104 - compared
    headers = {"authorization": f"Bearer {local_token(settings)}"}
    with httpx.Client(base_url=base_url, headers=headers, trust_env=False, timeout=10.0) as client:
        try:
            yield client
        except httpx.ConnectError as error:
            raise ConfigurationError(f"no gateway answers at {base_url}; start one with 'openclaw-oauthrouter serve'") from error


def local_token(settings: Settings) -> str:
    """The token the gateway on this machine takes.

    :raises ConfigurationError: there is none yet
    """
    if settings.server.auth_token is not None:
        return settings.server.auth_token.get_secret_value()
    path = token_path(settings.home)
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"there is no local token at {str(path)!r} yet; start the gateway once") from error
