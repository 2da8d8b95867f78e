"""``spendControls``: what may be spent."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from openclaw_oauthrouter.config.section import Field, Section, field_validator, model_validator


class BudgetSettings(Section):
    """One limit: exactly one quantity, for one period, for everybody or for what is named."""

    period: Literal["hour", "day", "week", "month", "request"] = Field("day", description="how long the limit applies")
    requests: int | None = Field(None, ge=0, description="calls to providers")
    input_tokens: int | None = Field(None, ge=0, description="prompt tokens")
    output_tokens: int | None = Field(None, ge=0, description="answer tokens")
    cost: float | None = Field(None, ge=0, description="US dollars")
    provider: str | None = Field(None, description="counts this provider only")
    model: str | None = Field(None, description="counts this model only, as provider/id")
    client: str | None = Field(None, description="counts this client key only")
    each: Literal["client", "conversation", "model", "provider"] | None = Field(
        None, description="each client, conversation, model or provider gets this limit for itself"
    )
    hard: bool = Field(False, description="must never be exceeded, not even by one answer; refuses requests earlier")

    @model_validator(mode="after")
    def _one_of_each(self) -> BudgetSettings:
        if sum(value is not None for value in (self.requests, self.input_tokens, self.output_tokens, self.cost)) != 1:
            raise ValueError("name exactly one of requests, input_tokens, output_tokens and cost")
        if sum(value is not None for value in (self.provider, self.model, self.client, self.each)) > 1:
            raise ValueError("name at most one of provider, model, client and each")
        if self.model is not None and "/" not in self.model:
            raise ValueError("model must be provider/id")
        return self


class SpendSettings(Section):
    """Limits per request, hour, day, week and month. A limit that is absent is off."""

    max_request_input_tokens: int | None = Field(None, ge=0, description="tokens of one prompt")
    max_request_output_tokens: int | None = Field(
        None, ge=0, description="tokens of one answer; also the limit for requests that set none"
    )
    daily_input_token_budget: int | None = Field(None, ge=0, description="prompt tokens per day")
    daily_output_token_budget: int | None = Field(None, ge=0, description="answer tokens per day")
    daily_request_budget: int | None = Field(
        None, ge=0, description="requests per day: every call that reached a provider, whatever its result"
    )
    hourly_cost_budget: float | None = Field(None, ge=0, description="US dollars per hour")
    daily_cost_budget: float | None = Field(None, ge=0, description="US dollars per day")
    weekly_cost_budget: float | None = Field(None, ge=0, description="US dollars per week, from Monday")
    monthly_cost_budget: float | None = Field(None, ge=0, description="US dollars per month")
    budgets: tuple[BudgetSettings, ...] = Field((), description="more limits, for a provider, model, client or conversation")
    hard: bool = Field(
        False, description="limits that must never be exceeded, not even by one answer; they refuse requests earlier"
    )
    timezone: str | None = Field(
        None, description="time zone in which days begin, such as Europe/Berlin; if absent, the machine's, or UTC if it has none"
    )
    unpriced: Literal["refuse", "count-as-dearest", "allow"] = Field(
        "refuse", description="what to do with a model without a known price while a budget in dollars is set"
    )
    warn_at: tuple[float, ...] = Field((0.5, 0.8, 0.95), description="shares of a limit at which to warn; empty means never")
    warn_command: tuple[str, ...] = Field(
        (), description="program and arguments to run for each warning; it gets the warning as JSON on standard input"
    )
    warn_url: str | None = Field(None, description="address to which each warning is sent, as JSON by POST")
    allowlist_models: tuple[str, ...] = Field(
        (), description="models that may be used: provider/model, or an id at any provider; empty means all"
    )
    denylist_models: tuple[str, ...] = Field((), description="models nobody may use")
    on_exceeded: Literal["refuse", "downgrade"] = Field(
        "refuse", description="what to do when a budget is used up; downgrade tries cheaper models of the route"
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            known = {zone.lower(): zone for zone in available_timezones()}
            meant = known.get(value.replace(" ", "_").lower())
            hint = f"did you mean {meant!r}?" if meant else "name one as in Europe/Berlin, or UTC"
            raise ValueError(f"there is no time zone {value!r}; {hint}") from None
        return value

    @field_validator("warn_at")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < share <= 1 for share in value):
            raise ValueError("each must be more than 0 and at most 1, as 0.8 for four fifths")
        return tuple(sorted(value))

    @field_validator("warn_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value
