"""Credential files and a chain over them, without network."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials.builtin import builtin_sources
from openclaw_oauthrouter.credentials.chain import CredentialChain

NOW = 2_000_000_000.0  # Unix seconds


def make_jwt(**claims: Any) -> str:
    """A ChatGPT access token; ``account`` goes where real ones have it."""
    account = claims.pop("account", None)
    if account is not None:
        claims["https://api.openai.com/auth"] = {"chatgpt_account_id": account}
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, claims, "s"))


@pytest.fixture
def jwt() -> Callable[..., str]:
    return make_jwt


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty OpenClaw state folder below an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".openclaw"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def write_profiles(state_dir: Path) -> Callable[..., Path]:
    def write(content: object, *, agent: str | None = None) -> Path:
        folder = state_dir / "agents" / agent / "agent" if agent else state_dir
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "auth-profiles.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def make_chain(state_dir: Path) -> Callable[..., CredentialChain]:
    def make(environ: dict[str, str] | None = None, *, now: float = NOW, **settings: Any) -> CredentialChain:
        tree = Settings(home=state_dir / "oauthrouter", **settings)
        sources = builtin_sources(tree, environ or {}, lambda: now, lambda: 0.5)
        return CredentialChain(sources, tree.credentials, lambda: now, tree.providers)

    return make
