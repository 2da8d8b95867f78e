"""OpenClaw's former credential files, ``auth-profiles.json``: an agent's own, then the one its agents share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openclaw_oauthrouter.config.credentials import CredentialSettings
from openclaw_oauthrouter.credentials.renewing_profiles import RenewingProfiles
from openclaw_oauthrouter.credentials.sources.openclaw import database_paths, login_command

FILE_NAME = "auth-profiles.json"


class AuthProfilesSource(RenewingProfiles):
    """Profiles of ``auth-profiles.json``."""

    name = "auth-profiles"

    def renewal(self, provider: str) -> str:
        """OpenClaw's own sign-in."""
        return login_command(provider)


def auth_profile_paths(state_dir: Path, agent: str) -> tuple[Path, ...]:
    """Where the files lie, the agent's own first."""
    return (state_dir / "agents" / agent / "agent" / FILE_NAME, state_dir / FILE_NAME)


def renewal_policy(settings: CredentialSettings, state_dir: Path) -> Callable[[], bool]:
    """Whether these files are ours to write: by default only while OpenClaw keeps no database beside them.

    A current OpenClaw takes the files for leftovers to migrate; whoever writes them then disturbs it.
    """
    if settings.refresh_auth_profiles == "auto":
        databases = database_paths(state_dir, settings.agent)
        return lambda: not any(path.exists() for path in databases)
    allowed = settings.refresh_auth_profiles == "always"
    return lambda: allowed
