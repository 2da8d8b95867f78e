"""Says so when a limit is half used, nearly used, all but used: once each in its period."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.policy.ledger.entries import Claim
from openclaw_oauthrouter.policy.refusal import said_of

_log = logging.getLogger(__name__)

_MOST_REMEMBERED = 10_000
_PATIENCE_SECONDS = 10.0

Notify = Callable[[JsonObject], None]


class Alarms:
    """Watches limits.

    :param shares: at which to warn, 0 to 1, ascending
    :param notify: told of each warning as JSON; ``None`` where the log is enough
    """

    def __init__(self, shares: Sequence[float], notify: Notify | None = None) -> None:
        self._shares = tuple(shares)
        self._notify = notify
        self._reached: dict[tuple[object, ...], int] = {}

    def see(self, claim: Claim, used: int) -> str | None:
        """Take note of how much is used, and warn if another share is reached.

        :return: words for an answer's header, once the first share is reached
        """
        most = claim.limit.most
        share = used / most if most else 1.0
        level = sum(share >= one for one in self._shares)
        if not level:
            return None
        key = (claim.limit.period.name, claim.limit.quantity, most, claim.limit.scope, claim.start)
        words = f"{share:.0%} of {said_of(claim.limit)}"
        if level > self._reached.get(key, 0):
            if len(self._reached) > _MOST_REMEMBERED:
                self._reached.clear()
            self._reached[key] = level
            _log.warning("budget: %s used", words)
            if self._notify is not None:
                self._notify(_as_json(claim, used, share, words))
        return words


class Messenger:
    """Sends warnings to a program or an address of the user's; what it fails to send is logged, never felt.

    :param command: program and arguments; reads the warning from its standard input
    :param url: gets it by POST
    """

    def __init__(self, command: Sequence[str], url: str | None) -> None:
        self._command = tuple(command)
        self._url = url
        self._running: set[asyncio.Task[None]] = set()

    def __call__(self, warning: JsonObject) -> None:
        """Send one warning, beside whatever else goes on."""
        body = orjson.dumps(warning)
        for task in ([run_with_input(self._command, body, "spend_controls.warn_command")] if self._command else []) + (
            [self._post(body)] if self._url else []
        ):
            running = asyncio.ensure_future(task)
            self._running.add(running)
            running.add_done_callback(self._running.discard)

    async def _post(self, body: bytes) -> None:
        import httpx

        try:
            async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client:
                answer = await client.post(self._url or "", content=body, headers={"content-type": "application/json"})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            _log.error("a warning could not be sent to spend_controls.warn_url: %s", type(error).__name__)


async def run_with_input(command: Sequence[str], body: bytes, setting: str) -> None:
    """Run a program of the user's, which reads ``body`` from its standard input; what goes wrong is logged, under the setting's name."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        _log.error("%s cannot be run: %s", setting, error)
        return
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await process.communicate(body)
    except TimeoutError:
        process.kill()
        await process.wait()
        _log.error("%s did not end within %g s", setting, _PATIENCE_SECONDS)
        return
    if process.returncode:
        _log.error("%s ended with %d", setting, process.returncode)


def _as_json(claim: Claim, used: int, share: float, words: str) -> JsonObject:
    limit = claim.limit
    return {
        "period": limit.period.name,
        "quantity": limit.quantity,
        "scope": limit.scope,
        "used": used,
        "most": limit.most,
        "share": round(share, 4),
        "resetsAt": claim.end,
        "message": f"{words} used",
    }
