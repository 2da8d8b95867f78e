"""All credential sources in the configured order: who authenticates the next request, and what is missing when nobody can."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.value import derive, value
from openclaw_oauthrouter.config.credentials import DEFAULT_ORDER, CredentialSettings
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.credentials.advice import how_to_get
from openclaw_oauthrouter.credentials.finding import Inventory
from openclaw_oauthrouter.credentials.renewing_profiles import RenewingProfiles
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError, CredentialExpired, CredentialNotFound, RefreshFailed
from openclaw_oauthrouter.interfaces import CredentialSource, RenewingCredentialSource

_log = logging.getLogger(__name__)
Answer = tuple[Sequence[Credential], CredentialError | None]
_CONVERSATIONS = 4096  # remembered; the longest unused is forgotten first

_ENDS_SOON_SECONDS = 900.0
"""Longer than any source of ours renews a token before its end."""

REMEMBERED_SECONDS = 1.0
"""For how long routing goes by what it last heard of a provider's credentials: looking costs a ``stat`` a source."""


@value(frozen=True, slots=True)
class KnownCredentials:
    """What routing needs to know of a provider's credentials.

    :ivar usable: whether a request could be authenticated, perhaps after a renewal of ours
    :ivar credentials: those a request would be tried with, in order; empty where they have to be fetched or renewed first
    :ivar ordered: somebody has stated in which order they are to be used, so nothing else decides
    :ivar keys_only: none of them is a plan's
    """

    usable: bool
    credentials: tuple[Credential, ...] = ()
    ordered: bool = False
    keys_only: bool = field(init=False)

    def __post_init__(self) -> None:
        derive(self, "keys_only", all(credential.kind == "api_key" for credential in self.credentials))


_NOTHING_KNOWN = KnownCredentials(False)


class _Look(NamedTuple):
    """One look at a provider's credentials.

    :ivar at: when it was, Unix seconds
    :ivar good_until: how long requests go by it; not at all where nothing that lasts was found
    """

    at: float
    good_until: float
    known: KnownCredentials


