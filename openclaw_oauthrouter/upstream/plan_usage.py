"""Asks plans how full their windows are, where nobody has told for a while: so that routing knows before the first request, not after it.

Most answers tell of windows by themselves; this is for a gateway that has just started or was idle, and for plans whose answers do not. A plan is
asked once, then not again until calls of its own have been made: the endpoints are rate limited themselves. One that does not say is asked
after pauses that double. Tokens are used as they are found, never renewed for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import NamedTuple

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.config.upstream import PlanUsageSettings
from openclaw_oauthrouter.interfaces import Health, TellsUsage
from openclaw_oauthrouter.upstream.discovery import Upstreams

LOOK_SECONDS = 5.0
"""How often it is looked whether a plan should be asked."""

MOST_BYTES = 64 * 1024

LONGEST_PAUSE_SECONDS = 86_400.0
"""A plan that has never said how full it is, is asked no less often."""

_log = logging.getLogger(__name__)


class _Asked(NamedTuple):
    """When a plan was asked last, and how often in a row it did not say."""

    at: float
    in_vain: int


class PlanUsage:
    """Keeps what is known of plans' windows from growing stale.

    :param clock: Unix seconds
    :param upstreams: as they are configured at the moment
    :param found: a provider's credentials as they lie there
    :param health: is told what plans say
    :param turn: place among workers that serve one port; each waits for the answer that the one before it may get
    """

    def __init__(
        self,
        settings: PlanUsageSettings,
        clock: Clock,
        upstreams: Callable[[], Upstreams],
        found: Callable[[str], Sequence[Credential]],
        health: Callable[[], Health],
        turn: int = 0,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._upstreams = upstreams
        self._found = found
        self._health = health
        self._waits = turn * (settings.answer_seconds + LOOK_SECONDS)
        self._asked: dict[tuple[str, str], _Asked] = {}

    async def run(self) -> None:
        """For ever; cancel the task to end it."""
        if not self._settings.enabled:
            return
        await asyncio.sleep(self._settings.first_after_seconds + self._waits)
        while True:
            await self.refresh()
            await asyncio.sleep(LOOK_SECONDS)

    async def refresh(self) -> None:
        """Ask every plan of which nothing new is known."""
        upstreams = self._upstreams()
        asked = [
            self._ask(upstreams.transport, provider, credential)
            for name, provider in upstreams.providers.items()
            if isinstance(provider, TellsUsage) and upstreams.usable(name)
            for credential in (self._found(name) or (None,))
            if self._is_due(name, credential)
        ]
        await asyncio.gather(*asked)

    def _is_due(self, provider: str, credential: Credential | None) -> bool:
        stale, now = self._settings.stale_minutes * 60 + self._waits, self._clock()
        if now - self._health().windows_told_at(provider, credential.name if credential else None) < stale:
            return False
        asked = self._asked.get((provider, _name(credential)))
        if asked is None:
            return True
        # Without a call since, what it said then is all there is.
        called = self._health().called_at(provider, credential.name if credential else None)
        return called > asked.at and now - asked.at >= min(
            stale * 2.0 ** min(asked.in_vain, 32), max(stale, LONGEST_PAUSE_SECONDS)
        )

    async def _ask(self, transport: httpx.AsyncBaseTransport, provider: TellsUsage, credential: Credential | None) -> None:
        key, began, in_vain = (provider.name, _name(credential)), self._clock(), True
        try:
            request = provider.usage_request(credential)
            if request is None:
                return
            async with asyncio.timeout(self._settings.answer_seconds):
                said = provider.usage_headers(await _body(transport, request))
            self._health().observe_headers(provider.name, credential.name if credential else None, said)
            in_vain = not said
        except Exception as error:  # noqa: BLE001 nothing depends on it, and a plugin's provider must not end the task
            # The type only: the text of a foreign exception may quote a secret.
            _log.info("%s does not say how full its windows are (%s)", provider.name, type(error).__name__)
        finally:
            before = self._asked.get(key)
            self._asked[key] = _Asked(began, (before.in_vain if before else 0) + 1 if in_vain else 0)


def _name(credential: Credential | None) -> str:
    return credential.name if credential else ""


async def _body(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> bytes:
    request.headers["accept-encoding"] = "identity"
    request.extensions.setdefault("timeout", {"connect": 5.0, "pool": 1.0})
    response = await transport.handle_async_request(request)
    try:
        if response.status_code != HTTPStatus.OK:
            raise ValueError("no answer")
        body = b""
        async for part in response.aiter_raw():
            body += part
            if len(body) > MOST_BYTES:
                raise ValueError("too long an answer")
        return body
    finally:
        await response.aclose()
