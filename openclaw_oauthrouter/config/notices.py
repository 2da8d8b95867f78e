"""``notices``: what the user is told of before it hurts."""

from __future__ import annotations

from openclaw_oauthrouter.config.section import Field, Section


class NoticeSettings(Section):
    """When notices appear on the dashboard and in `top`, and where else they are sent."""

    window_at: float = Field(0.8, gt=0, le=1, description="share of a plan's window at which to notify")
    retires_within_days: int = Field(30, ge=0, description="how many days before a model you use retires; 0 means never")
    desktop: bool = Field(False, description="also show desktop notifications (notify-send, or osascript on macOS)")
    command: tuple[str, ...] = Field(
        (), description="program and arguments to run for each notice; it gets the notice as JSON on standard input"
    )
