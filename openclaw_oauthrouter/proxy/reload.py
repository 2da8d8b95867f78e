"""Takes an edited configuration into force without dropping a stream; a bad one is refused, and the old one stays."""

from __future__ import annotations

import asyncio
import codecs
import logging
import os
import signal
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.effective import changes
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.edits.last_written import note_file, tells_of
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.proxy.exposure import check_exposure
from openclaw_oauthrouter.proxy.live import Live

CHECK_SECONDS = 1.0
LOOKS_AT_A_CUT_FILE = 30
"""Seconds that a file must stay as it is before the loss of its end is believed: a slow or dying writer leaves the like, limits last."""

MOST_BYTES = 1 << 24
"""Of a configuration; whatever else stands in its place may have no end."""

_FIXED = ("home", "state_url", "telemetry")
_FIXED_SERVER = ("listen_host", "port", "auth_token", "max_connections", "workers")
# These shape what is built once: sockets, files, observers.

_CUT = "the configuration file %r has lost its end, as one that is still being written; if that is meant, it counts in %d s, or on SIGHUP"
_REFUSED = "the configuration was not reloaded, the old one stays in force"

log = logging.getLogger(__name__)


class Reloader:
    """Watches the configuration file, and SIGHUP where there is one.

    A file that is gone, empty or broken is not a wish for the defaults: full disks and dying editors leave such files behind, and the
    defaults have no limits. A change counts when two looks, a second apart, see the same; one that merely cut off the end, after some more.
    What a command or the dashboard has written is meant as it is: a client key that was removed is worth nothing, also where it was the
    last setting of the file.

    :param load: reads all sources anew
    :param hang_up: SIGHUP asks for a reload, as it does of programs without a terminal
    """

    def __init__(self, live: Live, path: Path | None, load: Callable[[], LoadedSettings], *, hang_up: bool = True) -> None:
        self._live = live
        self._path = path
        self._load = load
        self._hang_up = hang_up
        self._asked = asyncio.Event()
        self._accepted = _content(path) or b""
        self._note = note_file(live.runtime.settings.home / "changes", path) if path else None
        self._note_seen = _stamp(self._note)

    async def watch(self) -> None:
        """For ever; run it as a task and cancel it."""
        # Windows has no SIGHUP, and signals come only to the main thread: there the file alone is watched.
        if self._hang_up:
            with suppress(NotImplementedError, AttributeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        seen = before = _stamp(self._path)
        looks = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._asked.wait()
            now = _stamp(self._path)
            looks = looks + 1 if now == before else 0
            before = now
            if looks == 1 and now != seen and self._is_cut():
                log.warning(_CUT, str(self._path), LOOKS_AT_A_CUT_FILE)
            if self._asked.is_set() or (now != seen and looks >= self._looks_needed()):
                self._asked.clear()
                seen = now
                self.reload()

    def reload(self) -> bool:
        """Take the configuration as it is now into force.

        :return: whether it could be
        """
        note = _stamp(self._note)
        try:
            if not (meant := self._is_meant()):
                self._check_presence()
            changed, fixed = self._take()
        except ConfigurationError as error:
            log.error("%s: %s", _REFUSED, error.message)
            self._live.config_problem = error.message
            return False
        except Exception as error:
            # Whatever is wrong with an edit or with a plugin it reaches, the gateway goes on, and so does the watch for the next edit.
            log.exception(_REFUSED)
            self._live.config_problem = f"{type(error).__name__}, see the log"
            return False
        self._live.config_problem = None
        self._accepted = _content(self._path) or (b"" if meant else self._accepted)
        self._note_seen = note
        for line in changed:
            log.warning("the configuration changed: %s", line)
        if fixed:
            log.warning("reloaded; these settings take effect at the next start: %s", ", ".join(fixed))
        return True

    def _looks_needed(self) -> int:
        """Equal looks before a change counts: more of them for a file that lost its end, as one that is still being written has."""
        return LOOKS_AT_A_CUT_FILE if self._is_cut() else 1

    def _is_cut(self) -> bool:
        content = _content(self._path)
        return bool(content) and content != self._accepted and self._accepted.startswith(content or b"") and not self._is_meant()

    def _is_meant(self) -> bool:
        """Whether the file is as a change of ours left it, one that was made since the file was last taken into force."""
        if self._path is None or self._note is None or _stamp(self._note) == self._note_seen:
            return False
        return tells_of(self._note, _content(self._path) if os.path.lexists(self._path) else None)

    def _check_presence(self) -> None:
        """See that a file which held settings still does.

        :raises ConfigurationError: it is gone or empty
        """
        if self._path is None or not _says_anything(self._accepted):
            return
        content = _content(self._path)
        if content is None:
            raise ConfigurationError(
                f"the configuration file {str(self._path)!r} is gone; put it back, or restart to do without it"
            )
        if not _says_anything(content):
            raise ConfigurationError(
                f"the configuration file {str(self._path)!r} holds no setting any more; put them back, or restart to do without them"
            )

    def _take(self) -> tuple[list[str], list[str]]:
        old = self._live.runtime
        edited = self._load().settings
        settings = _with_fixed(old.settings, edited)
        check_exposure(settings.server, self._live.token)
        self._live.swap(assemble(settings, old.plugins, old.persistent))
        return changes(old.settings, settings), _changed_but_fixed(old.settings, edited)


def _content(path: Path | None) -> bytes | None:
    try:
        # Neither a pipe, which is read but once and may have nobody at its other end, nor a device.
        return path.read_bytes() if path and _is_plain(os.stat(path)) else None
    except OSError:
        return None


def _is_plain(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES


def _says_anything(content: bytes) -> bool:
    """Whether a file holds more than blanks and comments."""
    lines = (line.strip() for line in content.removeprefix(codecs.BOM_UTF8).splitlines())
    return b"".join(line for line in lines if not line.startswith(b"#")) not in (b"", b"{}")


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
