"""A credential, in types that cannot be printed by accident."""

from __future__ import annotations

from dataclasses import field
from typing import Literal, NoReturn

from openclaw_oauthrouter.canonical.value import value

CredentialKind = Literal["api_key", "token", "oauth"]


class Secret:
    """A string that shows itself only to ``reveal()``: not to print, logs, JSON, pickle or tracebacks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself; call it only where a header is built."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('********')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be serialised")


@value(frozen=True, slots=True)
class Credential:
    """What authenticates the gateway at one provider.

    :ivar name: names it in traces, never its value: ``anthropic:key``, ``env:ANTHROPIC_API_KEY``
    :ivar provider: the configured provider it belongs to
    :ivar kind: ``api_key``, ``token`` (a bearer somebody else renews), ``oauth`` (access token with an expiry)
    :ivar source: the credential source that found it
    :ivar account_id: ChatGPT account, from the token's own claim
    :ivar expires_at: Unix seconds; ``None`` when it does not expire
    :ivar header: send it in this header as it is, instead of the provider's usual one
    :ivar ordered: its owner has stated in which order it is to be used
    """

    name: str
    provider: str
    kind: CredentialKind
    secret: Secret = field(repr=False)
    source: str
    account_id: str | None = None
    expires_at: float | None = None
    header: str | None = None
    ordered: bool = False
