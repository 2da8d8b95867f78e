"""What authenticates a request must not be read in what is kept or told of it: providers quote credentials in their refusals."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

REDACTED = "[redacted]"

HARMLESS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "openai-beta",
        "originator",
        "user-agent",
        "x-oauthrouter-via",
    }
)
"""Request headers whose values may be read; users name their own headers for credentials, so all others may hold one."""

_LEAST_CHARACTERS = 8


def secrets_of(request: httpx.Request) -> Sequence[str]:
    """What may be a credential among a request's headers, without the scheme before it."""
    values = (value.rpartition(" ")[2] for name, value in request.headers.items() if name.lower() not in HARMLESS)
    return [value for value in values if len(value) >= _LEAST_CHARACTERS]


def blotted(text: str, secrets: Sequence[str]) -> str:
    """The text with every secret blotted out."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text
