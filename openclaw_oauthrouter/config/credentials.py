"""``credentials``: where they are looked for, and what may be renewed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from openclaw_oauthrouter.config.section import Field, Section

SourceName = str

DEFAULT_ORDER: tuple[SourceName, ...] = (
    "config",
    "environment",
    "host",
    "store",
    "openclaw",
    "auth-profiles",
    "codex-cli",
    "claude-code",
)


class CredentialSettings(Section):
    """Where credentials come from. The first usable one counts; `auto` prefers a plan with room if you have stated no order."""

    order: tuple[SourceName, ...] = Field(
        DEFAULT_ORDER,
        description="sources, in order; built-in sources that are not named are not used, and those of plugins come last",
    )
    codex_cli: bool = Field(False, description="read Codex CLI's own auth.json (never written)")
    claude_code: bool = Field(False, description="read Claude Code's own credentials file (never written)")
    agent: str = Field("main", description="OpenClaw agent whose credentials are read")
    openclaw_state_dir: Path | None = Field(None, description="OPENCLAW_STATE_DIR, else ~/.openclaw")
    refresh_auth_profiles: Literal["auto", "always", "never"] = Field(
        "auto", description="renew the tokens in auth-profiles.json; auto: only if there is no OpenClaw database beside it"
    )
    paused: tuple[str, ...] = Field(
        (),
        description="names of credentials, as `auth status` shows them, that must not be used",
    )
    pool_same_vendor: bool = Field(False, description="use several accounts of the same plan")
    openai_token_url: str = Field(
        "https://auth.openai.com/oauth/token", description="address at which ChatGPT sign-ins are renewed"
    )
