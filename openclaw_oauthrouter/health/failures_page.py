"""Writes the table of failures for people: ``python -m openclaw_oauthrouter.health.failures_page > docs/failures.md``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from openclaw_oauthrouter.canonical.failure import Cooldown, FailureRule
from openclaw_oauthrouter.health.cooldowns import PROBE_SECONDS
from openclaw_oauthrouter.health.failures import FAILURE_RULES, REPEATED
from openclaw_oauthrouter.health.plan_windows import LONGEST_PAUSE_SECONDS


def _span(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def _cooldown(cooldown: Cooldown | None) -> str:
    if cooldown is None:
        return "not at all"
    told = ", or as told" if cooldown.evidence == "retry_after" else ""
    return f"{_span(cooldown.seconds)} to {_span(cooldown.most_seconds)}{told}"


_HEAD = f"""\
# When a provider fails

Every failure is answered by the first row of this table that matches it. The rows are data
(`openclaw_oauthrouter/health/failures.py`); a plugin adds or replaces rows with the hook `oauthrouter_failure_rules`.

- **Out of order** is what is left alone afterwards: one request (nothing), a model at a provider, a credential, a whole provider.
- **Tried next**, from left to right; nothing means that the client gets the answer at once. A fallback is only possible until the first
  content of an answer has reached the client; after that an error ends the stream, in the client's dialect.
- **Left alone for** doubles with each further failure up to the second figure, and starts anew after a success. *Or as told* prefers the
  provider's own Retry-After or reset time. Calls that were under way together and fail together count once.
- Whatever is left alone for longer than {PROBE_SECONDS:.0f} s is tried by one real request every {PROBE_SECONDS:.0f} s; if it succeeds, it is
  open for all again. A client's mistake leaves nothing alone.
- The words of a refusal decide whose fault it is, its status only where they are silent (`openclaw_oauthrouter/canonical/refusal_table.py`): the
  request, a credential, an account, a model or an address. On a route of several models a refusal goes on unless its words or its parameter
  point at the request's content.
- A refusal that leaves nothing alone but comes back word for word for another request, with no success between, is taken for the model's:
  it is left alone for {_cooldown(REPEATED.cooldown)}.
- *The same again* before *the next model* is a repetition at once. Behind it, it comes when nothing else is left: a Retry-After of up to
  `upstream.retry.max_wait_seconds` is waited out then, plus a little at random. While a provider's Retry-After runs it is not asked.
- If everything that fits is left alone, the first that fits is asked all the same. The error then leads with what stopped the first model.
- An error event within an answer that began with status 200 is read as the status its type stands for.
- Besides this table, a credential whose plan window or API limit is used up, as the provider's headers say, is left alone until the reset
  they tell. One real request tries it after {PROBE_SECONDS:.0f} s, then after pauses that double up to {LONGEST_PAUSE_SECONDS / 60:.0f} min, in case the
  reset came early; headers of any answer that show the window open end this and the credential's cooldown at once.

| failure | what happened | out of order | tried next | left alone for | the client gets |
| --- | --- | --- | --- | --- | --- |
"""

_ACTION_WORDS = {
    "retry": "the same again",
    "renew": "the credential, read anew",
    "next_credential": "the next credential",
    "next_candidate": "the next model",
    "larger_candidate": "a model with a larger window",
}


def failures_page(rules: Sequence[FailureRule] = FAILURE_RULES) -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_row(rule) for rule in rules)


def _row(rule: FailureRule) -> str:
    actions = ", ".join(_ACTION_WORDS[action] for action in rule.actions) or "nothing"
    cells = (f"`{rule.name}`", rule.happened, rule.scope, actions, _cooldown(rule.cooldown), rule.client_gets)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(failures_page())
