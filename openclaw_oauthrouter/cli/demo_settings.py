"""What the demo changes in somebody's settings, so that it neither spends nor counts nor leaves behind anything of theirs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.config.section import SecretStr
from openclaw_oauthrouter.config.spend import SpendSettings

IntoDemo = Callable[[LoadedSettings], LoadedSettings]


@asynccontextmanager
async def demo_world() -> AsyncGenerator[IntoDemo, None]:
    """The demo upstream and a state folder for it while the context lasts; gives what turns settings into those of the demo."""
    from openclaw_oauthrouter.proxy.demo import demo_upstream

    with TemporaryDirectory(prefix="oauthrouter-demo-", ignore_cleanup_errors=True) as folder:
        async with demo_upstream() as upstream:
            yield lambda loaded: replace(loaded, settings=_as_demo(loaded.settings, upstream, Path(folder)))


def _as_demo(settings: Settings, upstream: dict[str, Any], home: Path) -> Settings:
    demo = Settings.model_validate(upstream)
    return settings.model_copy(
        update={
            "home": home,
            "demo": True,
            "state_url": None,
            "providers": demo.providers,
            "credentials": demo.credentials,
            "spend_controls": SpendSettings(),
            "telemetry": settings.telemetry.model_copy(update={"otlp_endpoint": None}),
            "server": settings.server.model_copy(update={"auth_token": _token(settings)}),
        }
    )


def _token(settings: Settings) -> SecretStr:
    """The one that clients of this machine send already."""
    from openclaw_oauthrouter.proxy.local_token import kept_token
    from openclaw_oauthrouter.runtime import new_token

    return settings.server.auth_token or SecretStr(kept_token(settings.home, new_token()).reveal())
