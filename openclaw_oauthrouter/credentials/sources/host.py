"""Credentials the host resolves for us: OpenClaw's own lookup, asked through whatever bridge its room provides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.finding import Finding, Inventory, bare_finding
from openclaw_oauthrouter.errors import CredentialError

KEPT_SECONDS = 60.0
"""How long an answer is used before the host is asked again; "none" is an answer too."""


class HostBridge(Protocol):
    """The way to the host."""

    def connected(self) -> bool:
        """Whether somebody is listening."""

    async def resolve(self, provider: str) -> Secret | None:
        """Ask for the secret the host would use itself.

        :param provider: as the host calls it: ``openai`` for keys and ChatGPT sign-ins alike
        :return: ``None`` when the host has none
        :raises CredentialError: it did not answer, in time or at all
        """


@dataclass(frozen=True, slots=True)
class _Answer:
    findings: tuple[Finding, ...]
    until: float


class HostSource(Inventory):
    """What the host resolves; renewal is the host's business."""

    name = "host"

    def __init__(self, bridge: HostBridge, clock: Clock) -> None:
        super().__init__(clock)
        self._bridge = bridge
        self._answers: dict[str, _Answer] = {}

    def findings(self) -> Sequence[Finding]:
        """What the host answered lately."""
        now = self._clock()
        return [finding for answer in self._answers.values() if answer.until > now for finding in answer.findings]

    def renewable(self, provider: str) -> bool:
        """Whether the host might have a credential: it is there and has not said otherwise lately."""
        return self._bridge.connected() and self._recent(provider) is None

    async def fresh(self, provider: str, rejected: Credential | None = None) -> Sequence[Credential]:
        """Ask the host, unless it has answered lately; a rejected credential makes it be asked again.

        :raises CredentialError: the host did not answer, or what it has cannot be used
        """
        if self._bridge.connected() and (rejected is not None or self._recent(provider) is None):
            await self._ask(provider)
        return self.find(provider)

    def _recent(self, provider: str) -> _Answer | None:
        answer = self._answers.get(provider)
        now = self._clock()
        fresh = answer is not None and answer.until > now and not any(item.expired(now) for item in answer.findings)
        return answer if fresh else None

    async def _ask(self, provider: str) -> None:
        until = self._clock() + KEPT_SECONDS
        try:
            secret = await self._bridge.resolve("openai" if provider == "openai-codex" else provider)
        except CredentialError:
            self._answers[provider] = _Answer((), until)
            raise
        found = (bare_finding(f"host:{provider}", provider, self.name, secret.reveal()),) if secret else ()
        self._answers[provider] = _Answer(tuple(item for item in found if _belongs(item, secret)), until)


def _belongs(finding: Finding, secret: Secret | None) -> bool:
    """The host files keys and ChatGPT sign-ins under one name; each goes only to the backend that takes it."""
    signed_in = secret is not None and secret_text.is_chatgpt_token(secret.reveal())
    return finding.provider not in ("openai", "openai-codex") or signed_in == (finding.provider == "openai-codex")
