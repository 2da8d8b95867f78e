"""``providers.<name>``: the upstreams."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.config.section import Field, SecretStr, Section, field_validator, model_validator

ProviderKind = Literal["anthropic", "openai-codex", "openai-compatible", "gemini"]


_HARMLESS_PARAMETERS = frozenset({"api-version", "version", "alt", "region", "location", "project", "deployment"})
"""What vendors put into the query of an address and is no credential: Azure's ``api-version`` and the like."""

_OWN_MACHINE = lazily(r"localhost|[\w-]+:\d+|\d{1,3}(?:\.\d{1,3}){3}")
_ADDRESS = lazily(rf"(?:{_OWN_MACHINE.pattern}|[\w-]+(?:\.[\w-]+)+(?=[:/]))(?::\d+)?(?:/[\w./-]*)?")
"""What is an address although it does not say so; a key or token has neither a port nor a path."""


class AuthHeaderSettings(Section):
    """A header to authenticate with, sent unchanged."""

    name: str = Field(description="the header, such as x-api-key")
    value: SecretStr = Field(description="its whole value, such as Bearer …")


class PriceSettings(Section):
    """What a model costs; US dollars per million tokens, and per thousand uses of the provider's own tools."""

    input_price: float | None = Field(None, ge=0, description="US dollars per million tokens")
    output_price: float | None = Field(None, ge=0, description="US dollars per million tokens")
    cache_read_price: float | None = Field(None, ge=0, description="tokens read from the cache; if absent, the input price")
    cache_write_price: float | None = Field(None, ge=0, description="tokens written to the cache; if absent, the input price")
    cache_write_1h_price: float | None = Field(
        None, ge=0, description="tokens written to the cache for an hour; if absent, twice the input price"
    )
    web_search_price: float | None = Field(None, ge=0, description="a thousand web searches by the provider")
    file_search_price: float | None = Field(None, ge=0, description="a thousand file searches by the provider")
    code_execution_price: float | None = Field(None, ge=0, description="a thousand code executions by the provider")

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.input_price is None) != (self.output_price is None):
            raise ValueError("state input_price and output_price, or neither of them")
        return self


class PriceConditionSettings(PriceSettings):
    """Other prices for calls that meet every condition stated here."""

    above_input_tokens: int | None = Field(
        None, ge=0, description="the prompt is longer than this; then all its tokens have this price"
    )
    service_tier: str | None = Field(None, description="the service tier that is billed: priority, flex, batch")
    speed: str | None = Field(None, description="the speed that is billed: fast")
    hours: tuple[int, int] | None = Field(None, description="from the first hour of the day until before the second, in UTC")

    @field_validator("hours")
    @classmethod
    def _of_the_day(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not all(0 <= hour <= 24 for hour in value):
            raise ValueError("both must be hours of the day, 0 to 24")
        return value


class ModelSettings(PriceSettings):
    """One model; overrides the catalog."""

    id: str = Field(description="the provider's own id; in `models`, a plain string can stand for it")
    context_window: int | None = Field(None, ge=1, description="tokens, prompt and answer together")
    max_output_tokens: int | None = Field(None, ge=1, description="longest answer, in tokens")
    images: bool = Field(True, description="accepts images; overrides the catalog if that is unsure")
    documents: bool = Field(True, description="accepts documents")
    tools: bool = Field(True, description="calls tools")
    price_conditions: tuple[PriceConditionSettings, ...] = Field(
        (), description="other prices under certain conditions; the last one that applies counts"
    )


class ProviderSettings(Section):
    """One provider. A name that is not built in stands for an OpenAI-compatible endpoint of your own."""

    kind: ProviderKind | None = Field(None, description="if absent, derived from the name and the address")
    api_base: str | None = Field(None, description="scheme, host and the path before the vendor's own")
    api_key: SecretStr | None = Field(None, description="sent in the way the provider expects")
    headers: dict[str, str] = Field(default_factory=dict, repr=False, description="additional headers for every request")
    auth_header: AuthHeaderSettings | None = Field(
        None,
        description="header to authenticate with, sent unchanged and preferred to any key; a plain string is the value of Authorization",
    )
    models: tuple[ModelSettings, ...] = Field(
        (), description="models it serves; they override the catalog. If your own endpoint has such a list, it accepts no others"
    )
    dialect: Literal["openai_chat_completions", "openai_responses"] | None = Field(
        None,
        description="which API an OpenAI-compatible endpoint speaks; if absent, the catalog decides for each model, "
        "and an endpoint that it does not know speaks openai_chat_completions",
    )
    allowed_fields: tuple[str, ...] | None = Field(None, description="fields of the body to send; if absent, all")
    subscription: bool | None = Field(None, description="its answers are paid by a plan")
    enabled: bool = Field(True, description="false switches the provider off")

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
        if value is None:
            return None
        parts = urlsplit(value)
        if not value.startswith(("http://", "https://")):
            # Only an address is repeated: what else stands here may be a key.
            instead = f", not {parts.scheme}://{parts.hostname or ''}" if parts.netloc else ""
            if _ADDRESS.fullmatch(value):
                scheme = "http" if _OWN_MACHINE.match(value) else "https"
                instead = f": {scheme}://{value}"
            raise ValueError(f"must start with http:// or https://{instead}")
        if "@" in parts.netloc:
            raise ValueError("must not hold a name or password, which would end up in traces: use api_key or auth_header")
        for name, _ in parse_qsl(parts.query, keep_blank_values=True):
            if name.lower() not in _HARMLESS_PARAMETERS:
                raise ValueError(
                    f"must not hold the query parameter {name!r}, which would end up in traces: use api_key, auth_header or headers"
                )
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("its port must be a number from 0 to 65535") from None
        return value.rstrip("/")


class AnthropicOAuthSettings(Section):
    """Four rules for ``sk-ant-oat`` tokens. Each can be switched off, and none applies to API keys."""

    beta_flags: bool = Field(True, description="add the flags that such a token needs to anthropic-beta")
    user_agent: bool = Field(True, description="send the user agent of Claude Code")
    system_in_messages: bool = Field(True, description="move the client's system prompt into the first user message")
    rename_tools: bool = Field(True, description="send tool names in PascalCase; clients see their own names")
