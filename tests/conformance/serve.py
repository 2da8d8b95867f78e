"""Starts a gateway from the OAR_* variables of the black-box conformance runner: ``run_cases.py --spawn "python serve.py"``."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from openclaw_oauthrouter.proxy.start import start_proxy


def settings(environ: dict[str, str]) -> dict[str, Any]:
    """The configuration a profile (apikey, oauth, fallback, wire, wire-responses) asks for."""
    fake = environ["OAR_FAKE"]
    oauth = environ["OAR_PROFILE"] == "oauth"
    dialect = "openai_responses" if environ["OAR_PROFILE"] == "wire-responses" else "openai_chat_completions"
    return {
        "port": int(environ["OAR_PORT"]),
        "auth_token": environ["OAR_TOKEN"],
        "home": os.path.join(environ["HOME"], "state"),
        "providers": {
            "anthropic": {
                "apiBase": f"{fake}/anthropic",
                "apiKey": environ["OAR_ANTHROPIC_OAUTH" if oauth else "OAR_ANTHROPIC_KEY"],
            },
            "openai-codex": {"apiBase": f"{fake}/codex", "authHeader": f"Bearer {environ['OAR_CODEX_JWT']}"},
            "openai": {"apiBase": f"{fake}/openai", "apiKey": environ["OAR_OPENAI_KEY"], "dialect": dialect},
            "deepseek": {"apiBase": f"{fake}/deepseek", "apiKey": environ["OAR_DEEPSEEK_KEY"]},
            **(_endpoints(fake, environ) if environ["OAR_PROFILE"].startswith("wire") else {}),
        },
        "routing": {"classifier": os.environ.get("OAR_CLASSIFIER", "rules-v1")},
        "upstream": {
            "model_lists": {"enabled": False},
            "plan_usage": {"enabled": False},
        },  # the fake upstream counts every request
        # The older cases were recorded with it; the runner takes it out again before it compares.
        "tool_preamble": not environ["OAR_PROFILE"].startswith("wire"),
        "rate_limit_fallback": {"enabled": environ["OAR_PROFILE"] == "fallback", "fromProviders": ["anthropic", "openai-codex"]},
        "credentials": {"order": ["config"]},
    }


def _endpoints(fake: str, environ: dict[str, str]) -> dict[str, Any]:
    """Two OpenAI-compatible endpoints of the user's own: one that takes any model, one whose only model sees no images."""
    blind = [{"id": "words-1", "images": False}]
    return {
        "local": {"apiBase": f"{fake}/local/v1", "apiKey": environ["OAR_LOCAL_KEY"]},
        "blind": {"apiBase": f"{fake}/blind/v1", "apiKey": environ["OAR_BLIND_KEY"], "models": blind},
    }


async def main() -> None:
    """Serve until killed."""
    handle = await start_proxy(**settings(dict(os.environ)))
    await handle.wait()


if __name__ == "__main__":
    asyncio.run(main())
