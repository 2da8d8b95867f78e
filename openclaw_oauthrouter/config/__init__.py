"""The settings: one pydantic tree; the only room that reads environment variables and the configuration file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from openclaw_oauthrouter.config.credentials import CredentialSettings
from openclaw_oauthrouter.config.kept import KeptSettings
from openclaw_oauthrouter.config.notices import NoticeSettings
from openclaw_oauthrouter.config.providers import AnthropicOAuthSettings, ProviderSettings
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.config.section import Section
from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.config.telemetry import TelemetrySettings
from openclaw_oauthrouter.config.upstream import RateLimitFallbackSettings, UpstreamSettings

__all__ = ["Settings"]


class Settings(Section):
    """Everything that can be configured; frozen, so a running pipeline never sees half a change."""

    home: Path = Field(
        default_factory=lambda: Path.home() / ".openclaw" / "oauthrouter",
        description="state folder: token, credentials, ledger, logs",
    )
    demo: bool = Field(False, description="answers come from the built-in upstream; ``serve --demo`` sets it")
    state_url: str | None = Field(
        None,
        description="a Redis that shares ledger, cooldowns and conversations: redis://, rediss://, redis+sentinel://, redis+cluster://; SQLite when absent",
    )
    server: ServerSettings = ServerSettings()
    providers: dict[str, ProviderSettings] = Field(
        default_factory=dict, description="upstreams by name; what is said of a built-in one is laid over it"
    )
    anthropic_oauth: AnthropicOAuthSettings = AnthropicOAuthSettings()
    tool_preamble: bool = Field(False, description="add the original's paragraph on tools to the system prompt")
    routing: RoutingSettings = Field(default_factory=RoutingSettings)
    rate_limit_fallback: RateLimitFallbackSettings = RateLimitFallbackSettings()
    spend_controls: SpendSettings = SpendSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    credentials: CredentialSettings = CredentialSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    kept_responses: KeptSettings = KeptSettings()
    notices: NoticeSettings = NoticeSettings()
