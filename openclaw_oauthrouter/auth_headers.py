"""Ready-made authentication headers for programs of one's own; the original's auth profile helpers."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import TypedDict

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.credentials.builtin import builtin_sources
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.errors import CredentialError, CredentialNotFound


class CodexAuthHeader(TypedDict):
    """The header, the profile it comes from, and whether its token has just been renewed; spelt as in the original."""

    Authorization: str
    profileId: str
    refreshed: bool


def get_anthropic_auth_header(*, settings: Settings | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """``{"Authorization": "Bearer sk-ant-oat01-…"}``.

    :param settings: the configuration file's when absent
    :param environ: the process's own when absent
    :raises CredentialNotFound: there is no Anthropic sign-in token
    :raises CredentialExpired: there is one, and Claude Code or OpenClaw has to renew it
    """
    found = _chain(settings, environ).find("anthropic")
    return _bearer(_first([item for item in found if item.kind != "api_key"], "an Anthropic sign-in token (sk-ant-oat…)"))


def get_anthropic_api_key_header(*, settings: Settings | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """``{"x-api-key": "sk-ant-api03-…"}``.

    :raises CredentialNotFound: there is no Anthropic API key
    """
    found = _chain(settings, environ).find("anthropic")
    credential = _first([item for item in found if item.kind == "api_key"], "an Anthropic API key")
    return {credential.header or "x-api-key": credential.secret.reveal()}


def get_openai_auth_header(*, settings: Settings | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """``{"Authorization": "Bearer sk-…"}`` for the OpenAI API.

    :raises CredentialNotFound: there is no OpenAI API key
    """
    return _bearer(_chain(settings, environ).find("openai")[0])


async def get_openai_codex_auth_header(
    *, settings: Settings | None = None, environ: Mapping[str, str] | None = None
) -> CodexAuthHeader:
    """``{"Authorization": "Bearer …", "profileId": …, "refreshed": …}`` for the Codex backend; renews the token where that is ours to do.

    :raises CredentialNotFound: there is no ChatGPT sign-in
    :raises CredentialExpired: there is one, and its owner has to renew it
    :raises RefreshFailed: the token endpoint refused or did not answer
    """
    chain = _chain(settings, environ)
    alive = _alive(chain, "openai-codex")
    credential = (await chain.resolve("openai-codex"))[0]
    refreshed = credential not in alive
    return {"Authorization": f"Bearer {credential.secret.reveal()}", "profileId": credential.name, "refreshed": refreshed}


def _chain(settings: Settings | None, environ: Mapping[str, str] | None) -> CredentialChain:
    environ = process_environment() if environ is None else environ
    settings = load_settings(environ=environ).settings if settings is None else settings
    sources = builtin_sources(settings, environ, time.time, random.SystemRandom().random)
    return CredentialChain(sources, settings.credentials, time.time, settings.providers)


def _alive(chain: CredentialChain, provider: str) -> Sequence[Credential]:
    try:
        return chain.find(provider)
    except CredentialError:
        return ()


def _first(found: list[Credential], wanted: str) -> Credential:
    if not found:
        raise CredentialNotFound(f"none of the credentials of provider 'anthropic' is {wanted}")
    return found[0]


def _bearer(credential: Credential) -> dict[str, str]:
    if credential.header is not None:
        return {credential.header: credential.secret.reveal()}
    return {"Authorization": f"Bearer {credential.secret.reveal()}"}
