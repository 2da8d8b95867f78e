"""Adds, tests and removes credentials of our own store; what is removed can be put back for a while, from memory only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.credential import Credential, CredentialKind, Secret
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.catalog.spelling import nearest
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.sources.store import StoreFile
from openclaw_oauthrouter.errors import CredentialError, InvalidRequestError, NotFoundError
from openclaw_oauthrouter.upstream.key_check import check_key

NO_KEY = "none"
"""Kept for a server on this machine, which takes no key; that it was added is what counts."""

PUT_BACK_SECONDS = 600.0
_MOST_REMOVED = 20
_TEST_SECONDS = 10.0


def check_takes_keys(provider: str) -> None:
    """See that a provider is one that a key can be kept for.

    :raises CredentialError: it is signed in to
    """
    if provider == "openai-codex":
        raise CredentialError(
            "the Codex backend takes no keys; run `openclaw-oauthrouter auth login openai` to use a ChatGPT plan"
        )


def check_provider(provider: str, known: Mapping[str, object]) -> None:
    """See that somebody will look for a key of this name.

    :raises InvalidRequestError: nobody will; says what may be meant
    """
    if provider not in known and provider not in presets():
        close = nearest(provider, {*known, *presets()})
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise InvalidRequestError(f"there is no provider {provider[:80]!r}{hint}", param="provider", code="unknown_provider")


def kind_of(secret: str) -> CredentialKind:
    """``token`` for what somebody signed in for, else ``api_key``."""
    return "token" if secret_text.is_anthropic_oauth(secret) or secret_text.is_chatgpt_token(secret) else "api_key"


def keep(store: StoreFile, provider: str, secret: str, name: str | None = None) -> str:
    """Keep a key or token.

    :param name: ``PROVIDER:key`` or ``PROVIDER:token`` when absent
    :return: the name it is kept under
    :raises CredentialError: it is none that could be sent; never quotes it
    """
    problem = secret_text.problem_of(secret)
    if problem:
        raise CredentialError(f"not kept: the secret {problem}", code="not_a_secret")
    token = kind_of(secret) == "token"
    entry = {"type": "token", "token": secret} if token else {"type": "api_key", "key": secret}
    name = name or f"{provider}:{'token' if token else 'key'}"
    store.put(name, {"provider": provider, **entry})
    return name


@value(frozen=True, slots=True)
class KeyTest:
    """What a provider said to a key.

    :ivar works: it answered; whether it looked at the key is another question
    :ivar proven: it refuses to answer without one
    """

    works: bool
    proven: bool
    models: int
    words: str


async def try_key(provider: object, credential: Credential | None, transport: httpx.AsyncBaseTransport) -> KeyTest:
    """Try a credential with requests that cost nothing."""
    check = await check_key(transport, provider, credential, _TEST_SECONDS)
    count = len(check.models)
    if check.state != "accepted":
        return KeyTest(bool(check.models) and check.state != "refused", False, count, check.detail)
    if credential is None:
        return KeyTest(True, False, count, f"it answers and lists {count} models")
    return KeyTest(True, True, count, f"it accepts the key and lists {count} models")


def as_credential(provider: str, secret: str) -> Credential:
    """A secret that is not kept yet, to be tested."""
    return Credential(f"{provider}:test", provider, kind_of(secret), Secret(secret), "test")


@dataclass(slots=True)
class RemovedCredentials:
    """What was removed from our store, for as long as it may have been a mistake; it is written nowhere.

    :param new_id: unguessable
    """

    store: StoreFile
    clock: Clock
    new_id: NewId
    _removed: dict[str, tuple[float, str, dict[str, Any]]] = field(default_factory=dict, repr=False)

    def remove(self, name: str) -> str:
        """Remove one.

        :return: the word that puts it back
        :raises NotFoundError: our store has none of this name
        """
        entry = self.store.get(name)
        if not entry:
            raise NotFoundError(
                f"our own store has no {name[:80]!r}; what other programs keep is removed there, or paused here", param="name"
            )
        self.store.remove(name)
        self._forget_old()
        word = self.new_id()
        self._removed[word] = (self.clock() + PUT_BACK_SECONDS, name, entry)
        while len(self._removed) > _MOST_REMOVED:
            del self._removed[next(iter(self._removed))]
        return word

    def put_back(self, word: str) -> str:
        """Put one back.

        :return: its name
        :raises NotFoundError: the word is unknown, used, or too old
        :raises InvalidRequestError: another of its name has been added since
        """
        self._forget_old()
        found = self._removed.get(word)
        if found is None:
            raise NotFoundError("there is nothing to put back: it was long ago, or it has been put back already")
        _, name, entry = found
        if self.store.get(name):
            raise InvalidRequestError(f"another {name!r} has been added since", param="undo")
        del self._removed[word]
        self.store.put(name, entry)
        return name

    def _forget_old(self) -> None:
        now = self.clock()
        for word in [word for word, (until, *_) in self._removed.items() if until <= now]:
            del self._removed[word]
