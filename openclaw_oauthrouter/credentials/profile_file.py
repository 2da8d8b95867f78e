"""A profile file whose OAuth tokens this package may renew: one renewal at a time, whoever asks, in whatever process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.config.private_file import write_private
from openclaw_oauthrouter.credentials.directory_lock import DirectoryLock
from openclaw_oauthrouter.credentials.profiles import Profile, decode_object, parse_store, raw_profiles, read_profile
from openclaw_oauthrouter.credentials.refresh import RefreshRefused, TokenClient, TokenEndpoint, TokenSet
from openclaw_oauthrouter.credentials.watched_file import WatchedFile, read_private
from openclaw_oauthrouter.errors import CredentialError, CredentialNotFound, RefreshFailed

_log = logging.getLogger(__name__)

_NEW_SECONDS = 60.0
_GLANCE_SECONDS, _GLANCES = 0.5, 90  # how long to queue for the lock between two looks at the file, and how often

EndpointOf = Callable[[Profile], TokenEndpoint | None]
"""Where a profile is renewed; ``None`` when it is not ours to renew."""


@dataclass(slots=True)
class _Refusal:
    """A refresh token the endpoint would not take, and from when it may be asked again."""

    refresh: Secret = field(repr=False)
    error: RefreshFailed
    until: float


@dataclass(slots=True)
class _Unsaved:
    """Renewed fields the disk would not take, and the refresh token they were bought with."""

    spent: Secret = field(repr=False)
    fields: dict[str, Any] = field(repr=False)


class ProfileFile:
    """One ``auth-profiles.json`` or store file.

    :param endpoint_of: where a profile is renewed
    :param writable: whether this package may write the file now; asked before each renewal
    """

    def __init__(
        self, path: Path, client: TokenClient, endpoint_of: EndpointOf, writable: Callable[[], bool], clock: Clock
    ) -> None:
        self._path = path
        self._watched = WatchedFile(path, parse_store, clock)
        self._client = client
        self._endpoint_of = endpoint_of
        self._writable = writable
        self._clock = clock
        self._starting = threading.Lock()
        self._flights: dict[str, Future[Profile]] = {}
        self._refusals: dict[str, _Refusal] = {}
        self._unsaved: dict[str, _Unsaved] = {}
        self._renewed: dict[str, float] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="credential-refresh")

    def profiles(self) -> Sequence[Profile]:
        """The profiles as they are now, best first.

        :raises CredentialError: the file cannot be used
        """
        store = self._watched.read()
        return [self._with_unsaved(profile) for profile in store.profiles] if store is not None else ()

    def renewable(self, profile: Profile) -> bool:
        """Whether renewing the profile is this package's business and stands a chance."""
        if profile.refresh is None or profile.problem is not None or self._endpoint_of(profile) is None:
            return False
        refusal = self._refusal_of(profile)
        return not (refusal and isinstance(refusal.error, RefreshRefused)) and self._writable()

    def resting(self, profile: Profile) -> bool:
        """Whether the token endpoint has asked to be left alone for now."""
        refusal = self._refusal_of(profile)
        return refusal is not None and refusal.until > self._clock()

    def unsaved(self, profile: Profile) -> bool:
        """Whether the profile's renewed tokens still wait to be written; ``renew`` tries again."""
        return profile.id in self._unsaved

    def just_renewed(self, profile: Profile) -> bool:
        """Whether its token is so new that a refusal of it must have another reason than age."""
        return self._clock() - self._renewed.get(profile.id, float("-inf")) < _NEW_SECONDS

    def renew(self, profile: Profile) -> Future[Profile]:
        """Start a renewal, or join the one under way.

        It runs in a thread: a caller that is cancelled must not lose the answer, for the refresh token can be used only once.

        :return: the renewed profile; fails with ``CredentialError``
        """
        with self._starting:
            flight = self._flights.get(profile.id)
            if flight is None or flight.done():
                flight = self._thread.submit(self._renew, profile)
                self._flights[profile.id] = flight
            return flight

    def _renew(self, seen: Profile) -> Profile:
        try:
            for _ in range(_GLANCES):
                with suppress(TimeoutError), DirectoryLock(self._path, patience=_GLANCE_SECONDS):
                    return self._renew_locked(seen)
                # Whoever has the lock may be done with this very profile, while others still queue for it.
                renewed = self._renewed_meanwhile(seen)
                if renewed is not None:
                    return renewed
        except OSError as error:
            raise RefreshFailed(f"{seen.id!r} cannot be renewed: {str(self._path)!r}: {error.strerror}") from None
        raise RefreshFailed(f"{seen.id!r}: another process has been renewing it for too long", retry_after=10.0)

    def _renewed_meanwhile(self, seen: Profile) -> Profile | None:
        _, entry = self._read_again(seen.id)
        profile = read_profile(seen.id, entry)
        return profile if profile.secret != seen.secret and self._alive(profile) else None

    def _renew_locked(self, seen: Profile) -> Profile:
        store, entry = self._read_again(seen.id)
        pending = self._add_unsaved(seen.id, entry)
        profile = read_profile(seen.id, entry)
        if self._alive(profile) and (pending is not None or profile.secret != seen.secret):
            if pending is not None:
                self._save(profile.id, pending, store)
            return profile  # somebody was faster
        if profile.refresh is None:
            raise CredentialNotFound(f"{seen.id!r} has lost its refresh token; sign in again")
        self._respect_refusal(profile)
        try:
            tokens = self._post(profile, profile.refresh)
        except RefreshRefused:
            # Often a program without our lock has spent the token a moment ago: then its file is new by now.
            renewed = self._renewed_meanwhile(profile)
            if renewed is None:
                raise
            return renewed
        fields = renewed_fields(tokens, self._clock())
        entry |= fields
        self._renewed[profile.id] = self._clock()
        self._save(profile.id, _Unsaved(profile.refresh, fields), store)
        return read_profile(profile.id, entry)

    def _read_again(self, profile_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The store as it lies on disk, and the raw profile within it."""
        try:
            store = decode_object(read_private(self._path))
            entry = raw_profiles(store).get(profile_id)
        except ValueError as error:
            raise CredentialError(f"{str(self._path)!r} {error}", code="credential_file") from None
        if not isinstance(entry, dict):
            raise CredentialNotFound(f"{profile_id!r} is no longer in {str(self._path)!r}; sign in again")
        return store, entry

    def _add_unsaved(self, profile_id: str, entry: dict[str, Any]) -> _Unsaved | None:
        unsaved = self._unsaved.get(profile_id)
        if unsaved is None or unsaved.spent != read_profile(profile_id, entry).refresh:
            return None
        entry |= unsaved.fields
        return unsaved

    def _post(self, profile: Profile, refresh: Secret) -> TokenSet:
        endpoint = self._endpoint_of(profile)
        if endpoint is None:
            raise CredentialNotFound(f"{profile.id!r} cannot be renewed here; sign in again")
        try:
            return self._client.renew(endpoint, refresh)
        except RefreshFailed as error:
            told = type(error)(f"{profile.id!r} could not be renewed: {error.message}", retry_after=error.retry_after)
            self._refusals[profile.id] = _Refusal(refresh, told, self._clock() + (error.retry_after or 0.0))
            raise told from None

    def _refusal_of(self, profile: Profile) -> _Refusal | None:
        """The endpoint's last word on this very refresh token, if that was a refusal."""
        refusal = self._refusals.get(profile.id)
        return refusal if refusal is not None and refusal.refresh == profile.refresh else None

    def _respect_refusal(self, profile: Profile) -> None:
        refusal = self._refusal_of(profile)
        if refusal is not None and (self.resting(profile) or isinstance(refusal.error, RefreshRefused)):
            raise type(refusal.error)(refusal.error.message, retry_after=max(refusal.until - self._clock(), 0.0) or None)

    def _save(self, profile_id: str, renewed: _Unsaved, store: FrozenObject) -> None:
        try:
            write_private(self._path, orjson.dumps(store, option=orjson.OPT_INDENT_2))
        except (OSError, orjson.JSONEncodeError) as error:
            # The old refresh token is spent: until the disk takes the new one, memory is all there is.
            _log.error("renewed credential %r cannot be written to %s: %s", profile_id, self._path, error)
            self._unsaved[profile_id] = renewed
        else:
            self._unsaved.pop(profile_id, None)

    def _with_unsaved(self, profile: Profile) -> Profile:
        unsaved = self._unsaved.get(profile.id)
        if unsaved is None or unsaved.spent != profile.refresh:
            return profile
        renewed = read_profile(profile.id, {"type": "oauth", "provider": profile.provider, **unsaved.fields})
        return replace(renewed, refresh=renewed.refresh or profile.refresh, account_id=renewed.account_id or profile.account_id)

    def _alive(self, profile: Profile) -> bool:
        return profile.problem is None and (profile.expires_at is None or profile.expires_at > self._clock())


def renewed_fields(tokens: TokenSet, now: float) -> dict[str, Any]:
    """What a renewal changes in a profile; everything else in it stays as it is.

    :param now: Unix seconds
    """
    access = tokens.access.reveal()
    lifetime = min(now + tokens.expires_in, jwt.LATEST) if tokens.expires_in is not None else None
    expires_at = jwt.expires_at(access) or lifetime
    fields: dict[str, Any] = {"access": access}
    if tokens.refresh is not None:
        fields["refresh"] = tokens.refresh.reveal()
    if tokens.id_token is not None:
        fields["idToken"] = tokens.id_token.reveal()
    if jwt.account_id(access) is not None:
        fields["accountId"] = jwt.account_id(access)
    if expires_at is not None:
        # Both spellings: readers differ in which they look at.
        fields |= {"expires": int(expires_at * 1000), "expiresAt": int(expires_at * 1000)}
    return fields
