"""How a failure of an upstream is answered, as data: shared by the sending side, health and plugins."""

from __future__ import annotations

from typing import Literal

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import Scope, UpstreamError

Action = Literal["retry", "renew", "next_credential", "next_candidate", "larger_candidate"]
"""What may help: the same call again, the same credential read anew, another credential of the provider, the next model of the
route, the next model of the route whose context window is larger."""

Evidence = Literal["fixed", "retry_after"]
"""What a cooldown lasts by: our own figures, or the provider's where it gives one (a time, or the reset of a used-up window)."""


@value(frozen=True, slots=True)
class Cooldown:
    """How long what failed is left alone.

    :ivar seconds: after the first failure; doubles with each further one
    :ivar most_seconds: the doubling ends here
    """

    seconds: float
    most_seconds: float
    evidence: Evidence = "fixed"


@value(frozen=True, slots=True)
class FailureRule:
    """One row of the table. The first row that matches an error answers it; empty conditions match anything.

    :ivar name: identifies the row; a plugin's row of the same name replaces it
    :ivar happened: what happened, in words
    :ivar scope: what is out of order
    :ivar actions: what to try, in this order; empty gives up
    :ivar cooldown: ``None`` leaves nothing alone: the fault is the request's
    :ivar client_gets: the answer if nothing helps, in words
    :ivar error: name of the error's class
    :ivar statuses: what the provider answered with
    :ivar codes: the error's ``code`` or the provider's own word for it
    :ivar words: any of these in the message, lower case
    :ivar blames: whose fault it is, see ``canonical.refusals.Blame``
    """

    name: str
    happened: str
    scope: Scope
    actions: tuple[Action, ...]
    cooldown: Cooldown | None
    client_gets: str
    error: str | None = None
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    blames: tuple[str, ...] = ()

    def matches(self, error: UpstreamError) -> bool:
        """Whether this row speaks of the error."""
        return (
            (self.error is None or type(error).__name__ == self.error)
            and (not self.statuses or error.upstream_status in self.statuses)
            and (not self.blames or error.blame in self.blames)
            and (not self.codes or error.code in self.codes or error.upstream_type in self.codes)
            and (not self.words or any(word in error.message.lower() for word in self.words))
        )
