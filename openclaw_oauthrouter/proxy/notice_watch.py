"""Looks for new notices now and then, and tells of them by the desktop or by a command of the user's."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Callable, Sequence

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config.notices import NoticeSettings
from openclaw_oauthrouter.policy.alarms import run_with_input
from openclaw_oauthrouter.proxy.notices import NewNotices, Notice, notices_of
from openclaw_oauthrouter.runtime import Runtime

LOOK_SECONDS = 30.0
TITLE = "OAuthRouter"

_log = logging.getLogger(__name__)


class NoticeWatch:
    """Runs beside the requests; does nothing unless a setting asks for it.

    :param runtime: what is in force
    :param run: runs a program with text on its standard input
    """

    def __init__(
        self,
        runtime: Callable[[], Runtime],
        clock: Clock,
        run: Callable[[Sequence[str], bytes, str], object] | None = None,
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._run = run or self._start
        self._running: set[asyncio.Task[None]] = set()
        self._new = NewNotices(self._tell)

    async def watch(self, every_seconds: float = LOOK_SECONDS) -> None:
        """For ever; cancel the task to end it."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - whatever a plugin's source does, the next look may be better
                _log.warning("notices could not be looked for", exc_info=True)

    async def look(self) -> None:
        """Look once."""
        runtime = self._runtime()
        settings = runtime.settings.notices
        if not (settings.desktop or settings.command):
            return
        spend = await runtime.spend.snapshot()
        notices = await asyncio.get_running_loop().run_in_executor(None, notices_of, runtime, spend, self._clock())
        self._new.see(notices)

    def _tell(self, notice: Notice) -> None:
        settings = self._runtime().settings.notices
        if settings.command:
            self._run(settings.command, orjson.dumps(notice.as_json()), "notices.command")
        desktop = desktop_command(settings, notice.words)
        if desktop is not None:
            self._run(desktop, b"", "notices.desktop")

    def _start(self, command: Sequence[str], text: bytes, setting: str) -> None:
        running = asyncio.ensure_future(run_with_input(command, text, setting))
        self._running.add(running)
        running.add_done_callback(self._running.discard)


def desktop_command(settings: NoticeSettings, words: str, platform: str = sys.platform) -> tuple[str, ...] | None:
    """The program that shows a notification on this desktop; ``None`` where none is wanted or there is none.

    On macOS the words travel as an argument of the script, never as part of its text.
    """
    if not settings.desktop:
        return None
    if platform == "darwin":
        script = f'on run argv\ndisplay notification (item 1 of argv) with title "{TITLE}"\nend run'
        return ("osascript", "-e", script, words)
    return ("notify-send", "--app-name", TITLE, "--", TITLE, words) if shutil.which("notify-send") else None
