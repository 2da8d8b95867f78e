"""``spendControls``: what may be spent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class SpendSettings(Section):
    """Guards per request, day and month; every limit is off when absent."""

    max_request_input_tokens: int | None = Field(None, ge=0)
    max_request_output_tokens: int | None = Field(None, ge=0)
    daily_input_token_budget: int | None = Field(None, ge=0)
    daily_output_token_budget: int | None = Field(None, ge=0)
    daily_request_budget: int | None = Field(None, ge=0)
    daily_cost_budget: float | None = Field(None, ge=0, description="US dollars per UTC day")
    monthly_cost_budget: float | None = Field(None, ge=0, description="US dollars per UTC month")
    allowlist_models: tuple[str, ...] = ()
    denylist_models: tuple[str, ...] = ()
    on_exceeded: Literal["refuse", "downgrade"] = "refuse"
