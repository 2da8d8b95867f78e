"""Binds the gateway's socket, so that its port is known and a taken one is explained before anything starts."""

from __future__ import annotations

import errno
import socket

from openclaw_oauthrouter.errors import ConfigurationError

BACKLOG = 512


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket.

    :param port: 0 takes any free one
    :param shared: other sockets of this user may listen on the same port; the system hands out clients among them
    :raises ConfigurationError: the address cannot be had; says what to do
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except socket.gaierror as error:
        raise ConfigurationError(f"server.listen_host {host!r} is not an address of this machine: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_explain(host, port, error)) from error
    listener.setblocking(False)
    return listener


def port_of(listener: socket.socket) -> int:
    """The port a socket listens on."""
    return int(listener.getsockname()[1])


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken, perhaps by another gateway; stop it, or choose another with --port or OAUTHROUTER_PORT"
    if error.errno == errno.EACCES:
        return f"port {port} needs privileges this process does not have; choose one above 1023"
    return f"cannot listen on {host}:{port}: {error}"
