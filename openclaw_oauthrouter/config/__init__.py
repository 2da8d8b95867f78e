"""The settings: one pydantic tree; the only room that reads environment variables and the configuration file."""

from __future__ import annotations

from pathlib import Path

from openclaw_oauthrouter.config.credentials import CredentialSettings
from openclaw_oauthrouter.config.kept import KeptSettings
from openclaw_oauthrouter.config.notices import NoticeSettings
from openclaw_oauthrouter.config.providers import AnthropicOAuthSettings, ProviderSettings
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.config.section import Field, Section
from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.config.telemetry import TelemetrySettings
from openclaw_oauthrouter.config.upstream import RateLimitFallbackSettings, UpstreamSettings

__all__ = ["Settings"]


class Settings(Section):
    """Everything that can be configured."""

    home: Path = Field(
        default_factory=lambda: Path.home() / ".openclaw" / "oauthrouter",
        description="state folder: token, credentials, ledger, logs",
    )
    demo: bool = Field(False, description="answer everything from the built-in demo; ``serve --demo`` sets it")
    state_url: str | None = Field(
        None,
        description="a Redis that shares ledger, cooldowns and conversations between gateways: redis://, rediss://, redis+sentinel:// or redis+cluster://; without it, SQLite is used",
    )
    server: ServerSettings = ServerSettings()
    providers: dict[str, ProviderSettings] = Field(
        default_factory=dict, description="providers by name; settings of a built-in provider replace its defaults"
    )
    anthropic_oauth: AnthropicOAuthSettings = AnthropicOAuthSettings()
    tool_preamble: bool = Field(False, description="add the original's paragraph about tools to the system prompt")
    routing: RoutingSettings = Field(default_factory=RoutingSettings)
    rate_limit_fallback: RateLimitFallbackSettings = RateLimitFallbackSettings()
    spend_controls: SpendSettings = SpendSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    credentials: CredentialSettings = CredentialSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    kept_responses: KeptSettings = KeptSettings()
    notices: NoticeSettings = NoticeSettings()
