"""Sign in with ChatGPT: the OAuth code flow with PKCE, as requests and answers; who opens browsers and sockets is not known here."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.credentials.profile_file import renewed_fields
from openclaw_oauthrouter.credentials.refresh import TokenSet
from openclaw_oauthrouter.errors import CredentialError

PROVIDER = "openai-chatgpt"
AUTHORIZE_URL = "https://auth.openai.com/api/accounts/authorize"
TOKEN_URL = "https://auth.openai.com/api/accounts/oauth/token"
RESOURCE = "https://api.openai.com/v1"
DYNAMIC_CLIENT = "dynamic_agent_client"
"""Who we are before the first sign-in; its callback hands out a client id of our own."""

SCOPE = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct"
AGENT_NAME = "openclaw-oauthrouter"


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One attempt to sign in.

    :ivar redirect_uri: where the browser is sent afterwards
    :ivar client_id: the one issued at an earlier sign-in, else ``DYNAMIC_CLIENT``
    :ivar host_id: tells this machine's sign-in from another's; random, kept with the sign-in
    :ivar state: random; the callback must bring it back
    :ivar verifier: random; proves to the token endpoint that we began the attempt
    """

    redirect_uri: str
    client_id: str
    host_id: str
    authorize_url: str = AUTHORIZE_URL
    token_url: str = TOKEN_URL
    state: str = field(default="", repr=False)
    verifier: str = field(default="", repr=False)

    def url(self) -> str:
        """The page the user opens."""
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "resource": RESOURCE,
            "agent_name_hint": AGENT_NAME,
            "ext_agent_host_id": self.host_id,
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.authorize_url}?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What the callback brings.

    :ivar client_id: the client id to use from now on
    """

    code: Secret
    client_id: str


def begin_login(
    redirect_uri: str,
    new_secret: Callable[[], str],
    *,
    client_id: str | None = None,
    host_id: str | None = None,
    authorize_url: str = AUTHORIZE_URL,
    token_url: str = TOKEN_URL,
) -> LoginAttempt:
    """Start an attempt.

    :param new_secret: makes unguessable URL-safe texts of at least 43 characters
    """
    return LoginAttempt(
        redirect_uri,
        client_id or DYNAMIC_CLIENT,
        host_id or new_secret(),
        authorize_url,
        token_url,
        state=new_secret(),
        verifier=new_secret(),
    )


def read_callback(attempt: LoginAttempt, url: str) -> Grant:
    """Read the address the browser was sent to, whole or only its query.

    :raises CredentialError: the user refused, or the address does not belong to this attempt
    """
    text = url.strip()
    query = parse_qs(urlsplit(text).query or text.lstrip("?"))
    told = {key: values[0] for key, values in query.items()}
    if not compare_digest(told.get("state", "").encode(), attempt.state.encode()):
        raise CredentialError("the callback does not belong to this sign-in; start again and use the newest page")
    if "error" in told:
        raise CredentialError(f"the sign-in was refused ({told['error']:.80})")
    if not told.get("code"):
        raise CredentialError("the callback brings no code; copy the whole address")
    return Grant(Secret(told["code"]), told.get("client_id") or attempt.client_id)


def exchange_request(attempt: LoginAttempt, grant: Grant) -> httpx.Request:
    """The request that trades the code for tokens."""
    form = {
        "grant_type": "authorization_code",
        "code": grant.code.reveal(),
        "redirect_uri": attempt.redirect_uri,
        "client_id": grant.client_id,
        "code_verifier": attempt.verifier,
        "resource": RESOURCE,
    }
    return httpx.Request("POST", attempt.token_url, data=form, headers={"accept": "application/json"})


def profile_of(attempt: LoginAttempt, grant: Grant, tokens: TokenSet, now: float) -> dict[str, Any]:
    """The sign-in as our store keeps it.

    :param now: Unix seconds
    """
    entry = {"type": "oauth", "provider": PROVIDER, "clientId": grant.client_id, "hostId": attempt.host_id}
    if attempt.token_url != TOKEN_URL:
        entry["tokenUrl"] = attempt.token_url
    return entry | renewed_fields(tokens, now)
