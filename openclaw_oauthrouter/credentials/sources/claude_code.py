"""Claude Code's own sign-in, ``.credentials.json``: read when the user allows it, never written or renewed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.credentials.profiles import decode_object, read_profile
from openclaw_oauthrouter.credentials.watched_file import WatchedFile

FILE_NAME = ".credentials.json"


class ClaudeCodeSource(Inventory):
    """The Claude sign-in Claude Code keeps.

    :param home: ``CLAUDE_CONFIG_DIR``, else ``~/.claude``
    """

    name = "claude-code"

    def __init__(self, home: Path, clock: Clock) -> None:
        super().__init__(clock)
        self._file = WatchedFile(home / FILE_NAME, decode_object, clock)

    def findings(self) -> Sequence[Finding]:
        """The one sign-in, if there is one."""
        content = self._file.read() or {}
        login = content.get("claudeAiOauth")
        if not isinstance(login, dict):
            return []
        entry = {"type": "oauth", "access": login.get("accessToken"), "expiresAt": login.get("expiresAt")}
        profile = read_profile("anthropic:claude-code", entry)
        return [profile.finding(self.name, renewal="start `claude` once, which renews it, or run `claude /login`")]
