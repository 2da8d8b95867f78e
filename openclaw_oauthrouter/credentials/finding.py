"""What a source holds, usable or not: the one shape that looking up, explaining and listing credentials share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential, CredentialKind, Secret
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.errors import CredentialError, CredentialExpired


@value(frozen=True, slots=True)
class Finding:
    """One credential as its source has it.

    :ivar kind: ``None`` when the entry does not even say that
    :ivar credential: absent when there is nothing that could be sent
    :ivar problem: why it cannot be used, and what to do; expiry is judged later, against the clock
    :ivar renewal: who renews it once it has expired, as an instruction: "run `codex login`"
    :ivar renewable: this package may renew it itself
    """

    name: str
    provider: str
    source: str
    kind: CredentialKind | None = None
    credential: Credential | None = None
    problem: str | None = None
    renewal: str = ""
    renewable: bool = False

    @property
    def expires_at(self) -> float | None:
        """Unix seconds; ``None`` when it does not expire or does not say."""
        return self.credential.expires_at if self.credential else None

    def expired(self, now: float) -> bool:
        """Whether it must not be sent any more."""
        return self.expires_at is not None and self.expires_at <= now

    def error(self, now: float) -> CredentialError | None:
        """Why it cannot be sent right now; ``None`` when it can."""
        if self.problem is not None or self.credential is None:
            return CredentialError(f"{self.name!r}: {self.problem or 'holds no secret'}")
        if self.expired(now):
            return CredentialExpired(f"{self.name!r} has expired{f'; {self.renewal}' if self.renewal else ''}")
        return None


def usable(findings: Iterable[Finding], provider: str, now: float) -> Sequence[Credential]:
    """Credentials of a provider that may be sent now, best first.

    :raises CredentialError: there are some, but none is usable; says why of the first
    """
    mine = [finding for finding in findings if finding.provider == provider]
    errors = [finding.error(now) for finding in mine]
    good = [finding.credential for finding, error in zip(mine, errors, strict=True) if error is None and finding.credential]
    first = next((error for error in errors if error is not None), None)
    if not good and first is not None:
        raise first
    return good


def bare_finding(name: str, provider: str, source: str, value: str) -> Finding:
    """A secret of which nothing is known but its text."""
    text = secret_text.clean(value)
    chatgpt = secret_text.is_chatgpt_token(text)
    kind: CredentialKind = "token" if chatgpt or secret_text.is_anthropic_oauth(text) else "api_key"
    problem = secret_text.problem_of(text)
    if problem is not None:
        return Finding(name, provider, source, kind, problem=problem)
    expires_at = jwt.expires_at(text) if chatgpt else None
    credential = Credential(name, provider, kind, Secret(text), source, jwt.account_id(text), expires_at)
    return Finding(name, provider, source, kind, credential, renewal="put a new one in its place")


class Inventory(ABC):
    """A credential source that can list all it holds.

    :ivar name: what ``credentials.order`` calls it
    """

    name: str

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @abstractmethod
    def findings(self) -> Sequence[Finding]:
        """Everything the source holds, best first within each provider.

        :raises CredentialError: the source itself cannot be read; says why and what to do
        """

    def find(self, provider: str) -> Sequence[Credential]:
        """Usable credentials of a provider, best first.

        :raises CredentialError: there is one, but it cannot be used
        """
        return usable(self.findings(), provider, self._clock())
