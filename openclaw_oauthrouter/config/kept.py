"""``kept_responses``: answers kept for clients that go on from them by id."""

from __future__ import annotations

from openclaw_oauthrouter.config.section import Field, Section


class KeptSettings(Section):
    """Answers of the Responses API are kept so that ``previous_response_id`` finds them, unless a request says ``store: false``."""

    enabled: bool = Field(True, description="keep answers; otherwise previous_response_id is refused")
    seconds: float = Field(86_400.0, gt=0, description="how long an answer is kept after its last use")
    max_bytes: int = Field(
        256 * 1024 * 1024, ge=1024 * 1024, description="size of all answers together; beyond it, the oldest are removed"
    )
