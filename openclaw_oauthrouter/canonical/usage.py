"""Token counts of one answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from openclaw_oauthrouter.canonical.json import whole_number


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as OpenTelemetry GenAI counts them.

    :ivar input_tokens: the whole prompt, cached tokens included (Anthropic's own figure excludes them)
    :ivar cache_read_input_tokens: part of ``input_tokens`` that came from the cache
    :ivar cache_creation_input_tokens: part of ``input_tokens`` that was written to the cache
    :ivar cache_creation_1h_input_tokens: part of those written for an hour instead of five minutes
    :ivar output_tokens: the whole answer, reasoning included
    :ivar reasoning_output_tokens: part of ``output_tokens`` spent on reasoning
    :ivar service_tier: what the provider says it billed: default, priority, flex, batch
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_creation_1h_input_tokens: int = 0
    reasoning_output_tokens: int = 0
    service_tier: str | None = None

    @property
    def total_tokens(self) -> int:
        """Input plus output."""
        return self.input_tokens + self.output_tokens


def token_count(holder: object, key: str) -> int:
    """A count as a provider reports it; what is absent, no number, or less than nothing, counts as nothing.

    A provider that reports nonsense must not earn the user a credit, nor write a figure that the trace and the ledger cannot hold.

    :param holder: the object it should stand in, itself perhaps absent
    """
    return whole_number(holder.get(key)) if isinstance(holder, dict) else 0


def usage_of_interrupted(reported: Usage | None, input_tokens: int, output_characters: int) -> Usage:
    """What an answer cut short has cost, as far as can be told.

    A provider's reports lag behind its words (Anthropic's first one counts a single output token), so what was seen counts too.

    :param reported: the last report before the cut
    :param input_tokens: the estimate, used where the provider had not reported yet
    :param output_characters: text, reasoning and tool arguments that arrived
    """
    seen = -(-output_characters // 4)
    if reported is None:
        return Usage(input_tokens=input_tokens, output_tokens=seen)
    return replace(reported, output_tokens=max(reported.output_tokens, seen))
