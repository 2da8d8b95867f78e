"""``upstream``: time limits, retries, and the original's rate-limit fallback."""

from __future__ import annotations

from pathlib import Path

from openclaw_oauthrouter.config.section import Field, Section


class TimeoutSettings(Section):
    """How long a provider may take for each step, in seconds."""

    connect: float = Field(10.0, gt=0, description="to connect, including TLS")
    first_byte: float = Field(300.0, gt=0, description="from sending to the first byte of the answer")
    idle: float = Field(120.0, gt=0, description="between two reads of a stream")
    total: float = Field(1800.0, gt=0, description="for a whole request, all attempts together")


class RetrySettings(Section):
    """How often the same model is tried again."""

    attempts: int = Field(2, ge=1, le=10, description="calls to one model with one credential, including the first")
    base_seconds: float = Field(0.25, ge=0, description="longest pause before the second call; each further one doubles it")
    max_wait_seconds: float = Field(2.0, ge=0, description="longest Retry-After to wait for, and only if no other model is left")
    max_total_attempts: int = Field(8, ge=1, description="calls to all models together")


class FallbackCandidateSettings(Section):
    """One stop of the fallback chain."""

    provider: str = Field(description="name of a configured provider")
    model_map: dict[str, str] = Field(
        default_factory=dict, description="limited model (full name, id, or a word of its id) -> this provider's model"
    )
    default_model: str | None = Field(
        None, description="for models that the map does not name; if absent, this provider is skipped for them"
    )


class RateLimitFallbackSettings(Section):
    """Where requests for an explicitly chosen model go when its provider limits the rate (the original's ``rateLimitFallback``)."""

    enabled: bool = Field(False, description="switch the fallback on")
    on_status_codes: tuple[int, ...] = Field((429, 529), description="statuses of the provider that start the fallback")
    from_providers: tuple[str, ...] = Field(("anthropic",), description="providers whose requests may go elsewhere")
    chain: tuple[FallbackCandidateSettings, ...] | None = Field(
        None, description="providers to try; if absent, Codex and then DeepSeek, as in the original"
    )


class DebugLogSettings(Section):
    """A complete log of what is sent to providers and what they answer, for finding faults. Nowhere else are bodies written to disk."""

    enabled: bool = Field(False, description="switch the log on")
    seconds: float = Field(900.0, gt=0, description="how long the log runs after the gateway's start; then it stops by itself")
    max_chars: int = Field(20_000, ge=0, description="of each body")
    path: Path | None = Field(None, description="file to write; if absent, logs/upstream-debug.jsonl in the state folder")


class ModelListSettings(Section):
    """In the background, the gateway asks providers for their lists of models. It keeps the latest good ones in the state folder."""

    enabled: bool = Field(True, description="ask providers which models they serve")
    first_after_seconds: float = Field(2.0, ge=0, description="how long after the start the first lists are fetched")
    every_hours: float = Field(6.0, gt=0, description="how often they are fetched again")
    answer_seconds: float = Field(10.0, gt=0, description="how long a provider may take to answer")


class PlanUsageSettings(Section):
    """In the background, the gateway asks plans how full their windows are. It also learns this from every answer."""

    enabled: bool = Field(
        True,
        description="ask, if the plan supports it: once after a start or an idle time, and when calls have been made whose answers do not tell",
    )
    first_after_seconds: float = Field(3.0, ge=0, description="after the start")
    stale_minutes: float = Field(15.0, gt=0, description="how old the last information must be")
    answer_seconds: float = Field(10.0, gt=0, description="how long a plan may take to answer")


class UpstreamSettings(Section):
    """How the gateway talks to providers."""

    timeouts: TimeoutSettings = TimeoutSettings()
    retry: RetrySettings = RetrySettings()
    max_connections: int = Field(
        1000, ge=1, description="simultaneous requests to one provider; further ones are answered with 503"
    )
    debug_log: DebugLogSettings = DebugLogSettings()
    model_lists: ModelListSettings = ModelListSettings()
    plan_usage: PlanUsageSettings = PlanUsageSettings()
    trust_env: bool = Field(
        True, description="use HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and similar variables"
    )
    ca_file: Path | None = Field(None, description="PEM file with certificates to trust, besides the system's")
