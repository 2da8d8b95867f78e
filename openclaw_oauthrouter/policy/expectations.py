"""How long answers really are: what a conversation's, else a model's in a tier, were of late."""

from __future__ import annotations

from bisect import bisect_left, insort
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


class _Lengths:
    """The lengths of the last answers.

    :ivar latest: in the order in which they came
    :ivar ordered: the same, the shortest first: kept so, for every request asks and each answer changes but one
    """

    __slots__ = ("latest", "ordered")

    def __init__(self) -> None:
        self.latest: deque[int] = deque()
        self.ordered: list[int] = []


class Expectations:
    """Remembers the lengths of recent answers, in tokens; bounded, and lost with the process."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, _Lengths] = OrderedDict()
        self._models: OrderedDict[tuple[str, Tier | None], _Lengths] = OrderedDict()

    def learn(self, conversation: str | None, model: str, tier: Tier | None, output_tokens: int) -> None:
        """Take note of an answer that came to its end."""
        if conversation is not None:
            _note(output_tokens, self._conversations, conversation, _CONVERSATIONS, _OF_CONVERSATION)
        _note(output_tokens, self._models, (model, tier), _MODELS, _OF_MODEL)

    def likely(self, conversation: str | None, model: str, tier: Tier | None) -> int:
        """Tokens that nine of ten answers do not exceed: what is set aside."""
        return self._quantile(conversation, model, tier, _LIKELY)

    def median(self, conversation: str | None, model: str, tier: Tier | None) -> int:
        """Tokens of the usual answer: what a call is expected to cost."""
        return self._quantile(conversation, model, tier, _MEDIAN)

    def _quantile(self, conversation: str | None, model: str, tier: Tier | None, share: float) -> int:
        known = self._conversations.get(conversation) if conversation is not None else None
        if known is None or len(known.ordered) < _ENOUGH:
            known = self._models.get((model, tier))
            if known is None or len(known.ordered) < _ENOUGH:
                return _UNTAUGHT[tier]
        ordered = known.ordered
        return ordered[ceil(len(ordered) * share) - 1]


def _note(tokens: int, store: OrderedDict[_K, _Lengths], key: _K, most: int, length: int) -> None:
    """Take note of one answer; what came longest ago is forgotten."""
    known = store.get(key)
    if known is None:
        known = store[key] = _Lengths()
        if len(store) > most:
            store.popitem(last=False)
    else:
        store.move_to_end(key)
    latest, ordered = known.latest, known.ordered
    if len(latest) == length:
        del ordered[bisect_left(ordered, latest.popleft())]
    latest.append(tokens)
    insort(ordered, tokens)
