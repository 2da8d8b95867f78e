"""The part of ``auth login`` that talks to the user: shows a page, and waits for its end in the browser or on the terminal."""

from __future__ import annotations

import secrets
import time
import uuid
import webbrowser
from types import TracebackType
from typing import Any

import click

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.credentials import chatgpt_login
from openclaw_oauthrouter.credentials.callback_server import HOST, CallbackServer
from openclaw_oauthrouter.credentials.refresh import TokenClient
from openclaw_oauthrouter.credentials.sources.store import StoreFile

PROFILE = f"{chatgpt_login.PROVIDER}:default"


@value(frozen=True, slots=True)
class SignInOptions:
    """What the command line says.

    :ivar paste: the browser runs elsewhere; its last address is pasted
    :ivar port: of 127.0.0.1, where the browser comes back to
    :ivar timeout: seconds to wait for it
    """

    paste: bool
    port: int
    timeout: float
    no_browser: bool
    authorize_url: str
    token_url: str


class PastedAddress:
    """Stands in for ``CallbackServer`` where the browser runs on another machine."""

    def __init__(self, port: int) -> None:
        self.redirect_uri = f"http://{HOST}:{port}{chatgpt_login.CALLBACK_PATH}"

    def __enter__(self) -> PastedAddress:
        """Nothing to start."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to stop."""

    def wait(self, state: str, seconds: float) -> str:
        """Ask for the address; it holds the code, hence it is not shown."""
        click.echo(
            "At the end, the browser shows a page that it cannot open. Copy the whole address of that page and paste it here.",
            err=True,
        )
        return str(click.prompt("Address", hide_input=True, err=True))


def sign_in(store: StoreFile, client: TokenClient, options: SignInOptions) -> None:
    """Lead through a sign-in and keep it; client id and host id of an earlier one are used again.

    :raises CredentialError: it was refused, came to nothing, or does not belong together
    """
    kept = store.get(PROFILE)
    with PastedAddress(options.port) if options.paste else CallbackServer(options.port) as visit:
        attempt = _begin(visit.redirect_uri, kept, options)
        click.echo(f"Sign in at:\n\n  {attempt.url()}\n", err=True)
        if not (options.paste or options.no_browser):
            webbrowser.open(attempt.url())
        address = visit.wait(attempt.state, options.timeout)
    grant = chatgpt_login.read_callback(attempt, address)
    tokens = client.send(chatgpt_login.exchange_request(attempt, grant))
    chatgpt_login.check_tokens(attempt, grant, tokens)
    store.put(PROFILE, chatgpt_login.profile_of(attempt, grant, tokens, time.time()))


def _begin(redirect_uri: str, kept: dict[str, Any], options: SignInOptions) -> chatgpt_login.LoginAttempt:
    return chatgpt_login.begin_login(
        redirect_uri,
        lambda: secrets.token_urlsafe(48),
        host_id=kept.get("hostId") or f"urn:uuid:{uuid.uuid4()}",
        client_id=kept.get("clientId"),
        authorize_url=options.authorize_url,
        token_url=options.token_url,
    )
