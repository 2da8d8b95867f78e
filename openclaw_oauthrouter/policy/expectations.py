"""How long answers really are: what a conversation's, else a model's in a tier, were of late."""

from __future__ import annotations

from collections import OrderedDict, deque
from math import ceil
from typing import TypeVar

from openclaw_oauthrouter.canonical.routing import Tier

_K = TypeVar("_K")

_CONVERSATIONS = 2048
_MODELS = 512
_OF_CONVERSATION = 8
_OF_MODEL = 64
_ENOUGH = 4
"""Fewer answers than this say little."""

_LIKELY = 0.9
"""The share of answers that are no longer than what is set aside for them."""

_MEDIAN = 0.5
_UNTAUGHT = {None: 1000, Tier.SIMPLE: 300, Tier.MEDIUM: 700, Tier.COMPLEX: 1200, Tier.REASONING: 2000}
"""Tokens to expect before anything was seen."""


class Expectations:
    """Remembers the lengths of recent answers, in tokens; bounded, and lost with the process."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, deque[int]] = OrderedDict()
        self._models: OrderedDict[tuple[str, Tier | None], deque[int]] = OrderedDict()
        self._sorted: dict[tuple[str, Tier | None], list[int]] = {}

    def learn(self, conversation: str | None, model: str, tier: Tier | None, output_tokens: int) -> None:
        """Take note of an answer that came to its end."""
        if conversation is not None:
            _recent(self._conversations, conversation, _CONVERSATIONS, _OF_CONVERSATION).append(output_tokens)
        _recent(self._models, (model, tier), _MODELS, _OF_MODEL).append(output_tokens)
        self._sorted.pop((model, tier), None)
        if len(self._sorted) > _MODELS:
            self._sorted.clear()

    def likely(self, conversation: str | None, model: str, tier: Tier | None) -> int:
        """Tokens that nine of ten answers do not exceed: what is set aside."""
        return self._quantile(conversation, model, tier, _LIKELY)

    def median(self, conversation: str | None, model: str, tier: Tier | None) -> int:
        """Tokens of the usual answer: what a call is expected to cost."""
        return self._quantile(conversation, model, tier, _MEDIAN)

    def _quantile(self, conversation: str | None, model: str, tier: Tier | None, share: float) -> int:
        own = self._conversations.get(conversation) if conversation is not None else None
        if own is not None and len(own) >= _ENOUGH:
            return _at(sorted(own), share)
        known = self._models.get((model, tier))
        if known is None or len(known) < _ENOUGH:
            return _UNTAUGHT[tier]
        ordered = self._sorted.get((model, tier))
        if ordered is None:
            ordered = self._sorted[model, tier] = sorted(known)
        return _at(ordered, share)


def _recent(store: OrderedDict[_K, deque[int]], key: _K, most: int, length: int) -> deque[int]:
    found = store.get(key)
    if found is None:
        found = store[key] = deque(maxlen=length)
        if len(store) > most:
            store.popitem(last=False)
    else:
        store.move_to_end(key)
    return found


def _at(ordered: list[int], share: float) -> int:
    return ordered[max(0, ceil(len(ordered) * share) - 1)]
