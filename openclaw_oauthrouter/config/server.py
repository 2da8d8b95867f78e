"""``server``: where the gateway listens and what it takes."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.config.section import Field, SecretStr, Section, field_validator

_ORIGIN = lazily(r"([a-z][a-z0-9+.-]*)://([^/?#@\s*]+)")
_HOST = lazily(r"(?:https?://)?(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d{1,5})?/?", re.ASCII)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class ClientKeySettings(Section):
    """One more local token, with limits of its own."""

    token: SecretStr = Field(description="what the client sends; must be different from every other token")
    allowlist_models: tuple[str, ...] = Field((), description="models this client may use; empty means all")
    daily_request_budget: int | None = Field(None, ge=0, description="requests per day")
    daily_cost_budget: float | None = Field(None, ge=0, description="US dollars per day")


class ServerSettings(Section):
    """Where and how the gateway listens."""

    listen_host: str = Field(
        "127.0.0.1", description="address to listen on; any address but loopback requires tokens of at least 24 characters"
    )
    port: int = Field(8402, ge=0, le=65535, description="port to listen on; 0 means any free port")
    auth_token: SecretStr | None = Field(None, description="the local token; generated and stored if absent")
    client_keys: dict[str, ClientKeySettings] = Field(
        default_factory=dict, description="further local tokens, by the client's name"
    )
    max_body_bytes: int = Field(
        32 * 1024 * 1024, ge=1024, description="largest request, in bytes; a larger one is answered with 413"
    )
    max_connections: int = Field(1000, ge=1, description="open connections; further ones are answered with 503")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="number of processes that serve the port together (Linux, macOS); one per CPU core makes sense",
    )
    header_seconds: float = Field(15.0, gt=0, description="time a client has to send its headers")
    body_seconds: float = Field(60.0, gt=0, description="time a client has to send its body")
    write_seconds: float = Field(60.0, gt=0, description="time a client has to read what it is sent")
    graceful_seconds: float = Field(20.0, ge=0, description="time that running streams have to finish when the gateway stops")
    keep_alive_seconds: float = Field(10.0, gt=0, description="pause after which a waiting client gets a keep-alive")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="names in the Host header to accept, besides those of loopback; the port does not matter"
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="browser origins to accept, besides the gateway's own: scheme, host and port, such as https://app.example"
    )
    response_headers: bool = Field(True, description="add x-oauthrouter-* headers to answers")

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """As they are compared: lower-case, without scheme, brackets and port."""
        return tuple(_host_name(entry) for entry in value)

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """As browsers send them."""
        return tuple(_origin(entry) for entry in value)


def _host_name(entry: str) -> str:
    found = _HOST.fullmatch(entry.strip().lower())
    if found is None:
        raise ValueError(f"{entry!r} is not the name of a host, such as gateway.lan")
    return str(found[1] or found[2])


def _origin(entry: str) -> str:
    """RFC 6454: scheme, host and port, lower-case, without the scheme's own port; browsers send no path.

    :raises ValueError: it could never match
    """
    text = entry.strip().lower().removesuffix("/")
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise ValueError(f"{entry!r} is not an origin: give scheme and host, such as https://app.example, without a path or *")
    return text.removesuffix(_DEFAULT_PORTS.get(found[1], "/"))


def local_address(listen_host: str, port: int) -> str:
    """The URL at which programs on this machine reach a gateway; one bound to every interface is reached on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(listen_host, listen_host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
