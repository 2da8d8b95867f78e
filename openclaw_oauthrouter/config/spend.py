"""``spendControls``: what may be spent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class SpendSettings(Section):
    """Guards per request, day and month; every limit is off when absent."""

    max_request_input_tokens: int | None = Field(None, ge=0, description="tokens of one prompt")
    max_request_output_tokens: int | None = Field(
        None, ge=0, description="tokens of one answer; the limit of requests that name none"
    )
    daily_input_token_budget: int | None = Field(None, ge=0, description="prompt tokens per UTC day")
    daily_output_token_budget: int | None = Field(None, ge=0, description="answer tokens per UTC day")
    daily_request_budget: int | None = Field(None, ge=0, description="requests per UTC day")
    daily_cost_budget: float | None = Field(None, ge=0, description="US dollars per UTC day")
    monthly_cost_budget: float | None = Field(None, ge=0, description="US dollars per UTC month")
    allowlist_models: tuple[str, ...] = Field((), description="provider/model, or an id at any provider; all when empty")
    denylist_models: tuple[str, ...] = Field((), description="models nobody may use")
    on_exceeded: Literal["refuse", "downgrade"] = Field(
        "refuse", description="downgrade tries cheaper models of the route when money is short"
    )
