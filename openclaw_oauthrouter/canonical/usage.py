"""Token counts of one answer."""

from __future__ import annotations

from dataclasses import dataclass


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
