"""The OAuth refresh: which request renews a token, and what its answer means; nothing here keeps or writes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import httpx
import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import RefreshFailed
from openclaw_oauthrouter.wire.encodings import CODINGS, Unpacker, UnpackingError, UnpacksTooLarge, content_coding
from openclaw_oauthrouter.wire.retry_after import parse_retry_after

CODEX_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"  # Codex CLI's public client
_CODE = lazily(r"[A-Za-z0-9_.-]{1,64}")
_DEFAULT_PAUSE = 30.0  # seconds, when the endpoint is busy and names no time
_LONGEST_PAUSE = 3600.0

MOST_ANSWER_BYTES = 1 << 20
"""Three tokens and an id take some kilobytes."""


@value(frozen=True, slots=True)
class TokenEndpoint:
    """Where tokens are renewed, and as whom.

    :ivar resource: what the tokens are for, where the endpoint wants to hear it again
    """

    url: str
    client_id: str
    resource: str | None = None


@value(frozen=True, slots=True)
class TokenSet:
    """What a token endpoint hands out.

    :ivar refresh: the next refresh token; ``None`` when the old one stays good
    :ivar expires_in: seconds
    :ivar scope: what was granted, where the endpoint says so
    """

    access: Secret = field(repr=False)
    refresh: Secret | None = field(default=None, repr=False)
    id_token: Secret | None = field(default=None, repr=False)
    expires_in: float | None = None
    scope: str | None = None


class RefreshRefused(RefreshFailed):
    """The refresh token is spent or revoked: asking again with it is of no use."""


def refresh_request(endpoint: TokenEndpoint, refresh: Secret) -> httpx.Request:
    """The request that trades a refresh token for new tokens."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh.reveal(), "client_id": endpoint.client_id}
    if endpoint.resource is not None:
        form["resource"] = endpoint.resource
    return httpx.Request("POST", endpoint.url, data=form, headers={"accept": "application/json"})


def read_tokens(status: int, headers: Mapping[str, str], body: bytes, now: float) -> TokenSet:
    """Read a token endpoint's answer.

    :param headers: lower-case names
    :param now: Unix seconds
    :raises RefreshRefused: sign in again
    :raises RefreshFailed: try again after ``retry_after`` seconds; never quotes the body, which may hold tokens
    """
    answer = _object(body)
    if status != 200:
        raise _refusal(status, parse_retry_after(headers, now), answer)
    access, refresh, id_token = (_secret(answer.get(key)) for key in ("access_token", "refresh_token", "id_token"))
    if access is None:
        raise RefreshFailed("the token endpoint answered without an access token", retry_after=_DEFAULT_PAUSE)
    lifetime = answer.get("expires_in")
    seconds = float(lifetime) if isinstance(lifetime, (int, float)) and not isinstance(lifetime, bool) else None
    scope = answer.get("scope")
    return TokenSet(access, refresh, id_token, seconds, scope if isinstance(scope, str) else None)


class TokenClient:
    """Sends to token endpoints; meant for a worker thread, where nobody can cancel a request whose answer must not be lost.

    :param open_client: makes an HTTP client; it must not follow redirects, for secrets go to one address only
    """

    def __init__(self, open_client: Callable[[], httpx.Client], clock: Clock) -> None:
        self._open_client = open_client
        self._clock = clock

    def renew(self, endpoint: TokenEndpoint, refresh: Secret) -> TokenSet:
        """Trade a refresh token for new tokens.

        :raises RefreshFailed: the endpoint refused, or did not answer
        """
        return self.send(refresh_request(endpoint, refresh))

    def send(self, request: httpx.Request) -> TokenSet:
        """Send any request whose answer is tokens.

        :raises RefreshFailed: as above
        """
        try:
            with self._open_client() as client:
                request.headers["accept-encoding"] = "identity"
                response = client.send(request, stream=True)
                try:
                    body = _read(response)
                finally:
                    response.close()
        except UnpackingError as error:
            raise RefreshFailed(f"the token endpoint's answer cannot be used: {error}", retry_after=_DEFAULT_PAUSE) from None
        except httpx.HTTPError as error:
            raise RefreshFailed(
                f"the token endpoint at {request.url.host} did not answer ({type(error).__name__})", retry_after=_DEFAULT_PAUSE
            ) from None
        return read_tokens(response.status_code, response.headers, body, self._clock())


def _read(response: httpx.Response) -> bytes:
    """The body, unpacked, within ``MOST_ANSWER_BYTES``.

    :raises UnpackingError: larger, or not what its coding says
    """
    assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - a client that blocks has no other
    coding = content_coding(response.headers.get("content-encoding", ""))
    unpacker = Unpacker(coding, MOST_ANSWER_BYTES) if coding in CODINGS else None
    body = bytearray()
    for chunk in response.stream:
        for piece in (chunk,) if unpacker is None else unpacker.feed(chunk):
            body += piece
        if len(body) > MOST_ANSWER_BYTES:
            raise UnpacksTooLarge(f"it is larger than {MOST_ANSWER_BYTES} bytes")
    return bytes(body)


def _refusal(status: int, retry_after: float | None, answer: dict[str, Any]) -> RefreshFailed:
    reason = f"the token endpoint answered {status}{_named(answer)}"
    if status in (400, 401) or (status == 403 and answer):  # a bare 403 comes from what stands before the endpoint
        return RefreshRefused(reason)
    return RefreshFailed(reason, retry_after=min(_DEFAULT_PAUSE if retry_after is None else retry_after, _LONGEST_PAUSE))


def _named(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else error
    return f" ({code})" if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _secret(value: object) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value else None
