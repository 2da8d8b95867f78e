"""``upstream``: time limits, retries, and the original's rate-limit fallback."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class TimeoutSettings(Section):
    """Seconds; how long an upstream may take for each step."""

    connect: float = Field(10.0, gt=0, description="to connect, TLS included")
    first_byte: float = Field(300.0, gt=0, description="from sending to the first byte of the answer")
    idle: float = Field(120.0, gt=0, description="between two reads of a stream")
    total: float = Field(1800.0, gt=0, description="for a whole request, all candidates together")


class RetrySettings(Section):
    """How often the same candidate is tried again."""

    attempts: int = Field(2, ge=1, le=10, description="calls of one candidate with one credential, the first included")
    base_seconds: float = Field(0.25, ge=0, description="longest pause before the second call; doubles with each further one")
    max_wait_seconds: float = Field(
        2.0, ge=0, description="the longest Retry-After that is waited out, and only where nobody else is left to ask"
    )
    max_total_attempts: int = Field(8, ge=1, description="calls of all candidates together")


class FallbackCandidateSettings(Section):
    """One stop of the fallback chain."""

    provider: str = Field(description="name of a configured provider")
    model_map: dict[str, str] = Field(
        default_factory=dict, description="the limited model (full name, id, or a word of its id) -> this provider's model"
    )
    default_model: str | None = Field(None, description="for models the map does not name; the candidate is left out when absent")


class RateLimitFallbackSettings(Section):
    """The original's ``rateLimitFallback``: where an explicitly chosen model's requests go when its provider is limited."""

    enabled: bool = Field(False, description="switches the fallback on")
    on_status_codes: tuple[int, ...] = Field((429, 529), description="answers of the provider that lead to the chain")
    from_providers: tuple[str, ...] = Field(("anthropic",), description="providers whose requests may go elsewhere")
    chain: tuple[FallbackCandidateSettings, ...] | None = Field(
        None, description="the original's Codex then DeepSeek when absent"
    )


class DebugLogSettings(Section):
    """What is sent to providers and what they answer, in full, for finding a fault; the one place where bodies reach the disk."""

    enabled: bool = Field(False, description="switches the log on")
    seconds: float = Field(900.0, gt=0, description="after a start of the gateway, then the log ends by itself")
    max_chars: int = Field(20_000, ge=0, description="of each body")
    path: Path | None = Field(None, description="logs/upstream-debug.jsonl in the state folder when absent")


class ModelListSettings(Section):
    """The lists of models that providers are asked for, in the background; the last good ones are kept in the state folder."""

    enabled: bool = Field(True, description="ask providers which models they serve")
    first_after_seconds: float = Field(
        2.0, ge=0, description="after the start, so that the first requests have the machine to themselves"
    )
    every_hours: float = Field(6.0, gt=0, description="and then again")
    answer_seconds: float = Field(10.0, gt=0, description="how long a provider may take for its list")


class PlanUsageSettings(Section):
    """What plans are asked about their windows, in the background; every answer tells of them anyway."""

    enabled: bool = Field(
        True, description="ask plans that say it how full their windows are, once after a start or an idle time"
    )
    first_after_seconds: float = Field(3.0, ge=0, description="after the start")
    stale_minutes: float = Field(15.0, gt=0, description="how old the last word of a plan must be")
    answer_seconds: float = Field(10.0, gt=0, description="how long a plan may take to answer")


class UpstreamSettings(Section):
    """The sending side."""

    timeouts: TimeoutSettings = TimeoutSettings()
    retry: RetrySettings = RetrySettings()
    max_connections: int = Field(1000, ge=1, description="requests to one provider at a time; further ones are answered with 503")
    debug_log: DebugLogSettings = DebugLogSettings()
    model_lists: ModelListSettings = ModelListSettings()
    plan_usage: PlanUsageSettings = PlanUsageSettings()
    trust_env: bool = Field(
        True, description="obey HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, and SSL_CERT_FILE and the like"
    )
    ca_file: Path | None = Field(None, description="PEM certificates to trust besides the system's")
