"""``providers.<name>``: the upstreams."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from openclaw_oauthrouter.config.section import Section

ProviderKind = Literal["anthropic", "openai-codex", "openai-compatible"]


class AuthHeaderSettings(Section):
    """A header to authenticate with, as it is."""

    name: str
    value: SecretStr


class ModelSettings(Section):
    """What the user says of one model; overrides the catalog."""

    id: str
    context_window: int | None = Field(None, ge=1)
    max_output_tokens: int | None = Field(None, ge=1)
    images: bool = True
    documents: bool = True
    tools: bool = True
    input_price: float | None = Field(None, ge=0, description="US dollars per million tokens")
    output_price: float | None = Field(None, ge=0, description="US dollars per million tokens")


class ProviderSettings(Section):
    """One upstream. A name that is not built in is an OpenAI-compatible endpoint of the user's own."""

    kind: ProviderKind | None = Field(None, description="derived from the name when absent")
    api_base: str | None = Field(None, description="scheme, host and path that the vendor path follows")
    api_key: SecretStr | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    auth_header: AuthHeaderSettings | None = None
    models: tuple[ModelSettings, ...] = ()
    dialect: Literal["openai_chat_completions", "openai_responses"] = Field(
        "openai_chat_completions", description="which API an OpenAI-compatible endpoint speaks"
    )
    allowed_fields: tuple[str, ...] | None = Field(None, description="body fields to send; all when absent")
    subscription: bool | None = Field(None, description="answers are paid by a plan")
    enabled: bool = True

    @field_validator("auth_header", mode="before")
    @classmethod
    def _bare_value_is_authorization(cls, value: object) -> object:
        return {"name": "Authorization", "value": value} if isinstance(value, str) else value

    @field_validator("models", mode="before")
    @classmethod
    def _bare_ids(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            return tuple({"id": item} if isinstance(item, str) else item for item in value)
        return value

    @field_validator("api_base")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else value


class AnthropicOAuthSettings(Section):
    """The four rules for ``sk-ant-oat`` tokens, each switchable; none applies to API keys."""

    beta_flags: bool = True
    user_agent: bool = True
    system_in_messages: bool = True
    rename_tools: bool = True
