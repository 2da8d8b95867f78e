"""``kept_responses``: answers kept for clients that go on from them by id."""

from __future__ import annotations

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class KeptSettings(Section):
    """What is kept of Responses that clients do not ask to be forgotten (``store: false``), so that ``previous_response_id`` finds it."""

    enabled: bool = Field(True, description="false keeps nothing: previous_response_id is then refused")
    seconds: float = Field(86_400.0, gt=0, description="how long after its last use an answer is kept")
    max_bytes: int = Field(256 * 1024 * 1024, ge=1024 * 1024, description="of all answers together; the oldest make room")
