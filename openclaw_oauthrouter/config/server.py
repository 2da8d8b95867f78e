"""``server``: where the gateway listens and what it takes."""

from __future__ import annotations

from pydantic import Field, SecretStr

from openclaw_oauthrouter.config.section import Section


class ClientKeySettings(Section):
    """One more local token, with limits of its own."""

    token: SecretStr = Field(description="what the client sends; must differ from every other token")
    allowlist_models: tuple[str, ...] = Field((), description="models this client may use; all when empty")
    daily_request_budget: int | None = Field(None, ge=0, description="requests per day")
    daily_cost_budget: float | None = Field(None, ge=0, description="US dollars per day")


class ServerSettings(Section):
    """The listening side."""

    listen_host: str = Field(
        "127.0.0.1", description="address to bind; anything but loopback needs tokens of 24 characters or more"
    )
    port: int = Field(8402, ge=0, le=65535, description="0 takes any free port")
    auth_token: SecretStr | None = Field(None, description="the local token; generated and kept when absent")
    client_keys: dict[str, ClientKeySettings] = Field(
        default_factory=dict, description="further local tokens, by the client's name"
    )
    max_body_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="a larger request is answered with 413")
    max_connections: int = Field(1000, ge=1, description="open at a time; further ones are answered with 503")
    workers: int = Field(
        1, ge=1, le=64, description="processes that serve the port together (Linux, macOS); as many as cores shall work"
    )
    header_seconds: float = Field(15.0, gt=0, description="time a client has to send its headers")
    body_seconds: float = Field(60.0, gt=0, description="time a client has to send its body")
    write_seconds: float = Field(60.0, gt=0, description="time a client has to take what it is sent")
    graceful_seconds: float = Field(20.0, ge=0, description="time running streams have to finish on shutdown")
    keep_alive_seconds: float = Field(10.0, gt=0, description="silence before a waiting client gets a keep-alive")
    allowed_hosts: tuple[str, ...] = Field((), description="Host header values to answer to besides loopback names")
    allowed_origins: tuple[str, ...] = Field((), description="browser origins to answer to besides our own")
    response_headers: bool = Field(True, description="send x-oauthrouter-* headers with answers")


def local_address(listen_host: str, port: int) -> str:
    """The URL at which programs on this machine reach a gateway; one bound to every interface is reached on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(listen_host, listen_host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
