"""How much of a budget one call takes, by the length of its answer, and how long an answer what is left pays for."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_oauthrouter.canonical.spending import Amounts
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.policy.ledger.entries import Standing
from openclaw_oauthrouter.policy.money import Rate

SMALL_ANSWER = 256
"""Tokens; a call is refused only when what is left does not pay for as many."""

SMALL_DECLARED = 4096
"""A client that asks for no more tokens than this is taken at its word: so much is set aside."""

_UNBOUNDED = 1 << 40


@value(frozen=True, slots=True)
class Size:
    """One call, before its answer's length is known."""

    input_tokens: int
    rate: Rate

    def amounts(self, output_tokens: int) -> Amounts:
        """What it takes with an answer of so many tokens."""
        return Amounts(1, self.input_tokens, output_tokens, self.rate.of(output_tokens))

    def longest(self, standings: Iterable[Standing]) -> int:
        """The longest answer that every limit leaves room for; less than 0 where one does not even leave room for the prompt."""
        return min((self._longest(standing) for standing in standings), default=_UNBOUNDED)

    def tightest(self, standings: Iterable[Standing]) -> Standing | None:
        """Which limit allows the shortest answer; ``None`` when an answer's length matters to none."""
        return min((one for one in standings if limits_answers([one])), key=self._longest, default=None)

    def _longest(self, standing: Standing) -> int:
        rest = standing.rest
        match standing.claim.limit.quantity:
            case "requests":
                return _UNBOUNDED if rest >= 1 else -1
            case "input_tokens":
                return _UNBOUNDED if rest >= self.input_tokens else -1
            case "output_tokens":
                return rest
            case "microdollars":
                for_answer = rest - self.rate.fixed
                if for_answer < 0:
                    return -1
                return int(for_answer / self.rate.per_token) if self.rate.per_token else _UNBOUNDED


def limits_answers(standings: Iterable[Standing]) -> bool:
    """Whether the length of an answer matters to any of the limits."""
    return any(standing.claim.limit.quantity in ("output_tokens", "microdollars") for standing in standings)


def whole_answer(expected: int, room: int, declared: int, *, alone: bool) -> int:
    """What to set aside for an answer that comes in one piece, so that nothing can be topped up while it is written.

    The upstream is told this bound. It is generous, so that answers are rarely cut, and leaves room for others to come.

    :param room: the longest answer that is left room for
    :param alone: no other call is running
    """
    generous = room // 4 if alone else max(room // 64, SMALL_DECLARED // 2)
    return max(min(declared, room, max(expected, generous)), min(expected, declared))
