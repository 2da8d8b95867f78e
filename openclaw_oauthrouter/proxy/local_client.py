"""Talks to the gateway that runs on this machine, for commands that ask it something."""

from __future__ import annotations

import httpx
import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.server import local_address
from openclaw_oauthrouter.errors import ConfigurationError, GatewayUnavailableError, InvalidRequestError
from openclaw_oauthrouter.proxy.local_token import is_sendable, read_token, token_path

_ANOTHER_PORT = "stop that program, or choose another port with OAUTHROUTER_PORT"


def ask_gateway(settings: Settings, method: str, path: str, question: JsonObject | None = None) -> JsonObject:
    """What the running gateway answers.

    :param question: the request's body
    :raises GatewayUnavailableError: none answers, it refuses the token, or something else answers in its place
    :raises InvalidRequestError: it cannot answer this question, in its own words
    """
    address = local_address(settings.server.listen_host, settings.server.port)
    headers = {"authorization": f"Bearer {local_token(settings)}"}
    try:
        with httpx.Client(headers=headers, trust_env=False, timeout=10.0) as client:
            answer = client.request(method, address + path, json=question)
    except httpx.ConnectError as error:
        raise GatewayUnavailableError(f"no gateway answers at {address}", advice="openclaw-oauthrouter serve") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GatewayUnavailableError(
            f"what listens at {address} is not a gateway ({type(error).__name__}: {error})", advice=_ANOTHER_PORT
        ) from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise GatewayUnavailableError(
            f"the gateway at {address} refuses our local token: it was started with another token or state folder",
            advice="restart it, or set OAUTHROUTER_LOCAL_TOKEN to its token",
        )
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        body = None
    if question is not None and answer.is_client_error and isinstance(body, dict) and isinstance(body.get("error"), dict):
        told = str(body["error"].get("message"))
        raise InvalidRequestError(told)
    if answer.status_code != httpx.codes.OK or not isinstance(body, dict):
        raise GatewayUnavailableError(
            f"what listens at {address} is not a gateway (status {answer.status_code} at {path})", advice=_ANOTHER_PORT
        )
    return body


def local_token(settings: Settings) -> str:
    """The token the gateway on this machine takes.

    :raises GatewayUnavailableError: there is none yet
    :raises ConfigurationError: it cannot be read, or it is none that can be sent
    """
    if settings.server.auth_token is not None:
        token = settings.server.auth_token.get_secret_value()
        if not token or not is_sendable(token):
            raise ConfigurationError("the local token (server.auth_token) is empty or no printable ASCII; choose another")
        return token
    path = token_path(settings.home)
    try:
        return read_token(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise GatewayUnavailableError(
                f"there is no local token at {str(path)!r} yet: no gateway has run with this state folder",
                advice="openclaw-oauthrouter serve",
            ) from error
        raise ConfigurationError(f"the local token at {str(path)!r} cannot be read: {error.strerror}") from error
