"""A worker's place in its team: the sockets that its supervisor has given it."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from pathlib import Path

from openclaw_oauthrouter.canonical.value import value

VARIABLE = "OAUTHROUTER_WORKER"
"""Environment variable by which a supervisor tells a worker its place."""


@value(frozen=True, slots=True)
class Place:
    """One worker's.

    :ivar index: 0 is the front office: it alone answers what is not a model's answer (dashboard, metrics, debugging) and hears of every
        request
    :ivar listener: descriptor of the public socket, one of several on the same port
    :ivar channel: descriptor of the line to the supervisor
    :ivar office: path of the socket on which the front office takes what came to others
    :ivar office_listener: its descriptor, for the front office; -1 for the others
    """

    index: int
    listener: int
    channel: int
    office: str
    office_listener: int = -1

    @property
    def is_office(self) -> bool:
        """Whether this worker is the front office."""
        return self.index == 0

    @property
    def office_path(self) -> Path:
        """Where the front office listens."""
        return Path(self.office)

    def public_socket(self) -> socket.socket:
        """The listening socket."""
        return _taken(self.listener)

    def office_socket(self) -> socket.socket:
        """The front office's."""
        return _taken(self.office_listener)

    def descriptors(self) -> tuple[int, ...]:
        """What the worker's process inherits."""
        return tuple(number for number in (self.listener, self.channel, self.office_listener) if number >= 0)

    def told(self) -> str:
        """As it stands in the environment."""
        return json.dumps(asdict(self))


def place_told(text: str) -> Place:
    """What ``Place.told`` said."""
    return Place(**json.loads(text))


def _taken(descriptor: int) -> socket.socket:
    found = socket.socket(fileno=descriptor)
    found.setblocking(False)
    return found
