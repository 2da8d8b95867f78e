"""Token counts of one answer."""

from __future__ import annotations

from dataclasses import replace

from openclaw_oauthrouter.canonical.json import MAX_INTEGER, FrozenObject, whole_number
from openclaw_oauthrouter.canonical.value import value

_MOST_DOLLARS = 100_000.0
"""No single answer costs this much; a provider that says so reports nonsense."""

_TICKS = 1e10

_ANY_WINDOW = 2_000_000
_ROUNDS = 20
"""How often a provider may read the prompt again for one answer, while its own tools run."""

_MOST_SEARCHES = 1000
_NUMBERS = (int, float)  # and no bool, which is a kind of int


@value(frozen=True, slots=True)
class Usage:
    """Tokens as OpenTelemetry GenAI counts them.

    :ivar input_tokens: the whole prompt, cached tokens included (Anthropic's own figure excludes them)
    :ivar cache_read_input_tokens: part of ``input_tokens`` that came from the cache
    :ivar cache_creation_input_tokens: part of ``input_tokens`` that was written to the cache
    :ivar cache_creation_1h_input_tokens: part of those written for an hour instead of five minutes
    :ivar output_tokens: the whole answer, reasoning included
    :ivar reasoning_output_tokens: part of ``output_tokens`` spent on reasoning
    :ivar service_tier: what the provider says it billed: default, priority, flex, batch
    :ivar speed: what the provider says it billed: standard, fast
    :ivar inference_geo: where the provider says it computed
    :ivar web_search_requests: searches of the web that the provider made and bills apart; so ``file_search_requests`` and
        ``code_execution_requests``
    :ivar input_audio_tokens: part of ``input_tokens`` that was sound; so ``output_audio_tokens``
    :ivar provider_cost: US dollars, where the provider itself says what it billed
    :ivar estimated: the provider did not report (all of) it: the answer was cut short, or it never says
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_creation_1h_input_tokens: int = 0
    reasoning_output_tokens: int = 0
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    web_search_requests: int = 0
    file_search_requests: int = 0
    code_execution_requests: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    provider_cost: float | None = None
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Input plus output."""
        return self.input_tokens + self.output_tokens


def is_reported(usage: object, *names: str) -> bool:
    """Whether a usage object tells how many tokens there were: figures, not words, and none below nothing.

    What is none counts as not reported, so that an estimate takes its place; an honest 0 is a report.

    :param names: of the input and the output
    """
    if not isinstance(usage, dict):
        return False
    told = [usage[name] for name in names if usage.get(name) is not None]
    for count in told:
        if type(count) not in _NUMBERS or count < 0:
            return False
    return bool(told)


def token_count(holder: object, key: str) -> int:
    """A count as a provider reports it; what is absent, no number, or less than nothing, counts as nothing.

    A provider that reports nonsense must not earn the user a credit, nor write a figure that the trace and the ledger cannot hold.

    :param holder: the object it should stand in, itself perhaps absent
    """
    if type(holder) is not dict or key not in holder:
        return 0
    count = holder[key]
    return count if type(count) is int and 0 <= count <= MAX_INTEGER else whole_number(count)


def reported_cost(usage: FrozenObject) -> float | None:
    """US dollars, where the provider says in its usage object what it billed: OpenRouter in dollars, xAI in ticks.

    https://openrouter.ai/docs/use-cases/usage-accounting; a call on a key of the user's own is billed by its vendor besides.
    https://docs.x.ai/docs/key-information/usage: ten thousand million ticks are a dollar.
    """
    ticks = _dollars(usage.get("cost_in_usd_ticks"), _TICKS)
    if ticks is not None:
        return ticks / _TICKS
    cost = _dollars(usage.get("cost"))
    if cost is not None and usage.get("is_byok") is True:
        details = usage.get("cost_details")
        vendor = _dollars(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
        return None if vendor is None else cost + vendor
    return cost


def _dollars(value: object, unit: float = 1.0) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MOST_DOLLARS * unit:
        return None
    return float(value)


def plausible(usage: Usage, window: int | None, longest: int | None, *, rounds: bool = True) -> Usage:
    """The usage, as far as the model can have used it at all: a provider that reports nonsense must not use up a month's budget.

    :param window: tokens that fit the model; what a request with a provider's own tools reports may be many times as much
    :param longest: the longest answer it may write
    :param rounds: the provider may have run tools of its own, and read the prompt again after each
    """
    times = _ROUNDS if rounds or usage.web_search_requests else 1
    most_input, most_output = (window or _ANY_WINDOW) * times, (longest or window or _ANY_WINDOW) * times
    if usage.input_tokens <= most_input and usage.output_tokens <= most_output and usage.web_search_requests <= _MOST_SEARCHES:
        return usage
    within = min(usage.input_tokens, most_input)
    return replace(
        usage,
        input_tokens=within,
        output_tokens=min(usage.output_tokens, most_output),
        cache_read_input_tokens=min(usage.cache_read_input_tokens, within),
        cache_creation_input_tokens=min(usage.cache_creation_input_tokens, within),
        cache_creation_1h_input_tokens=min(usage.cache_creation_1h_input_tokens, within),
        web_search_requests=min(usage.web_search_requests, _MOST_SEARCHES),
        estimated=True,
    )


def usage_of_interrupted(reported: Usage | None, input_tokens: int, output_characters: int) -> Usage:
    """What an answer cut short has cost, as far as can be told.

    A provider's reports lag behind its words (Anthropic's first one counts a single output token), so what was seen counts too.

    :param reported: the last report before the cut
    :param input_tokens: the estimate, used where the provider had not reported yet
    :param output_characters: text, reasoning and tool arguments that arrived
    """
    seen = -(-output_characters // 4)
    if reported is None:
        return Usage(input_tokens=input_tokens, output_tokens=seen, estimated=True)
    return replace(reported, output_tokens=max(reported.output_tokens, seen), estimated=True)
