"""A credential source over profile files: serves what is alive, renews what is about to expire."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.credentials.profile_file import ProfileFile
from openclaw_oauthrouter.credentials.profiles import Profile
from openclaw_oauthrouter.errors import CredentialError

_log = logging.getLogger(__name__)

EARLIEST_LEAD, LATEST_LEAD = 300.0, 60.0  # seconds before expiry at which a token is renewed
_TOO_SHORT = 15.0  # seconds; a token that lives no longer than this may die on the way


def lead_seconds(random: float) -> float:
    """How long before expiry this process renews: not all processes at the same moment.

    :param random: 0 to 1, drawn once a process
    """
    return LATEST_LEAD + random * (EARLIEST_LEAD - LATEST_LEAD)


class RenewingProfiles(Inventory):
    """Profiles of one or more files.

    :cvar prefix: stands before a profile's id in the name of its credential
    :param files: in the order in which they are to be asked
    :param lead: seconds before expiry at which a token is renewed
    """

    prefix = ""

    def __init__(self, files: Sequence[ProfileFile], clock: Clock, lead: float) -> None:
        super().__init__(clock)
        self._files = files
        self._lead = lead

    @abstractmethod
    def renewal(self, provider: str) -> str:
        """Who renews a dead credential that this package cannot renew, as an instruction."""

    def findings(self) -> Sequence[Finding]:
        """Last good ones first, then as ordered, then as filed; a damaged file does not hide the others."""
        found: list[Finding] = []
        problems: list[CredentialError] = []
        for file in self._files:
            try:
                found += [self._finding(file, profile) for profile in file.profiles()]
            except CredentialError as error:
                problems.append(error)
        if problems and not found:
            raise CredentialError(problems[0].message, code=problems[0].code)
        return found

    def renewable(self, provider: str) -> bool:
        """Whether a profile of the provider could be renewed right now."""
        return any(file.renewable(profile) for file, profile in self._profiles(provider))

    async def fresh(self, provider: str, rejected: Credential | None = None) -> Sequence[Credential]:
        """As ``find``; a token near its end is renewed in passing, a dead or rejected one is waited for.

        :raises CredentialError: none is usable
        """
        failure: CredentialError | None = None
        for file, profile in self._profiles(provider):
            try:
                if await self._alive_after_renewal(file, profile, rejected):
                    break
            except CredentialError as error:
                failure = failure or error
        try:
            return self.find(provider)
        except CredentialError as error:
            raise (failure or error) from None

    async def _alive_after_renewal(self, file: ProfileFile, profile: Profile, rejected: Credential | None) -> bool:
        left = float("inf") if profile.expires_at is None else profile.expires_at - self._clock()
        refused = rejected is not None and rejected.secret == profile.secret and not file.just_renewed(profile)
        if not file.renewable(profile):
            return left > 0 and profile.problem is None
        if refused or left <= _TOO_SHORT:
            await asyncio.shield(asyncio.wrap_future(file.renew(profile)))
        elif (left <= self._lead and not file.resting(profile)) or file.unsaved(profile):
            file.renew(profile).add_done_callback(_log_failure)
        return True

    def _profiles(self, provider: str) -> Iterator[tuple[ProfileFile, Profile]]:
        for file in self._files:
            try:
                profiles = file.profiles()
            except CredentialError:
                continue  # told by findings
            yield from ((file, profile) for profile in profiles if profile.provider == provider)

    def _finding(self, file: ProfileFile, profile: Profile) -> Finding:
        return profile.finding(
            self.name,
            name=f"{self.prefix}{profile.id}",
            renewal=self.renewal(profile.provider),
            renewable=file.renewable(profile),
        )


def _log_failure(flight: Future[Profile]) -> None:
    error = flight.exception()
    if error is not None:
        _log.warning("early renewal: %s", error if isinstance(error, CredentialError) else type(error).__name__)
