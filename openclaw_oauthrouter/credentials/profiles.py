"""The auth-profile vocabulary OpenClaw and this package share: one shape for its JSON files, its database rows and our own store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

import orjson

from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.credential import Credential, CredentialKind, Secret
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.value import changed, value
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.finding import Finding

SECRET_FIELDS: Mapping[CredentialKind, tuple[str, ...]] = {
    "token": ("token",),
    "api_key": ("key", "apiKey"),
    "oauth": ("access", "accessToken"),
}
"""Profile type -> fields that may hold its secret, in order."""

_REFERENCES = {"keyRef": "key", "tokenRef": "token"}
_MILLISECONDS_FROM = 1e11  # a Unix time in seconds reaches this in the year 5138


@value(frozen=True, slots=True)
class Profile:
    """One entry of an auth-profile store.

    :ivar provider: the provider it serves here, which need not be how the file files it
    :ivar expires_at: Unix seconds; the token's own word before the file's
    :ivar problem: why it cannot be used, and what to do
    :ivar client_id: as whom it was signed in; only our own store says so
    :ivar token_url: where it is renewed, if not at the usual place; only our own store says so
    :ivar ordered: the store states in which order it is to be used
    """

    id: str
    provider: str
    kind: CredentialKind | None = None
    secret: Secret = field(default_factory=lambda: Secret(""), repr=False)
    refresh: Secret | None = field(default=None, repr=False)
    expires_at: float | None = None
    account_id: str | None = None
    problem: str | None = None
    client_id: str | None = None
    token_url: str | None = None
    ordered: bool = False

    def finding(self, source: str, *, name: str | None = None, renewal: str = "", renewable: bool = False) -> Finding:
        """The profile as its source's finding."""
        name = name or self.id
        credential = None
        if self.kind is not None and self.problem is None:
            credential = Credential(
                name, self.provider, self.kind, self.secret, source, self.account_id, self.expires_at, ordered=self.ordered
            )
        return Finding(name, self.provider, source, self.kind, credential, self.problem, renewal, renewable)


@value(frozen=True, slots=True)
class ProfileStore:
    """The profiles of one store, in the order in which they are to be tried."""

    profiles: tuple[Profile, ...]


def parse_store(data: bytes) -> ProfileStore:
    """Read the JSON of an auth-profiles file.

    :raises ValueError: saying what is wrong, without quoting the text
    """
    return read_store(decode_object(data))


def decode_object(data: bytes) -> dict[str, Any]:
    """A JSON object from a file.

    :raises ValueError: saying what is wrong, without quoting the text
    """
    try:
        value = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is not valid JSON (line {error.lineno}); restore it from a backup or remove it") from None
    if not isinstance(value, dict):
        raise ValueError("holds no JSON object; restore it from a backup or remove it")
    return value


def read_store(store: FrozenObject, state: FrozenObject | None = None) -> ProfileStore:
    """Read a store in its current form ``{version, profiles, order, lastGood}`` or the flat one before it.

    :param state: where order and lastGood lie elsewhere
    :raises ValueError: ``profiles`` is not an object
    """
    entries = raw_profiles(store)
    profiles = {key: read_profile(key, value) for key, value in entries.items()}
    state = store if state is None else state
    ordered = frozenset(_strings(state.get("order")))
    ranked = (profiles[key] for key in _ranked(profiles, state))
    return ProfileStore(tuple(changed(profile, ordered=True) if profile.id in ordered else profile for profile in ranked))


def raw_profiles(store: FrozenObject) -> dict[str, Any]:
    """The entries of a store as they are, in either form; changing one changes the store.

    :raises ValueError: ``profiles`` is not an object
    """
    if "profiles" not in store:
        # The flat form has nothing but profiles at its top.
        return {key: value for key, value in store.items() if isinstance(value, dict) and key not in ("order", "lastGood")}
    profiles = store["profiles"]
    if not isinstance(profiles, dict):
        raise ValueError('has a "profiles" that is no object; restore it from a backup or remove it')
    return profiles