class CredentialChain:
    """Implements ``interfaces.Credentials``.

    :param sources: in any order; of two with the same name the first counts, so plugins replace built-in ones
    :param settings: order and pooling
    :param providers: the configured providers, for advice
    :param clock: Unix seconds
    :param remember_seconds: how long ``resolve`` goes by its last look at the sources; 0 looks each time
    :raises ConfigurationError: ``credentials.order`` names a source that does not exist
    """

    def __init__(
        self,
        sources: Iterable[CredentialSource],
        settings: CredentialSettings,
        clock: Clock,
        providers: Mapping[str, ProviderSettings] | None = None,
        remember_seconds: float = 0.0,
    ) -> None:
        self._remember_seconds = remember_seconds
        self._sources = in_order(sources, settings.order)
        # Sorted out once: looking for methods on a Protocol takes longer than reading an unchanged source.
        self._renewing = {name: item for name, item in self._sources.items() if isinstance(item, RenewingCredentialSource)}
        self._pool = settings.pool_same_vendor
        self._order_stated = settings.order != DEFAULT_ORDER
        self._paused = frozenset(settings.paused)
        self._clock = clock
        self._providers = providers or {}
        self._conversations: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._known: dict[str, _Look] = {}
        self._held: tuple[float, frozenset[str] | None] = (float("-inf"), None)

    @property
    def sources(self) -> Sequence[CredentialSource]:
        """The sources in force, in the order in which they are asked."""
        return tuple(self._sources.values())

    def available(self, provider: str) -> bool:
        """Whether a request to the provider could be authenticated right now, perhaps after a renewal of ours."""
        if any(self._look(source, provider)[0] for source in self._sources.values()):
            return True
        return self._renewable(provider) is not None

    def paused(self, provider: str) -> bool:
        """Whether there are credentials of the provider and the user leaves all of them alone (``credentials.paused``)."""
        return (
            bool(self._paused)
            and not self.available(provider)
            and any(self._holds_paused(source, provider) for source in self._sources.values())
        )

    def _holds_paused(self, source: CredentialSource, provider: str) -> bool:
        try:
            return any(item.name in self._paused for item in source.find(provider))
        except Exception:  # noqa: BLE001 a source that cannot be read holds nothing
            return False

    def known(self, provider: str) -> KnownCredentials:
        """What ``available`` and ``find`` last said, at most a second ago; a 401 and every ``resolve`` renew it at once.

        A router asks this of every provider for every request, so it may not cost a look at the files each time.
        """
        now = self._clock()
        last = self._known.get(provider)
        if last is not None and 0 <= now - last.at < REMEMBERED_SECONDS:
            return last.known
        held_at, held = self._named_by_sources(now)
        if held is not None and provider not in held:
            self._known[provider] = _Look(held_at, held_at, _NOTHING_KNOWN)
            return _NOTHING_KNOWN
        found = tuple(self._distinct(item for source in self._sources.values() for item in self._look(source, provider)[0]))
        renewable = not found and self._renewable(provider) is not None
        return self._remember(provider, KnownCredentials(bool(found) or renewable, found, self._is_stated(found)), now)

    def _is_stated(self, credentials: Sequence[Credential]) -> bool:
        """Whether the order is somebody's word: of the store they lie in, of ``credentials.order``, or by being in the settings."""
        if len(credentials) < 2:
            return False
        if any(one.ordered or one.source == "config" for one in credentials):
            return True
        return self._order_stated and len({one.source for one in credentials}) > 1

    def _remember(self, provider: str, known: KnownCredentials, now: float) -> KnownCredentials:
        ends = [item.expires_at - _ENDS_SOON_SECONDS for item in known.credentials if item.expires_at is not None]
        good_until = min(now + self._remember_seconds, *ends) if ends else now + self._remember_seconds
        self._known[provider] = _Look(now, good_until if known.credentials else now, known)
        return known

    def _named_by_sources(self, now: float) -> tuple[float, frozenset[str] | None]:
        """The providers that anything at all is held for, and when that was looked at; ``None`` where only asking tells.

        Most providers have nothing anywhere: asking every source about each of them would read the same few files some two hundred times.
        """
        if not 0 <= now - self._held[0] < REMEMBERED_SECONDS:
            self._held = (now, self._all_held())
        return self._held

    def _all_held(self) -> frozenset[str] | None:
        held = set[str]()
        for name, source in self._sources.items():
            if not isinstance(source, Inventory) or type(source).find is not Inventory.find:
                return None
            if name in self._renewing and not isinstance(source, RenewingProfiles):
                return None  # whoever fetches credentials holds none before it is asked
            try:
                held.update([finding.provider for finding in source.findings()])
            except Exception:  # noqa: BLE001 what is wrong with it is for each look to say
                return None
        return frozenset(held)

    def find(self, provider: str) -> Sequence[Credential]:
        """What ``resolve`` would come up with if nothing could be waited for.

        :raises CredentialError: none is usable
        """
        return self._select(provider, [self._look(source, provider) for source in self._sources.values()])

    def remembered(self, provider: str, conversation: str | None = None) -> Sequence[Credential]:
        """See ``Credentials``: a look is good for ``remember_seconds``, unless a credential ends soon: whoever renews it must be asked."""
        last = self._known.get(provider)
        if last is None or not last.at <= self._clock() < last.good_until:
            return ()
        return self._sticky(provider, conversation, last.known.credentials)

    async def resolve(self, provider: str, conversation: str | None = None) -> Sequence[Credential]:
        """Credentials to try, in order; a conversation keeps the one it began with while that is usable.

        :raises CredentialError: none is usable; says which source to fix and how
        """
        ready = self.remembered(provider, conversation)
        if ready:
            return ready
        self._known.pop(provider, None)
        usable = self._select(provider, [await self._ask(source, provider) for source in self._sources.values()])
        known = self._remember(provider, KnownCredentials(True, tuple(usable), self._is_stated(usable)), self._clock())
        return self._sticky(provider, conversation, known.credentials)

    async def renew(self, credential: Credential) -> Credential | None:
        """The upstream answered 401: read the source again, once; ``None`` when nothing changed."""
        self._known.pop(credential.provider, None)
        source = self._sources.get(credential.source)
        if source is None:
            return None
        found, _ = await self._ask(source, credential.provider, rejected=credential)
        return next(
            (item for item in self._alive(found) if item.name == credential.name and item.secret != credential.secret), None
        )

    def explain(self, provider: str) -> str:
        """What is missing for a provider and how to get it, in one or two sentences."""
        errors: list[CredentialError] = []
        for source in self._sources.values():
            credentials, error = self._look(source, provider)
            if credentials:
                return f"provider {provider!r} authenticates with {credentials[0].name!r} (source {source.name!r})"
            errors += [error] if error is not None else []
        renewing = self._renewable(provider)
        if renewing is not None:
            return f"provider {provider!r} authenticates through source {renewing!r}, which renews or fetches its credential when asked"
        return self._advice(provider, errors)

    def _look(self, source: CredentialSource, provider: str) -> Answer:
        """One source's answer without what is paused; its failure is an answer too, so that the others keep working."""
        try:
            return self._unpaused(source.find(provider))
        except CredentialError as error:
            return (), error
        except Exception as error:  # noqa: BLE001 a plugin's source must not take the others down
            return (), _broken(source, error)

    def _unpaused(self, found: Sequence[Credential]) -> Answer:
        if not self._paused:
            return found, None
        kept = [item for item in found if item.name not in self._paused]
        paused = [item.name for item in found if item.name in self._paused]
        problem = (
            CredentialNotFound(f"{paused[0]!r} is paused; run `openclaw-oauthrouter auth resume {paused[0]}`") if paused else None
        )
        return kept, None if kept else problem

    def _renewable(self, provider: str) -> str | None:
        """The source that would renew or fetch a credential that is not paused."""
        return next(
            (name for name, source in self._renewing.items() if source.renewable(provider) and self._open(source, provider)), None
        )

    def _open(self, source: RenewingCredentialSource, provider: str) -> bool:
        if not self._paused or not isinstance(source, Inventory):
            return True
        try:
            return any(finding.name not in self._paused for finding in source.findings() if finding.provider == provider)
        except CredentialError:
            return True

    async def _ask(self, source: CredentialSource, provider: str, rejected: Credential | None = None) -> Answer:
        renewing = self._renewing.get(source.name)
        if renewing is None or not self._open(renewing, provider):
            return self._look(source, provider)
        try:
            return self._unpaused(await renewing.fresh(provider, rejected))
        except CredentialError as error:
            return (), error
        except Exception as error:  # noqa: BLE001 a plugin's source must not take the others down
            return (), _broken(source, error)

    def _select(self, provider: str, answers: Sequence[Answer]) -> list[Credential]:
        usable = self._distinct(item for found, _ in answers for item in found)
        if not usable:
            raise self._nothing(provider, [error for _, error in answers if error is not None])
        return usable

    def _distinct(self, found: Iterable[Credential]) -> list[Credential]:
        """Each secret and each name once; of plan credentials only those of one account, unless accounts are pooled."""
        kept: list[Credential] = []
        for item in self._alive(found):
            same = any(item.secret == other.secret or item.name == other.name for other in kept)
            if not same and (self._pool or not _is_second_account(item, kept)):
                kept.append(item)
        return kept

    def _alive(self, found: Iterable[Credential]) -> Iterator[Credential]:
        now = self._clock()
        return (item for item in found if item.expires_at is None or item.expires_at > now)

    def _sticky(self, provider: str, conversation: str | None, usable: Sequence[Credential]) -> Sequence[Credential]:
        if conversation is None:
            return usable
        key = (provider, conversation)
        name = self._conversations.get(key)
        if name == usable[0].name:
            self._conversations.move_to_end(key)
            return usable
        first = next((item for item in usable if item.name == name), usable[0])
        self._conversations[key] = first.name
        self._conversations.move_to_end(key)
        if len(self._conversations) > _CONVERSATIONS:
            self._conversations.popitem(last=False)
        return [first, *(item for item in usable if item is not first)]

    def _nothing(self, provider: str, errors: Sequence[CredentialError]) -> CredentialError:
        telling = next((error for error in errors if isinstance(error, (CredentialExpired, RefreshFailed))), None)
        kind = type(telling) if telling is not None else CredentialNotFound
        retry_after = telling.retry_after if telling is not None else None
        return kind(self._advice(provider, errors), retry_after=retry_after)

    def _advice(self, provider: str, errors: Sequence[CredentialError]) -> str:
        reasons = "; ".join(dict.fromkeys(error.message for error in errors))
        head = f"no usable credential for provider {provider!r}" + (f" ({reasons})" if reasons else "")
        return f"{head}. {how_to_get(provider, self._providers.get(provider))}"


