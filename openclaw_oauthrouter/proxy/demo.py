"""Runs the demo upstream on a free port of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.providers.demo.app import demo_app, demo_settings
from openclaw_oauthrouter.proxy.listener import bind, port_of
from openclaw_oauthrouter.proxy.server import run_application


@asynccontextmanager
async def demo_upstream() -> AsyncGenerator[dict[str, Any], None]:
    """The demo upstream while the context lasts; gives the settings that send everything to it."""
    listener = bind("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{port_of(listener)}"
    stop = asyncio.Event()
    serving = asyncio.create_task(run_application(demo_app, listener, ServerSettings(graceful_seconds=0.2), stop))
    try:
        yield demo_settings(origin)
    finally:
        stop.set()
        await serving