def fill_references(entries: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Put secrets in the place of references to environment variables; other references stay, to be explained."""
    return {key: _filled(entry, environ) if isinstance(entry, dict) else entry for key, entry in entries.items()}


def _filled(entry: FrozenObject, environ: Mapping[str, str]) -> FrozenObject:
    for reference, plain in _REFERENCES.items():
        told = entry.get(reference)
        if isinstance(told, dict) and told.get("source") == "env" and environ.get(str(told.get("id"))):
            return {**entry, plain: environ[str(told["id"])]}
    return entry


def _ranked(profiles: Mapping[str, Profile], state: FrozenObject) -> list[str]:
    """Last good ones first, then as ordered, then as filed; across providers, for an id belongs to one."""
    wanted = [*_strings(state.get("lastGood")), *_strings(state.get("order")), *profiles]
    return [key for key in dict.fromkeys(wanted) if key in profiles]


def _strings(value: object) -> Iterator[str]:
    """The strings in a mapping of strings or lists of strings; anything else is passed over."""
    for item in value.values() if isinstance(value, dict) else ():
        yield from (part for part in (item if isinstance(item, list) else [item]) if isinstance(part, str))


def read_profile(key: str, entry: object) -> Profile:
    """Read one entry; a damaged one becomes a profile with a problem, so that the others keep working."""
    filed_under = key.partition(":")[0]
    if not isinstance(entry, dict):
        return Profile(key, filed_under, problem="is no object; add it again")
    provider = secret_text.clean(entry.get("provider")).lower() or filed_under
    kind = _kind_of(entry)
    if kind is None:
        return Profile(key, provider, problem="is of no known type (token, api_key, oauth); add it again")
    text = next((text for text in (secret_text.clean(entry.get(name)) for name in SECRET_FIELDS[kind]) if text), "")
    if kind == "api_key" and secret_text.is_anthropic_oauth(text):
        kind = "token"
    reference = next((entry[name] for name in _REFERENCES if isinstance(entry.get(name), dict)), None)
    refresh = secret_text.clean(entry.get("refresh") or entry.get("refreshToken"))
    return Profile(
        key,
        served_provider(provider, kind, text),
        kind,
        Secret(text),
        Secret(refresh) if secret_text.problem_of(refresh) is None else None,
        jwt.expires_at(text) or _latest_expiry(entry),
        jwt.account_id(text) or _text_or_none(entry.get("accountId")),
        _problem_of(entry, text, reference),
        _text_or_none(entry.get("clientId")),
        _text_or_none(entry.get("tokenUrl")),
    )


def _kind_of(entry: FrozenObject) -> CredentialKind | None:
    named = entry.get("type", entry.get("mode"))
    for kind, names in SECRET_FIELDS.items():
        if named == kind or (named is None and any(name in entry for name in names)):
            return kind
    return None


def served_provider(provider: str, kind: CredentialKind, secret: str) -> str:
    """The provider an entry serves: ChatGPT sign-ins are ``openai-codex`` and OpenAI keys ``openai``, whatever they are filed under."""
    if provider not in ("openai", "openai-codex"):
        return provider
    if kind == "oauth" or secret_text.is_chatgpt_token(secret):
        return "openai-codex"
    return "openai" if kind == "api_key" else provider


def _problem_of(entry: FrozenObject, text: str, reference: FrozenObject | None) -> str | None:
    if entry.get("setup"):
        return "its set-up in OpenClaw is not finished; run `openclaw models auth login` again"
    if not text and reference is not None:
        where = reference.get("source")
        return f"is a reference (source {where!r}) that only OpenClaw resolves; run under OpenClaw, or store the secret itself"
    problem = secret_text.problem_of(text)
    return f"its secret {problem}" if problem else None


def _latest_expiry(entry: FrozenObject) -> float | None:
    """The later of ``expires`` and ``expiresAt``: whoever renews writes one of them and may leave the other stale."""
    times = [time for time in (unix_seconds(entry.get("expires")), unix_seconds(entry.get("expiresAt"))) if time is not None]
    return max(times, default=None)


def unix_seconds(value: object) -> float | None:
    """A Unix time given in seconds or milliseconds, as seconds; ``None`` for 0 ("never") and for what is no time."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= jwt.LATEST * 1000:
        return None
    return value / 1000 if value >= _MILLISECONDS_FROM else float(value)


def _text_or_none(value: object) -> str | None:
    return secret_text.clean(value) or None
