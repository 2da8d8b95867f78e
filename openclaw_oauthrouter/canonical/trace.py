"""What is remembered of one request; filled while it runs, read by sinks when it has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.canonical.routing import RoutingDecision, WindowShare
from openclaw_oauthrouter.canonical.spending import PaidBy
from openclaw_oauthrouter.canonical.usage import Usage

VIA = "x-oauthrouter-via"
"""Header by which a gateway knows its own requests again, when a provider's address leads back to it."""


@dataclass(slots=True)
class Attempt:
    """One call of one upstream.

    :ivar url: without query string
    :ivar outcome: ``ok``, or the error class's name
    :ivar seconds: from sending to its end
    :ivar sent: the request may have reached the upstream
    :ivar usage: what a call reported that failed before its answer reached the client
    :ivar characters: what such a call had written
    :ivar booked: US dollars that such a call is taken to have cost
    """

    provider: str
    model: str
    credential: str | None
    url: str
    status: int | None = None
    outcome: str = "pending"
    reason: str | None = None
    seconds: float = 0.0
    sent: bool = False
    usage: Usage | None = None
    characters: int = 0
    booked: MeasuredCost | None = None


@dataclass(slots=True)
class RequestRecord:
    """One request from arrival to its last byte. Holds no secret and no prompt text.

    :ivar started_at: Unix seconds
    :ivar began: the same moment on a clock that nobody sets, which durations are counted on
    :ivar status: what the client got; 499 when it hung up first
    :ivar spend_decision: ``allow``, ``deny``, ``downgrade``; ``None`` when never asked
    :ivar cost: US dollars by the usage that was reported; ``None`` when the price is not known
    :ivar baseline_cost: US dollars the baseline model would have charged for the same tokens
    :ivar paid_by: dollars by the token, a plan's window, or its extra usage
    :ivar budget_warnings: limits that are nearly used, in words
    :ivar downgraded_from: the model that money did not suffice for
    :ivar windows: what the answer took of a plan's windows
    """

    request_id: str
    started_at: float
    path: str
    method: str
    dialect: str = ""
    client: str | None = None
    user_agent: str | None = None
    conversation: str | None = None
    session_key: str | None = None
    model_requested: str | None = None
    model_resolved: str | None = None
    model_answered: str | None = None
    provider: str | None = None
    credential: str | None = None
    upstream_url: str | None = None
    decision: RoutingDecision | None = None
    stream: bool = False
    tool_count: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    status: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    finish_reason: str | None = None
    spend_decision: str | None = None
    spend_code: str | None = None
    usage: Usage | None = None
    cost: MeasuredCost | None = None
    baseline_cost: MeasuredCost | None = None
    paid_by: PaidBy = "api"
    windows: tuple[WindowShare, ...] = ()
    budget_warnings: tuple[str, ...] = ()
    downgraded_from: str | None = None
    first_token_seconds: float | None = None
    seconds: float | None = None
    prompt_text: str | None = None
    traceparent: str | None = None
    features: dict[str, object] | None = None
    began: float | None = None

    @property
    def subscription(self) -> bool:
        """Whether a plan's windows paid, so that ``cost`` is what the API would have charged; extra usage is money."""
        return self.paid_by == "plan"

    @property
    def saved(self) -> float | None:
        """US dollars less than the baseline model would have charged for the same tokens; negative when it was more."""
        return None if self.baseline_cost is None or self.cost is None else self.baseline_cost - self.cost

    @property
    def unpriced(self) -> bool:
        """Whether tokens were used that nobody knows the price of: the cost is unknown then, not nothing."""
        return self.usage is not None and self.cost is None

    @property
    def tokens_per_second(self) -> float | None:
        """Speed of writing after the first token; ``None`` when it cannot be told, as for answers that came in one piece."""
        if (
            not self.stream
            or self.usage is None
            or self.seconds is None
            or self.first_token_seconds is None
            or not self.usage.output_tokens
        ):
            return None
        writing = self.seconds - self.first_token_seconds
        return self.usage.output_tokens / writing if writing > 0 else None
