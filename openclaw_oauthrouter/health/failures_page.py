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
        return "–"
    told = ", or as told" if cooldown.evidence == "retry_after" else ""
    return f"{_span(cooldown.seconds)} to {_span(cooldown.most_seconds)}{told}"


_HEAD = f"""\
# When a provider fails

The gateway compares each failure with the rows of this table, and the first row that matches decides what happens next. The rows are data
(`openclaw_oauthrouter/health/failures.py`). A plugin can add or replace rows with the hook `oauthrouter_failure_rules`.

## How to read the table

- **What rests** is what the gateway stops using for a while: a model at one provider, a credential, or a whole provider. A dash means that nothing rests.
- **Tried next** lists the steps in order. "Nothing" means that the client gets the error at once. The gateway can switch models only until the first content of an
  answer has reached the client. After that, an error ends the stream, in the client's dialect.
- **Rests for** is the first and the longest pause. Each further failure doubles the pause, and a success resets it. "Or as told" means that the provider's own
  Retry-After or reset time is used instead, if it gives one. Several calls that were running at the same time and failed together count as one failure.
- **The same again** means a repetition. If it comes before "the next model", it happens at once. If it comes after, it happens only when nothing else is left: the
  gateway then waits for a Retry-After of up to `upstream.retry.max_wait_seconds`, plus a little at random.

## Rules that hold for every row

- If a pause is longer than {PROBE_SECONDS:.0f} s, one real request every {PROBE_SECONDS:.0f} s tests whether it is still needed. If that request succeeds, the pause ends for everybody.
- Nothing rests because of a client's mistake.
- The words of a refusal decide what is at fault: the request, a credential, an account, a model, or an address
  (`openclaw_oauthrouter/canonical/refusal_table.py`). The status counts only if the words do not say. If the route has several models, the next one is tried unless the
  words or the parameter they name point at the request's content.
- Some refusals make nothing rest. If one of them comes back word for word for a different request, without a success in between, the model is assumed to be at fault and
  rests for {_cooldown(REPEATED.cooldown)}.
- While a provider's Retry-After is running, the provider is not asked.
- If every suitable model is resting, the first one is asked anyway. The error message then begins with the reason why the first model rests.
- If an answer begins with status 200 and then contains an error event, the event counts as the status that its type stands for.
- A credential also rests when the provider's headers say that a plan window or API limit is used up. It rests until the reset time in those headers. In case the reset comes early,
  one real request tries the credential after {PROBE_SECONDS:.0f} s, and again after pauses that double up to {LONGEST_PAUSE_SECONDS / 60:.0f} min. As soon as the headers of any answer show
  that the window is open, the credential is used again. A limit that counts only some of a plan's models, such as a weekly limit for Opus, makes only those rest.

## The table

| failure | what happened | what rests | tried next | rests for | the client gets |
| --- | --- | --- | --- | --- | --- |
"""

_ACTION_WORDS = {
    "retry": "the same again",
    "renew": "the credential, read again",
    "next_credential": "the next credential",
    "next_candidate": "the next model",
    "larger_candidate": "a model with a larger window",
}

_RESTS = {"request": "–"}


def failures_page(rules: Sequence[FailureRule] = FAILURE_RULES) -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_row(rule) for rule in rules)


def _row(rule: FailureRule) -> str:
    actions = ", ".join(_ACTION_WORDS[action] for action in rule.actions) or "nothing"
    cells = (
        f"`{rule.name}`",
        rule.happened,
        _RESTS.get(rule.scope, rule.scope),
        actions,
        _cooldown(rule.cooldown),
        rule.client_gets,
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(failures_page())
