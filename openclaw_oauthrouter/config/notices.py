"""``notices``: what the user is told of before it hurts."""

from __future__ import annotations

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class NoticeSettings(Section):
    """Notices stand on the dashboard and in `top`; these say when, and how else."""

    window_at: float = Field(0.8, gt=0, le=1, description="share of a plan's window that is used when it is worth a notice")
    retires_within_days: int = Field(30, ge=0, description="days before a model of yours retires; 0 says nothing of it")
    desktop: bool = Field(False, description="also as a notification of the desktop (notify-send, or osascript on macOS)")
    command: tuple[str, ...] = Field(
        (), description="program and arguments to run at each notice, which it reads as JSON from its standard input"
    )
