"""Runs an ASGI application on a bound socket until told to stop."""

from __future__ import annotations

import asyncio
import socket
import time

from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.proxy.connections import Connections
from openclaw_oauthrouter.proxy.http1 import Application
from openclaw_oauthrouter.proxy.listener import BACKLOG


async def run_application(
    application: Application, listener: socket.socket, settings: ServerSettings, stop: asyncio.Event
) -> None:
    """Serve until ``stop`` is set; running streams then have ``graceful_seconds`` to finish.

    :param listener: given away: it is closed at the end
    """
    connections = Connections(application, settings, time.time)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connections.protocol, sock=listener, backlog=BACKLOG)
    try:
        await stop.wait()
    finally:
        server.close()
        await connections.drain(settings.graceful_seconds)
