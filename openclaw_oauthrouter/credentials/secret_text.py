"""Judges text that somebody stored as a secret before it may become a header."""

from __future__ import annotations

from openclaw_oauthrouter.canonical import jwt

ANTHROPIC_OAUTH_PREFIX = "sk-ant-oat"
FENCE_PREFIX = "openclaw-oauth-refresh-fence:v1:"
"""OpenClaw puts such a string in a token's place while it renews the token; it is never one to send."""

_LONGEST = 16_384  # characters; servers refuse longer headers, real tokens stay below 4,000


def clean(value: object) -> str:
    """The text without the blanks that pasting leaves around it; ``""`` for anything that is no text."""
    return value.strip() if isinstance(value, str) else ""


def problem_of(secret: str) -> str | None:
    """Why a text cannot be sent as a credential; ``None`` when it can. Never quotes the text."""
    if not secret:
        return "is empty"
    if secret.startswith(FENCE_PREFIX):
        failed = ":failed:" in secret
        return (
            "OpenClaw's renewal of it failed; run `openclaw models auth login` for this provider"
            if failed
            else "OpenClaw is renewing it this moment; try again in a few seconds"
        )
    if len(secret) > _LONGEST:
        return f"is longer than {_LONGEST} characters and cannot be a credential"
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        return "contains spaces, line breaks or other characters that no key has"
    return None


def is_anthropic_oauth(secret: str) -> bool:
    """Whether it is a Claude sign-in token rather than an API key."""
    return secret.startswith(ANTHROPIC_OAUTH_PREFIX)


def is_chatgpt_token(secret: str) -> bool:
    """Whether it is a ChatGPT sign-in token: only those carry an account."""
    return jwt.account_id(secret) is not None
