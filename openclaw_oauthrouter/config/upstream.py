"""``upstream``: time limits, retries, and the original's rate-limit fallback."""

from __future__ import annotations

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class TimeoutSettings(Section):
    """Seconds; how long an upstream may take for each step."""

    connect: float = Field(10.0, gt=0)
    first_byte: float = Field(300.0, gt=0, description="from sending to the first byte of the answer")
    idle: float = Field(120.0, gt=0, description="between two reads of a stream")
    total: float = Field(1800.0, gt=0, description="for a whole request, all hops together")


class RetrySettings(Section):
    """How often the same hop is tried again."""

    attempts: int = Field(2, ge=1, le=10, description="calls of one hop, the first included")
    base_seconds: float = Field(0.25, ge=0)
    max_wait_seconds: float = Field(10.0, ge=0, description="a longer Retry-After goes to the next hop instead")
    max_total_attempts: int = Field(8, ge=1, description="calls of all hops together")


class FallbackHopSettings(Section):
    """One stop of the fallback chain."""

    provider: str
    model_map: dict[str, str] = Field(default_factory=dict)
    default_model: str | None = None


class RateLimitFallbackSettings(Section):
    """The original's ``rateLimitFallback``: where an explicitly chosen model's requests go when its provider is limited."""

    enabled: bool = False
    on_status_codes: tuple[int, ...] = (429, 529)
    from_providers: tuple[str, ...] = ("anthropic",)
    chain: tuple[FallbackHopSettings, ...] | None = Field(None, description="the original's Codex then DeepSeek when absent")


class UpstreamSettings(Section):
    """The sending side."""

    timeouts: TimeoutSettings = TimeoutSettings()
    retry: RetrySettings = RetrySettings()
    max_connections: int = Field(200, ge=1)
    trust_env: bool = Field(True, description="obey HTTP_PROXY, HTTPS_PROXY and NO_PROXY")
