"""Runs an ASGI application on a bound socket until told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from openclaw_oauthrouter.config.server import ServerSettings

IDLE_CONNECTION_SECONDS = 120.0
"""Agents think between two turns; a connection that closes meanwhile costs them a new one, or an error."""


def hypercorn_config(listener: socket.socket, settings: ServerSettings) -> Config:
    """Hypercorn's settings. Its own defaults (5 s keep-alive, 1000 requests a connection) are made for web pages.

    :param listener: given away: Hypercorn closes it
    """
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = IDLE_CONNECTION_SECONDS
    config.keep_alive_max_requests = 1_000_000
    config.graceful_timeout = settings.graceful_seconds
    config.shutdown_timeout = settings.graceful_seconds
    config.h11_max_incomplete_size = 64 * 1024
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


async def run_application(application: Any, listener: socket.socket, settings: ServerSettings, stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set; running streams then have ``graceful_seconds`` to finish."""

    async def stopped() -> None:
        await stop.wait()

    await serve(application, hypercorn_config(listener, settings), shutdown_trigger=stopped, mode="asgi")
