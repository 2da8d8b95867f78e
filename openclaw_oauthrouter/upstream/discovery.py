"""Keeps the lists of models up to date: asks every usable provider in turn, keeps the answers, and says when something has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.listings import ListedModel, ListingError
from openclaw_oauthrouter.config.upstream import ModelListSettings
from openclaw_oauthrouter.errors import CredentialError
from openclaw_oauthrouter.interfaces import Credentials, ListsModels, Provider
from openclaw_oauthrouter.upstream.kept_lists import KeptList, KeptLists, load_lists, origin_of, save_lists
from openclaw_oauthrouter.upstream.model_lists import fetch_models

LOOK_SECONDS = 2.0
"""How often it is looked whether a list is due: a credential may have come, a list may have been fetched by a command."""

AGAIN_SECONDS = 600.0
"""After a failure a provider is asked again no sooner than this."""

_log = logging.getLogger(__name__)


@value(frozen=True, slots=True)
class Upstreams:
    """Whom to ask, and how.

    :ivar usable: whether a request could be sent to a provider now
    """

    providers: Mapping[str, Provider]
    credentials: Credentials
    transport: httpx.AsyncBaseTransport
    usable: Callable[[str], bool]


class Discovery:
    """Asks for lists of models.

    :param home: the state folder
    :param upstreams: as they are configured at the moment
    """

    def __init__(self, home: Path, settings: ModelListSettings, clock: Clock, upstreams: Callable[[], Upstreams]) -> None:
        self._home = home
        self._settings = settings
        self._clock = clock
        self._upstreams = upstreams
        self._lists = load_lists(home)

    @property
    def lists(self) -> KeptLists:
        """What is known."""
        return self._lists

    async def run(self, changed: Callable[[], None]) -> None:
        """For ever; cancel the task to end it.

        :param changed: called when what providers serve is not what it was; a failure of it is logged and felt by nobody
        """
        if not self._settings.enabled:
            return
        await asyncio.sleep(self._settings.first_after_seconds)
        while True:
            before = self._content()
            kept = load_lists(self._home)
            if kept.by_provider:
                self._lists = kept
            await self.refresh(only_due=True)
            if self._content() != before:
                self._tell(changed)
            await asyncio.sleep(LOOK_SECONDS)

    async def refresh(self, *, only_due: bool = False, names: Sequence[str] = ()) -> None:
        """Ask the usable providers and keep what they say.

        :param only_due: leave out those that were asked not long ago
        :param names: only these; all when empty
        """
        upstreams = self._upstreams()
        asked = [
            provider
            for name, provider in upstreams.providers.items()
            if (not names or name in names) and upstreams.usable(name) and (not only_due or self._is_due(provider))
        ]
        answers = await asyncio.gather(*(self._ask(upstreams, provider) for provider in asked))
        for provider, kept in zip(asked, answers, strict=True):
            if kept is not None:
                self._lists = self._lists.with_list(provider.name, kept)
        if any(kept is not None for kept in answers):
            save_lists(self._home, self._lists)

    def _is_due(self, provider: Provider) -> bool:
        kept = self._lists.by_provider.get(provider.name)
        if kept is None or kept.origin != origin_of(provider.origin):
            return True
        pause = self._settings.every_hours * 3600 if kept.problem is None else AGAIN_SECONDS
        return self._clock() - kept.asked >= pause

    async def _ask(self, upstreams: Upstreams, provider: Provider) -> KeptList | None:
        if not isinstance(provider, ListsModels):
            return None
        now = self._clock()
        known = self._lists.by_provider.get(provider.name)
        origin = origin_of(provider.origin)
        if known is None or known.origin != origin:
            known = KeptList(origin)
        try:
            credential = await _credential(upstreams, provider)
            models = await fetch_models(upstreams.transport, provider, credential, self._settings.answer_seconds)
        except (ListingError, CredentialError) as error:
            return replace(known, problem=str(error), asked=now)
        except Exception as error:  # noqa: BLE001 a plugin's provider must not end the task
            # The type only: the text of a foreign exception may quote a secret.
            return replace(known, problem=f"asking it failed ({type(error).__name__})", asked=now)
        return KeptList(origin, tuple(models), now, None, now)

    def _content(self) -> dict[str, tuple[str, Sequence[ListedModel]]]:
        return {name: (kept.origin, kept.models) for name, kept in self._lists.by_provider.items() if kept.models}

    def _tell(self, changed: Callable[[], None]) -> None:
        try:
            changed()
        except Exception:  # noqa: BLE001 the next list may be better
            _log.exception("the models that providers list now could not be taken over; those of before stay")


async def _credential(upstreams: Upstreams, provider: Provider) -> Credential | None:
    if not provider.needs_credential and not upstreams.credentials.available(provider.name):
        return None
    return next(iter(await upstreams.credentials.resolve(provider.name)), None)
