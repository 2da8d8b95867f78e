"""Says what is missing where nobody can be asked: one line for each way to get a credential."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openclaw_oauthrouter.credentials.overview import overview

if TYPE_CHECKING:
    from openclaw_oauthrouter.config import Settings
    from openclaw_oauthrouter.credentials.chain import CredentialChain

HEADING = "no provider can be used yet; until you do one of these, requests are answered with 503:"

_WAYS = (
    ("key", "openclaw-oauthrouter auth add anthropic", "or openai, gemini, openrouter, …; or set ANTHROPIC_API_KEY, …"),
    ("ChatGPT", "openclaw-oauthrouter auth login openai", "answers from a Plus or Pro plan"),
    ("OpenClaw", "openclaw models auth login", "its credentials are found by themselves"),
    ("local", "openclaw-oauthrouter auth add ollama", "or lmstudio, vllm, llamacpp; takes no key"),
    ("demo", "openclaw-oauthrouter serve --demo", "built-in answers, no account"),
)


def missing_lines() -> Iterator[str]:
    """Five aligned lines: what kind of credential, the command, and a remark."""
    widths = [max(len(row[column]) for row in _WAYS) for column in (0, 1)]
    for kind, command, remark in _WAYS:
        yield f"  {kind:<{widths[0]}}  {command:<{widths[1]}}  {remark}"


def unusable_lines(chain: CredentialChain, settings: Settings) -> Iterator[str]:
    """Why each credential that there is cannot be used."""
    for row in overview(chain.sources, settings.providers, time.time()):
        if not row.usable and row.reason:
            yield f"  {row.reason if row.name in row.reason else f'{row.name!r} {row.reason}'}"
