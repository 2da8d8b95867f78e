"""Takes an edited configuration into force without dropping a stream; a bad one is refused, and the old one stays."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from openclaw_oauthrouter.assembly import assemble
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.proxy.exposure import check_exposure
from openclaw_oauthrouter.proxy.live import Live

CHECK_SECONDS = 1.0

_FIXED = ("home", "state_url", "telemetry")
_FIXED_SERVER = ("listen_host", "port", "auth_token", "max_connections")
# These shape what is built once: sockets, files, observers.

_REFUSED = "the configuration was not reloaded, the old one stays in force"

log = logging.getLogger(__name__)


class Reloader:
    """Watches the configuration file, and SIGHUP where there is one.

    :param load: reads all sources anew
    """

    def __init__(self, live: Live, path: Path | None, load: Callable[[], LoadedSettings]) -> None:
        self._live = live
        self._path = path
        self._load = load
        self._asked = asyncio.Event()

    async def watch(self) -> None:
        """For ever; run it as a task and cancel it."""
        # Windows has no SIGHUP, and signals come only to the main thread: there the file alone is watched.
        with suppress(NotImplementedError, AttributeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        seen = _stamp(self._path)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), CHECK_SECONDS)
            now = _stamp(self._path)
            if now != seen or self._asked.is_set():
                self._asked.clear()
                seen = now
                self.reload()

    def reload(self) -> bool:
        """Take the configuration as it is now into force.

        :return: whether it could be
        """
        try:
            fixed = self._take()
        except ConfigurationError as error:
            log.error("%s: %s", _REFUSED, error.message)
            return False
        except Exception:
            # Whatever is wrong with an edit or with a plugin it reaches, the gateway goes on, and so does the watch for the next edit.
            log.exception(_REFUSED)
            return False
        if fixed:
            log.warning("reloaded; these settings take effect at the next start: %s", ", ".join(fixed))
        return True

    def _take(self) -> list[str]:
        old = self._live.runtime
        edited = self._load().settings
        settings = _with_fixed(old.settings, edited)
        check_exposure(settings.server, self._live.token)
        self._live.swap(assemble(settings, old.plugins, old.persistent))
        return _changed_but_fixed(old.settings, edited)


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path) if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None


def _changed_but_fixed(old: Settings, new: Settings) -> list[str]:
    changed = [name for name in _FIXED if getattr(old, name) != getattr(new, name)]
    return changed + [f"server.{name}" for name in _FIXED_SERVER if getattr(old.server, name) != getattr(new.server, name)]


def _with_fixed(old: Settings, new: Settings) -> Settings:
    """The new settings, but for those that the running gateway cannot change: what is in force must say what is true."""
    server = new.server.model_copy(update={name: getattr(old.server, name) for name in _FIXED_SERVER})
    return new.model_copy(update={**{name: getattr(old, name) for name in _FIXED}, "server": server})
