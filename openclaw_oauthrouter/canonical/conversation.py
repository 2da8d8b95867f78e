"""What is remembered of one conversation: the task it works on, the model in use, and what lies in which provider's prompt cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value


@value(frozen=True, slots=True)
class CachedPrompt:
    """The part of a conversation's prompt that one model's provider holds in its cache.

    :ivar tokens: how many, from the beginning of the prompt
    :ivar used_at: Unix seconds of the last call that read or wrote it; providers count the lifetime from there
    :ivar lifetime: seconds
    :ivar credential: name of the one it was used with, for a cache is its account's; ``None`` when not known
    """

    tokens: int
    used_at: float
    lifetime: float = 300.0
    credential: str | None = None

    def tokens_at(self, now: float, credential: str | None = None) -> int:
        """What is still there, for whoever comes with a credential; ``None``: with the one it was used with."""
        if credential is not None and self.credential is not None and credential != self.credential:
            return 0
        return self.tokens if now - self.used_at < self.lifetime else 0


@value(frozen=True, slots=True)
class Conversation:
    """One conversation, as of its last answer.

    :ivar tier: of the task it works on; a digression does not change it
    :ivar model: ``provider/model`` that answered last
    :ivar used_at: Unix seconds
    :ivar caches: by model name
    :ivar turns: answers so far
    :ivar input_tokens: of the last prompt
    :ivar output_tokens: mean of the answers
    :ivar growth_tokens: mean by which each prompt was longer than the one before; ``None`` until there were two
    :ivar digressions: turns in a row that had nothing to do with the task
    :ivar effort: reasoning effort the last request asked for
    :ivar shift: -1, 0 or 1: tiers by which what happened in flight has moved the task
    :ivar shifted_at: tool calls of the task when it did
    """

    tier: Tier
    model: str
    used_at: float
    caches: Mapping[str, CachedPrompt] = field(default_factory=dict)
    turns: int = 1
    input_tokens: int = 0
    output_tokens: float = 0.0
    growth_tokens: float | None = None
    digressions: int = 0
    effort: str | None = None
    shift: int = 0
    shifted_at: int = 0

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens that the model in use had in its cache after its answer."""
        cache = self.caches.get(self.model)
        return cache.tokens if cache else 0

    def as_json(self) -> dict[str, Any]:
        """For other gateways."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["caches"] = {
            name: [cache.tokens, cache.used_at, cache.lifetime, cache.credential] for name, cache in self.caches.items()
        }
        return fields

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Conversation:
        """The reverse.

        :raises KeyError, TypeError, ValueError: it is something else
        """
        known = {name: data[name] for name in cls.__slots__ if name in data}
        caches = {
            str(name): CachedPrompt(int(row[0]), float(row[1]), float(row[2]), *map(_name, row[3:4]))
            for name, row in data["caches"].items()
        }
        conversation = cls(**{**known, "tier": Tier(data["tier"]), "caches": caches})
        return replace(conversation, used_at=float(conversation.used_at), model=str(conversation.model))


def _name(told: object) -> str | None:
    return told if isinstance(told, str) else None
