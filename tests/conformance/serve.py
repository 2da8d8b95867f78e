"""Starts a gateway from the OAR_* variables of the black-box conformance runner: ``run_cases.py --spawn "python serve.py"``."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from openclaw_oauthrouter.proxy.start import start_proxy


def settings(environ: dict[str, str]) -> dict[str, Any]:
    """The configuration a profile (apikey, oauth, fallback) asks for."""
    fake = environ["OAR_FAKE"]
    oauth = environ["OAR_PROFILE"] == "oauth"
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
            "openai": {"apiBase": f"{fake}/openai", "apiKey": environ["OAR_OPENAI_KEY"]},
            "deepseek": {"apiBase": f"{fake}/deepseek", "apiKey": environ["OAR_DEEPSEEK_KEY"]},
        },
        "routing": {"classifier": os.environ.get("OAR_CLASSIFIER", "rules-v1")},
        "tool_preamble": True,  # the cases were recorded with it; the runner takes it out again before it compares
        "rate_limit_fallback": {"enabled": environ["OAR_PROFILE"] == "fallback", "fromProviders": ["anthropic", "openai-codex"]},
        "credentials": {"order": ["config"]},
    }


async def main() -> None:
    """Serve until killed."""
    handle = await start_proxy(**settings(dict(os.environ)))
    await handle.wait()


if __name__ == "__main__":
    asyncio.run(main())
