"""``spendControls``: what may be spent."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from openclaw_oauthrouter.config.section import Section


class BudgetSettings(Section):
    """One limit, as a row of ``budgets``: exactly one quantity, for one period, for everybody or for what is named."""

    period: Literal["hour", "day", "week", "month", "request"] = Field("day", description="how long it holds for")
    requests: int | None = Field(None, ge=0, description="calls of upstreams")
    input_tokens: int | None = Field(None, ge=0, description="prompt tokens")
    output_tokens: int | None = Field(None, ge=0, description="answer tokens")
    cost: float | None = Field(None, ge=0, description="US dollars")
    provider: str | None = Field(None, description="counts this provider only")
    model: str | None = Field(None, description="counts this model only, as provider/id")
    client: str | None = Field(None, description="counts this client key only")
    each: Literal["client", "conversation", "model", "provider"] | None = Field(
        None, description="every client, conversation, model or provider has this much for itself"
    )
    hard: bool = Field(False, description="never exceeded, not even by one answer: refuses earlier")

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
    """Guards per request, hour, day, week and month; every limit is off when absent."""

    max_request_input_tokens: int | None = Field(None, ge=0, description="tokens of one prompt")
    max_request_output_tokens: int | None = Field(
        None, ge=0, description="tokens of one answer; the limit of requests that name none"
    )
    daily_input_token_budget: int | None = Field(None, ge=0, description="prompt tokens per day")
    daily_output_token_budget: int | None = Field(None, ge=0, description="answer tokens per day")
    daily_request_budget: int | None = Field(
        None, ge=0, description="requests per day: every call that reached an upstream, whatever became of it"
    )
    hourly_cost_budget: float | None = Field(None, ge=0, description="US dollars per hour")
    daily_cost_budget: float | None = Field(None, ge=0, description="US dollars per day")
    weekly_cost_budget: float | None = Field(None, ge=0, description="US dollars per week, from Monday")
    monthly_cost_budget: float | None = Field(None, ge=0, description="US dollars per month")
    budgets: tuple[BudgetSettings, ...] = Field((), description="further limits: for a provider, model, client or conversation")
    hard: bool = Field(False, description="the limits named here are never exceeded, not even by one answer: they refuse earlier")
    timezone: str | None = Field(
        None, description="where days begin, such as Europe/Berlin; the machine's zone when absent, UTC where it has none"
    )
    unpriced: Literal["refuse", "count-as-dearest", "allow"] = Field(
        "refuse", description="what becomes of a model whose price nobody knows while a budget in money is set"
    )
    warn_at: tuple[float, ...] = Field((0.5, 0.8, 0.95), description="shares of a limit at which to warn; none when empty")
    warn_command: tuple[str, ...] = Field(
        (), description="program and arguments to run at each warning, which it reads as JSON from its standard input"
    )
    warn_url: str | None = Field(None, description="address to send each warning to, as JSON by POST")
    allowlist_models: tuple[str, ...] = Field((), description="provider/model, or an id at any provider; all when empty")
    denylist_models: tuple[str, ...] = Field((), description="models nobody may use")
    on_exceeded: Literal["refuse", "downgrade"] = Field(
        "refuse", description="downgrade tries cheaper models of the route when money is short"
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
