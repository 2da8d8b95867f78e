"""A local LLM gateway: one address, all of a person's own credentials, the cheapest capable model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_ROUTING_CONFIG",
    "ProxyHandle",
    "RoutingDecision",
    "__version__",
    "get_anthropic_api_key_header",
    "get_anthropic_auth_header",
    "get_openai_auth_header",
    "get_openai_codex_auth_header",
    "hookimpl",
    "route",
    "start_proxy",
]

if TYPE_CHECKING:
    from openclaw_oauthrouter.auth_headers import (
        get_anthropic_api_key_header,
        get_anthropic_auth_header,
        get_openai_auth_header,
        get_openai_codex_auth_header,
    )
    from openclaw_oauthrouter.canonical.routing import RoutingDecision
    from openclaw_oauthrouter.config.routing import DEFAULT_ROUTING_CONFIG
    from openclaw_oauthrouter.hookspecs import hookimpl
    from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
    from openclaw_oauthrouter.standalone import route

_HOMES = {
    "DEFAULT_ROUTING_CONFIG": "config.routing",
    "ProxyHandle": "proxy.start",
    "RoutingDecision": "canonical.routing",
    "get_anthropic_api_key_header": "auth_headers",
    "get_anthropic_auth_header": "auth_headers",
    "get_openai_auth_header": "auth_headers",
    "get_openai_codex_auth_header": "auth_headers",
    "hookimpl": "hookspecs",
    "route": "standalone",
    "start_proxy": "proxy.start",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: a program that only routes must not pay for the server."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
