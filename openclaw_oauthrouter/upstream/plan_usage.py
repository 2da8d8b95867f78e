"""Asks plans how full their windows are, where nobody has told for a while: so that routing knows before the first request, not after it.

Every answer tells of windows by itself; this is for a gateway that has just started or was idle. A plan is asked once, then not again until
requests of its own have been answered: the endpoints are rate limited themselves. Tokens are used as they are found, never renewed for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.config.upstream import PlanUsageSettings
from openclaw_oauthrouter.interfaces import Health, TellsUsage
from openclaw_oauthrouter.upstream.discovery import Upstreams

LOOK_SECONDS = 5.0
"""How often it is looked whether a plan should be asked."""

MOST_BYTES = 64 * 1024

_log = logging.getLogger(__name__)


class PlanUsage:
    """Keeps what is known of plans' windows from growing stale.

    :param clock: Unix seconds
    :param upstreams: as they are configured at the moment
    :param found: a provider's credentials as they lie there
    :param health: is told what plans say
    """

    def __init__(
        self,
        settings: PlanUsageSettings,
        clock: Clock,
        upstreams: Callable[[], Upstreams],
        found: Callable[[str], Sequence[Credential]],
        health: Callable[[], Health],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._upstreams = upstreams
        self._found = found
        self._health = health
        self._known_when_asked: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """For ever; cancel the task to end it."""
        if not self._settings.enabled:
            return
        await asyncio.sleep(self._settings.first_after_seconds)
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
        told = self._told(provider, credential)
        if self._clock() - told < self._settings.stale_minutes * 60:
            return False
        # What it was told when it was asked last is all there is: no request was answered since.
        return self._known_when_asked.get((provider, _name(credential))) != told

    async def _ask(self, transport: httpx.AsyncBaseTransport, provider: TellsUsage, credential: Credential | None) -> None:
        try:
            request = provider.usage_request(credential)
            if request is None:
                return
            async with asyncio.timeout(self._settings.answer_seconds):
                said = provider.usage_headers(await _body(transport, request))
            self._health().observe_headers(provider.name, credential.name if credential else None, said)
        except Exception as error:  # noqa: BLE001 nothing depends on it, and a plugin's provider must not end the task
            # The type only: the text of a foreign exception may quote a secret.
            _log.info("%s does not say how full its windows are (%s)", provider.name, type(error).__name__)
        finally:
            self._known_when_asked[provider.name, _name(credential)] = self._told(provider.name, credential)

    def _told(self, provider: str, credential: Credential | None) -> float:
        return self._health().windows_told_at(provider, credential.name if credential else None)


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