def in_order(sources: Iterable[CredentialSource], order: Sequence[str]) -> dict[str, CredentialSource]:
    """Sources by name as ordered; those of plugins that the order does not name come last, built-in ones not named are off.

    Who installs a plugin wants its source asked; a built-in one is there unasked.

    :raises ConfigurationError: the order names a source that does not exist
    """
    by_name: dict[str, CredentialSource] = {}
    for source in sources:
        by_name.setdefault(source.name, source)
    known = (*DEFAULT_ORDER, *(name for name in by_name if name not in DEFAULT_ORDER))
    unknown = [name for name in order if name not in known]
    if unknown:
        raise ConfigurationError(f"credentials.order names {unknown[0]!r}; known sources: {', '.join(known)}")
    last = [name for name in by_name if name not in DEFAULT_ORDER]
    return {name: by_name[name] for name in dict.fromkeys((*order, *last)) if name in by_name}


def _is_second_account(item: Credential, kept: Sequence[Credential]) -> bool:
    if item.kind == "api_key":
        return False
    plans = [other for other in kept if other.kind != "api_key"]
    return bool(plans) and not any(item.account_id is not None and item.account_id == other.account_id for other in plans)


def _broken(source: CredentialSource, error: Exception) -> CredentialError:
    # The type only: the text of a foreign exception may quote a secret.
    _log.error("credential source %r failed: %s", source.name, type(error).__name__)
    return CredentialError(f"credential source {source.name!r} failed ({type(error).__name__})")
