"""Builds the built-in sources from the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.places import openclaw_state_dir
from openclaw_oauthrouter.credentials.chatgpt_login import PROVIDER, RESOURCE, TOKEN_URL
from openclaw_oauthrouter.credentials.profile_file import EndpointOf, ProfileFile
from openclaw_oauthrouter.credentials.profiles import Profile
from openclaw_oauthrouter.credentials.refresh import CODEX_CLIENT_ID, TokenClient, TokenEndpoint
from openclaw_oauthrouter.credentials.renewing_profiles import lead_seconds
from openclaw_oauthrouter.credentials.sources.auth_profiles import AuthProfilesSource, auth_profile_paths, renewal_policy
from openclaw_oauthrouter.credentials.sources.claude_code import ClaudeCodeSource
from openclaw_oauthrouter.credentials.sources.codex_cli import CodexCliSource
from openclaw_oauthrouter.credentials.sources.config import ConfigSource
from openclaw_oauthrouter.credentials.sources.environment import EnvironmentSource
from openclaw_oauthrouter.credentials.sources.openclaw import OpenClawSource
from openclaw_oauthrouter.credentials.sources.store import FILE_NAME, StoreSource
from openclaw_oauthrouter.interfaces import CredentialSource

_ANSWER_SECONDS = httpx.Timeout(30.0, connect=10.0)


def builtin_sources(
    settings: Settings, environ: Mapping[str, str], clock: Clock, chance: Callable[[], float]
) -> Sequence[CredentialSource]:
    """The built-in sources; the host's own is offered by the host's room.

    :param environ: environment variables
    :param clock: Unix seconds
    :param chance: draws from 0 to 1, so that not all processes renew at once
    """
    options, state_dir = settings.credentials, openclaw_state_dir(settings, environ)
    client, lead, codex = token_client(settings, clock), lead_seconds(chance()), _codex_endpoint(options.openai_token_url)
    policy = renewal_policy(options, state_dir)
    profile_files = [ProfileFile(path, client, codex, policy, clock) for path in auth_profile_paths(state_dir, options.agent)]
    own_file = ProfileFile(settings.home / FILE_NAME, client, _own_endpoint(codex), lambda: True, clock)
    sources: list[CredentialSource] = [
        ConfigSource(settings.providers, clock),
        EnvironmentSource(environ, settings.providers, clock),
        StoreSource([own_file], clock, lead),
        OpenClawSource(state_dir, options.agent, environ, clock),
        AuthProfilesSource(profile_files, clock, lead),
    ]
    if options.codex_cli:
        sources.append(CodexCliSource(_folder(environ, "CODEX_HOME", ".codex"), clock))
    if options.claude_code:
        sources.append(ClaudeCodeSource(_folder(environ, "CLAUDE_CONFIG_DIR", ".claude"), clock))
    return sources


def token_client(settings: Settings, clock: Clock) -> TokenClient:
    """A client for token endpoints; redirects are not followed, for secrets go to one address only."""
    trust_env = settings.upstream.trust_env
    return TokenClient(lambda: _client(trust_env, settings.upstream.ca_file), clock)


def _client(trust_env: bool, ca_file: Path | None) -> httpx.Client:
    context = httpx.create_ssl_context(trust_env=trust_env)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return httpx.Client(timeout=_ANSWER_SECONDS, trust_env=trust_env, follow_redirects=False, verify=context)


def _codex_endpoint(url: str) -> EndpointOf:
    endpoint = TokenEndpoint(url, CODEX_CLIENT_ID)
    return lambda profile: endpoint if profile.provider == "openai-codex" else None


def _own_endpoint(codex: EndpointOf) -> EndpointOf:
    def endpoint_of(profile: Profile) -> TokenEndpoint | None:
        if profile.provider != PROVIDER:
            return codex(profile)
        return TokenEndpoint(profile.token_url or TOKEN_URL, profile.client_id, RESOURCE) if profile.client_id else None

    return endpoint_of


def _folder(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    return Path(environ[variable]).expanduser() if environ.get(variable) else Path.home() / usual
