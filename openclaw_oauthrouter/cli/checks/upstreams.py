"""The providers: is there a credential, how long does it live, and can the server be reached; no request is made, no token spent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, failure, ok, warning
from openclaw_oauthrouter.config.places import openclaw_config_file
from openclaw_oauthrouter.credentials.advice import how_to_get
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError
from openclaw_oauthrouter.interfaces import CredentialSource, Provider
from openclaw_oauthrouter.openclaw.installation import route_in
from openclaw_oauthrouter.plugins import create_plugin_manager

_SECONDS = 5.0
_SOON_SECONDS = 600.0


def check_upstreams(around: Surroundings) -> Iterator[Result]:
    """Each provider that could be used: credential and connection. One usable provider is enough."""
    try:
        plugins = create_plugin_manager()
        providers = list(Builder(around.settings, plugins).providers.values())
        credentials = Builder(around.settings, plugins).credentials
    except ConfigurationError as error:
        yield failure("credentials", error.message, "openclaw-oauthrouter config edit")
        return
    for provider in providers:
        yield from _check_provider(around, credentials, provider)
    if not any(not provider.needs_credential or credentials.available(provider.name) for provider in providers):
        yield _nothing_usable(around)


def _nothing_usable(around: Surroundings) -> Result:
    if route_in(openclaw_config_file(around.settings, around.environ)) in ("linked", "copied"):
        return warning("credentials", "none found here; OpenClaw may still lend its own", "openclaw models auth list")
    return failure("credentials", "no provider can be used yet", how_to_get("anthropic"))


def _check_provider(around: Surroundings, credentials: CredentialChain, provider: Provider) -> Iterator[Result]:
    sources = credentials.sources
    credential = _first(sources, provider.name)
    name = f"credential {provider.name}"
    if credential is not None:
        yield _judge_expiry(name, credential, around.clock)
    elif credentials.available(provider.name):
        yield ok(name, "it has expired and will be renewed with the next request")
    elif not provider.needs_credential:
        yield ok(name, "none needed")
    elif provider.name in around.settings.providers:
        advice = how_to_get(provider.name, around.settings.providers.get(provider.name))
        yield warning(name, _problem(sources, provider.name), advice)
        return
    else:
        return
    yield _connect(provider)


def _first(sources: Iterable[CredentialSource], provider: str) -> Credential | None:
    for source in sources:
        try:
            found = source.find(provider)
        except CredentialError:
            continue
        if found:
            return found[0]
    return None


def _problem(sources: Iterable[CredentialSource], provider: str) -> str:
    """Why no source has one."""
    for source in sources:
        try:
            source.find(provider)
        except CredentialError as error:
            return error.message
    return "there is none"


def _judge_expiry(name: str, credential: Credential, clock: Clock) -> Result:
    detail = f"{credential.name} ({credential.kind}, source {credential.source})"
    if credential.expires_at is None:
        return ok(name, detail)
    left = credential.expires_at - clock()
    detail = f"{detail}, expires in {timedelta(seconds=int(left))}"
    if left < _SOON_SECONDS and credential.kind == "token":
        return warning(name, detail, f"renew it: {how_to_get(credential.provider)}")
    return ok(name, detail)


def _connect(provider: Provider) -> Result:
    name = f"connection {provider.name}"
    parts = urlsplit(provider.origin)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connection:
            if parts.scheme == "https":
                with ssl.create_default_context().wrap_socket(connection, server_hostname=host):
                    return ok(name, f"{host}:{port} answers with a valid certificate")
    except ssl.SSLError as error:
        remedy = "check the clock, any proxy that intercepts TLS, and SSL_CERT_FILE"
        return failure(name, f"{host}:{port}: {error.reason or error}", remedy)
    except OSError as error:
        remedy = "check the network; this check connects directly, so behind a proxy it proves nothing"
        return warning(name, f"{host}:{port} cannot be reached ({error})", remedy)
    return ok(name, f"{host}:{port} answers")
