"""OpenClaw's former credential files, ``auth-profiles.json``: an agent's own, then the one its agents share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.credentials.profiles import parse_store
from openclaw_oauthrouter.credentials.watched_file import WatchedFile
from openclaw_oauthrouter.errors import CredentialError

FILE_NAME = "auth-profiles.json"
RENEWAL = "run `openclaw models auth login` for it"


def auth_profile_paths(state_dir: Path, agent: str) -> tuple[Path, ...]:
    """Where the files lie, the agent's own first."""
    return (state_dir / "agents" / agent / "agent" / FILE_NAME, state_dir / FILE_NAME)


class AuthProfilesSource(Inventory):
    """Profiles of ``auth-profiles.json``."""

    name = "auth-profiles"

    def __init__(self, paths: Sequence[Path], clock: Clock) -> None:
        super().__init__(clock)
        self._files = [WatchedFile(path, parse_store) for path in paths]

    def findings(self) -> Sequence[Finding]:
        """Last good ones first, then as ordered, then as filed; a damaged file does not hide the other."""
        found: list[Finding] = []
        problem: CredentialError | None = None
        for file in self._files:
            try:
                store = file.read()
            except CredentialError as error:
                problem = problem or error
                continue
            if store is not None:
                found += [profile.finding(self.name, renewal=RENEWAL) for profile in store.profiles]
        if problem is not None and not found:
            raise CredentialError(problem.message, code=problem.code)
        return found
