"""Credentials the host resolves for us: OpenClaw's own lookup, asked through whatever bridge its room provides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.finding import Finding, Inventory, bare_finding
from openclaw_oauthrouter.errors import CredentialError

KEPT_SECONDS = 60.0
"""How long an answer is used before the host is asked again; "none" is an answer too."""


class HostBridge(Protocol):
    """The way to the host.

    :ivar closed: set once the host has gone
    """

    closed: asyncio.Event

    async def resolve(self, provider: str) -> FrozenObject:
        """Ask for the credential the host would use itself.

        :param provider: as the host calls it: ``openai`` for keys and ChatGPT sign-ins alike
        :return: ``{"apiKey": …}``
        :raises CredentialError: it has none, or did not answer
        """


@value(frozen=True, slots=True)
class _Answer:
    finding: Finding
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
        return [answer.finding for answer in self._answers.values() if answer.until > now]

    def renewable(self, provider: str) -> bool:
        """Whether the host might have a credential: it is there and has not said otherwise lately."""
        return not self._bridge.closed.is_set() and not self._recent(provider)

    async def fresh(self, provider: str, rejected: Credential | None = None) -> Sequence[Credential]:
        """Ask the host, unless it has answered lately; a rejected credential makes it be asked again.

        :raises CredentialError: the host did not answer, or what it has cannot be used
        """
        if not self._bridge.closed.is_set() and (rejected is not None or not self._recent(provider)):
            finding = await self._ask(provider)
            self._answers[provider] = _Answer(finding, self._clock() + KEPT_SECONDS)
        return self.find(provider)

    def _recent(self, provider: str) -> bool:
        answer, now = self._answers.get(provider), self._clock()
        return answer is not None and answer.until > now and not answer.finding.expired(now)

    async def _ask(self, provider: str) -> Finding:
        name = f"host:{provider}"
        try:
            told = await self._bridge.resolve("openai" if provider == "openai-codex" else provider)
        except CredentialError as error:
            return Finding(name, provider, self.name, problem=error.message)
        secret = secret_text.clean(told.get("apiKey"))
        # The host files keys and ChatGPT sign-ins under one name; each goes only to the backend that takes it.
        if provider in ("openai", "openai-codex") and secret_text.is_chatgpt_token(secret) != (provider == "openai-codex"):
            return Finding(name, provider, self.name, problem="OpenClaw has a credential of OpenAI's, but of the other kind")
        return replace(bare_finding(name, provider, self.name, secret), renewal="OpenClaw renews it")
