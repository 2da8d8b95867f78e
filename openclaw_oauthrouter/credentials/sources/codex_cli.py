"""Codex CLI's own sign-in, ``auth.json``: read when the user allows it, never written or renewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.credentials.profiles import decode_object, read_profile
from openclaw_oauthrouter.credentials.watched_file import WatchedFile

FILE_NAME = "auth.json"


class CodexCliSource(Inventory):
    """The ChatGPT sign-in and the API key Codex CLI keeps.

    :param home: ``CODEX_HOME``, else ``~/.codex``
    """

    name = "codex-cli"

    def __init__(self, home: Path, clock: Clock) -> None:
        super().__init__(clock)
        self._file = WatchedFile(home / FILE_NAME, decode_object, clock)

    def findings(self) -> Sequence[Finding]:
        """The sign-in, then the key."""
        return list(self._entries(self._file.read() or {}))

    def _entries(self, content: FrozenObject) -> Iterator[Finding]:
        tokens = content.get("tokens")
        if isinstance(tokens, dict):
            entry = {"type": "oauth", "access": tokens.get("access_token"), "accountId": tokens.get("account_id")}
            profile = read_profile("openai-codex:codex-cli", entry)
            yield profile.finding(self.name, renewal="run `codex login`, or any `codex` command, which renews it")
        if secret_text.clean(content.get("OPENAI_API_KEY")):
            yield read_profile("openai:codex-cli", {"type": "api_key", "key": content["OPENAI_API_KEY"]}).finding(self.name)
