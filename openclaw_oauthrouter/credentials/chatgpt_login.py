"""Sign in with ChatGPT: the OAuth code flow with PKCE, as requests and answers; who opens browsers and sockets is not known here.

Source of the facts: developers.openai.com/siwc, "Registration and sign-in" for open-source and locally hosted tools.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import field
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.credentials.profile_file import renewed_fields
from openclaw_oauthrouter.credentials.refresh import TokenSet
from openclaw_oauthrouter.errors import CredentialError

PROVIDER = "openai-chatgpt"
AUTHORIZE_URL = "https://auth.openai.com/api/accounts/authorize"
TOKEN_URL = "https://auth.openai.com/api/accounts/oauth/token"
RESOURCE = "https://api.openai.com/v1"
CALLBACK_PATH = "/auth/callback"
CALLBACK_PORT = 1455
DYNAMIC_CLIENT = "dynamic_agent_client"
"""Who we are before the first sign-in; its callback hands out the client id to use from then on."""

PLAN_SCOPE = "chatgpt.tokens.use.direct"
SCOPE = f"openid profile email offline_access resource.invoke {PLAN_SCOPE}"
AGENT_NAME = "openclaw-oauthrouter"


@value(frozen=True, slots=True)
class LoginAttempt:
    """One attempt to sign in.

    :ivar redirect_uri: where the browser is sent afterwards
    :ivar client_id: the one issued at an earlier sign-in, else ``DYNAMIC_CLIENT``
    :ivar host_id: ``urn:uuid:…`` of this installation; kept with the sign-in
    :ivar state: random; the callback must bring it back
    :ivar nonce: random; the identity token must bring it back
    :ivar verifier: random; proves to the token endpoint that we began the attempt
    """

    redirect_uri: str
    client_id: str
    host_id: str
    authorize_url: str
    token_url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    def url(self) -> str:
        """The page the user opens."""
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "resource": RESOURCE,
            "ext_agent_host_id": self.host_id,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if self.client_id == DYNAMIC_CLIENT:
            query["agent_name_hint"] = AGENT_NAME
        return f"{self.authorize_url}?{urlencode(query)}"


@value(frozen=True, slots=True)
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
    host_id: str,
    client_id: str | None = None,
    authorize_url: str = AUTHORIZE_URL,
    token_url: str = TOKEN_URL,
) -> LoginAttempt:
    """Start an attempt.

    :param new_secret: makes unguessable URL-safe texts of at least 43 characters
    """
    state, nonce, verifier = new_secret(), new_secret(), new_secret()
    return LoginAttempt(redirect_uri, client_id or DYNAMIC_CLIENT, host_id, authorize_url, token_url, state, nonce, verifier)


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
        raise CredentialError(f"the sign-in was refused ({told['error']!r:.80})")
    if "code" not in told:
        raise CredentialError("the callback brings no code; copy the whole address")
    return Grant(Secret(told["code"]), _issued_client(attempt, told))


def _issued_client(attempt: LoginAttempt, told: Mapping[str, str]) -> str:
    issued = told.get("client_id")
    if attempt.client_id != DYNAMIC_CLIENT:
        if issued not in (None, attempt.client_id):
            raise CredentialError(
                "the callback is for another registration; sign in with the account used before, or log out first"
            )
        return attempt.client_id
    if issued in (None, DYNAMIC_CLIENT):
        raise CredentialError("the callback brings no client id of our own; start the sign-in again")
    return str(issued)


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


def check_tokens(attempt: LoginAttempt, grant: Grant, tokens: TokenSet) -> None:
    """Make sure that the answer belongs to this attempt and allows what it was asked for.

    The identity token's signature is not checked: it comes straight from the token endpoint over TLS (OpenID Connect Core 3.1.3.7).

    :raises CredentialError: it does not
    """
    if tokens.scope is not None and PLAN_SCOPE not in tokens.scope.split():
        raise CredentialError("the sign-in does not allow the plan to be used; sign in again and agree to that on the page")
    if tokens.refresh is None:
        raise CredentialError("the sign-in brings no refresh token; sign in again")
    claims = jwt.claims(tokens.id_token.reveal()) if tokens.id_token else {}
    audience = claims.get("aud")
    if claims.get("nonce") != attempt.nonce or grant.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise CredentialError("the identity that came back does not belong to this sign-in; start again")


def profile_of(attempt: LoginAttempt, grant: Grant, tokens: TokenSet, now: float) -> dict[str, Any]:
    """The sign-in as our store keeps it.

    :param now: Unix seconds
    """
    entry = {"type": "oauth", "provider": PROVIDER, "clientId": grant.client_id, "hostId": attempt.host_id}
    email = jwt.claims(tokens.id_token.reveal()).get("email") if tokens.id_token else None
    if isinstance(email, str):
        entry["email"] = email
    if attempt.token_url != TOKEN_URL:
        entry["tokenUrl"] = attempt.token_url
    return entry | renewed_fields(tokens, now)
