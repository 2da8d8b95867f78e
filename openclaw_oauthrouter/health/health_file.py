"""Keeps the health registry across restarts, so that a gateway does not ask again what has just failed."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from openclaw_oauthrouter.config.private_file import read_plain, write_private
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.health.state import absorb, decode, encode, state_of

_SAVE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class HealthFile:
    """``health.json`` in the state folder, mode 0600, replaced as a whole, a second after the first change.

    What it holds is advice: a damaged or unwritable file is reported and otherwise done without.

    :param registry: from now on its changes are saved
    """

    def __init__(self, path: Path, registry: HealthRegistry) -> None:
        self._path = path
        self._registry = registry
        self._due: asyncio.TimerHandle | None = None
        registry.on_change(self._save_soon)

    def load(self) -> None:
        """Read the file, if there is one."""
        try:
            data = read_plain(self._path)
        except FileNotFoundError:
            return
        except OSError as error:
            _log.warning("health file %s cannot be read (%s); starting without it", self._path, error)
            return
        state = decode(data)
        if state is None:
            _log.warning("health file %s is damaged; starting without it", self._path)
            return
        absorb(self._registry, state)

    def save(self) -> None:
        """Write the file now; call it before the gateway stops."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, encode(state_of(self._registry)), durable=False)
        except OSError as error:
            _log.warning("health file %s cannot be written: %s", self._path, error)

    def _save_soon(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_SAVE_SECONDS, self.save)
