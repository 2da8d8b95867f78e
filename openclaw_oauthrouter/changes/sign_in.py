"""A sign-in with ChatGPT that goes on while the page waits: begun here, finished in the browser, kept in our own store."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable
from typing import Literal

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.credentials import chatgpt_login
from openclaw_oauthrouter.credentials.callback_server import CallbackServer
from openclaw_oauthrouter.credentials.refresh import TokenClient
from openclaw_oauthrouter.credentials.sources.store import StoreFile
from openclaw_oauthrouter.errors import CredentialError, OAuthRouterError

PROFILE = f"{chatgpt_login.PROVIDER}:default"
WAITS_SECONDS = 300.0

State = Literal["none", "waiting", "done", "failed"]


@value(frozen=True, slots=True)
class SignInState:
    """How a sign-in stands.

    :ivar words: what went wrong, or what was kept
    """

    state: State
    words: str = ""


class SignIn:
    """One sign-in at a time.

    :param client: talks to the token endpoint
    :param port: of 127.0.0.1, where the browser comes back to
    """

    def __init__(
        self,
        store: StoreFile,
        client: Callable[[], TokenClient],
        clock: Clock,
        *,
        port: int = chatgpt_login.CALLBACK_PORT,
        authorize_url: str = chatgpt_login.AUTHORIZE_URL,
        token_url: str = chatgpt_login.TOKEN_URL,
    ) -> None:
        self._store, self._client, self._clock = store, client, clock
        self._port, self._authorize_url, self._token_url = port, authorize_url, token_url
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self.state = SignInState("none")

    def begin(self) -> str:
        """Begin, and listen for the browser's return.

        :return: the page that the user opens
        :raises CredentialError: one is under way, or the port is taken
        """
        with self._guard:
            if self._thread is not None and self._thread.is_alive():
                raise CredentialError("a sign-in is under way; finish it in the browser, or wait until it is given up")
            visit = CallbackServer(self._port)
            kept = self._store.get(PROFILE)
            attempt = chatgpt_login.begin_login(
                visit.redirect_uri,
                lambda: secrets.token_urlsafe(48),
                host_id=kept.get("hostId") or f"urn:uuid:{uuid.uuid4()}",
                client_id=kept.get("clientId"),
                authorize_url=self._authorize_url,
                token_url=self._token_url,
            )
            self.state = SignInState("waiting")
            # A daemon: a gateway that is told to stop does not wait for somebody's browser.
            self._thread = threading.Thread(target=self._finish, args=(visit, attempt), name="sign-in", daemon=True)
            self._thread.start()
            return attempt.url()

    def _finish(self, visit: CallbackServer, attempt: chatgpt_login.LoginAttempt) -> None:
        try:
            with visit:
                address = visit.wait(attempt.state, WAITS_SECONDS)
            grant = chatgpt_login.read_callback(attempt, address)
            tokens = self._client().send(chatgpt_login.exchange_request(attempt, grant))
            chatgpt_login.check_tokens(attempt, grant, tokens)
            self._store.put(PROFILE, chatgpt_login.profile_of(attempt, grant, tokens, self._clock()))
        except OAuthRouterError as error:
            self.state = SignInState("failed", error.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page has to be told, and without quoting what may hold a secret
            self.state = SignInState("failed", f"the sign-in failed ({type(error).__name__})")
        else:
            self.state = SignInState("done", f"signed in; kept as {PROFILE!r}")
