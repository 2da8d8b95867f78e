"""What ``serve`` says when the gateway is up: where it listens, who answers, what is missing, and one line to try."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import click

from openclaw_oauthrouter.config.loading import LoadedSettings

if TYPE_CHECKING:
    from openclaw_oauthrouter.config import Settings
    from openclaw_oauthrouter.proxy.start import ProxyHandle
    from openclaw_oauthrouter.runtime import Runtime

OAUTH_NOTICE = (
    "note: an Anthropic OAuth token is in use. Anthropic's terms reserve these tokens for its own applications; "
    "using them here is your decision (README, 'Terms of the vendors')."
)


def greet(handle: ProxyHandle, loaded: LoadedSettings, *, demo: bool, as_json: bool = False) -> None:
    """Say where the gateway listens, what answers, and what to try.

    :param as_json: one JSON object in one line, for programs that start it
    """
    from openclaw_oauthrouter.proxy.exposure import is_loopback
    from openclaw_oauthrouter.proxy.local_token import token_path

    runtime, settings = handle.live.runtime, loaded.settings
    kept = token_path(settings.home) if settings.server.auth_token is None else None
    link = f"{handle.base_url}/debug/dashboard?code={handle.live.observers.logins.issue()}"
    usable, missing = runtime.usable_providers(), runtime.why_not_ready()
    host = settings.server.listen_host
    if not is_loopback(host):
        click.secho(_opened(host), fg="yellow", err=True)
    if as_json:
        told = {"address": handle.base_url, "tokenFile": str(kept) if kept else None, "dashboard": link}
        click.echo(json.dumps({**told, "demo": demo, "providers": usable, "ready": missing is None, "missing": missing}))
        return
    click.echo(
        f"OAuthRouter listens on {click.style(handle.base_url, bold=True)}  (OpenAI clients: base URL {handle.base_url}/v1)"
    )
    if kept is not None:
        click.echo(f"local token: {kept}")
    click.echo(f"dashboard (one-time link): {link}")
    if demo:
        click.echo("demo: every answer is built in; nothing leaves this machine or counts against a budget")
    elif usable:
        click.echo(f"providers: {', '.join(usable)}")
        if runtime.uses_anthropic_oauth():
            click.secho(OAUTH_NOTICE, fg="yellow", err=True)
    if not usable:
        _say_what_is_missing(runtime)
    elif missing is not None:
        click.secho(f"'auto' cannot be answered yet: {missing}", fg="yellow", err=True)
    elif sys.stdout and sys.stdout.isatty():
        click.echo(f"try: {_first_request(handle, settings)}")


def _opened(host: str) -> str:
    return (
        f"open to the network: any machine that can reach this one on {host} can use your credentials if it has the token; "
        "without TLS, the token and all prompts can be read on the way"
    )


def _say_what_is_missing(runtime: Runtime) -> None:
    from openclaw_oauthrouter.cli.first_minute.missing import HEADING, missing_lines, unusable_lines

    click.secho(HEADING, fg="yellow", err=True)
    for line in (*unusable_lines(runtime.credentials, runtime.settings), *missing_lines()):
        click.echo(line, err=True)


def _first_request(handle: ProxyHandle, settings: Settings) -> str:
    """One line for a shell that gets an answer."""
    from openclaw_oauthrouter.proxy.local_token import token_path

    kept = settings.server.auth_token is None
    token = f"$(cat {shlex.quote(str(token_path(settings.home)))})" if kept else "$OAUTHROUTER_LOCAL_TOKEN"
    body = '{"model":"auto","messages":[{"role":"user","content":"hi"}]}'
    return f"curl -s {handle.base_url}/v1/chat/completions -H \"Authorization: Bearer {token}\" -d '{body}'"
