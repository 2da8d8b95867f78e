"""Runs an ASGI application on a bound socket until told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import time

from hypercorn.config import Config

from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.proxy.connections import Connections
from openclaw_oauthrouter.proxy.http1 import Application
from openclaw_oauthrouter.proxy.listener import BACKLOG

IDLE_CONNECTION_SECONDS = 120.0
"""Agents think between two turns; a connection that closes meanwhile costs them a new one, or an error."""


def hypercorn_config() -> Config:
    """Hypercorn's settings. Its own defaults (5 s keep-alive, 1000 requests a connection) are made for web pages."""
    config = Config()
    config.keep_alive_timeout = IDLE_CONNECTION_SECONDS
    config.keep_alive_max_requests = 1_000_000
    config.h11_max_incomplete_size = 64 * 1024
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


async def run_application(
    application: Application, listener: socket.socket, settings: ServerSettings, stop: asyncio.Event
) -> None:
    """Serve until ``stop`` is set; running streams then have ``graceful_seconds`` to finish.

    :param listener: given away: it is closed at the end
    """
    config = hypercorn_config()
    connections = Connections(application, config, settings, time.time)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connections.protocol, sock=listener, backlog=BACKLOG)
    try:
        await stop.wait()
    finally:
        server.close()
        await connections.drain(settings.graceful_seconds)
