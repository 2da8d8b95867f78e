"""A running gateway with a configuration file of its own, as ``serve`` starts one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter.cli.editing import allow_editing
from openclaw_oauthrouter.config.loading import LoadedSettings, load_settings
from openclaw_oauthrouter.dashboard.login import cookie_name
from openclaw_oauthrouter.proxy.gate import CHANGE_KEY
from openclaw_oauthrouter.proxy.reload import Reloader

STORED = "sk-stored-0123456789abcdefghij"
NIGHTLY = "token-of-the-nightly-jobs-0123"
CONFIG = f"""\
# kept as it is
[spend_controls]
daily_cost_budget = 5.0

[routing.aliases]
mine = "anthropic/claude-haiku-4-5"

[server.client_keys.nightly]
token = "{NIGHTLY}"
"""


def make_editable(handle: Any, path: Path, text: str = CONFIG) -> None:
    """Give a gateway that a test has started a file to change, and take it into force."""
    path.write_text(text)
    kept = handle.live.runtime.settings.model_dump(
        include={"home": True, "providers": True, "credentials": {"order"}, "server": {"port", "auth_token"}, "upstream": True},
        exclude_unset=True,
    )

    def load(found: Path) -> LoadedSettings:
        return load_settings(found, environ={"OAUTHROUTER_HOME": str(kept["home"])}, overrides=kept)

    reloader = Reloader(handle.live, path, lambda: load(path))
    assert reloader.reload()
    allow_editing(handle.live, reloader, path, load)


def session(handle: Any) -> Callable[..., httpx.AsyncClient]:
    """Makes clients that behave as a browser with a session would: a cookie, an Origin, no token."""

    def browser(**headers: str) -> httpx.AsyncClient:
        name = cookie_name(f"127.0.0.1:{handle.port}")
        logins = handle.live.observers.logins
        opened = logins.open()
        known = {"origin": handle.base_url, "cookie": f"{name}={opened}", CHANGE_KEY: logins.change_key(opened)}
        said = {**known, **headers}
        said = {name: value for name, value in said.items() if value}
        return httpx.AsyncClient(base_url=handle.base_url, headers=said, timeout=10, trust_env=False)

    return browser
