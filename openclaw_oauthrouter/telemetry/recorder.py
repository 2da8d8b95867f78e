"""Follows each request to its end, however it ends, and hands the record to the sinks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.interfaces import TraceSink
from openclaw_oauthrouter.telemetry.record_bounds import bound

log = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that hung up before it had its answer."""


class SinkRecorder:
    """Implements ``Recorder`` over any number of sinks.

    :param sinks: asked in order; one that raises is logged once, counted, and asked again for the next record
    :param clock: Unix seconds
    :param steady: seconds of a clock that nobody sets; durations are counted on it where it is given
    :param on_failure: told the name of a sink each time it fails
    """

    def __init__(
        self,
        sinks: Sequence[TraceSink],
        *,
        clock: Clock,
        on_failure: Callable[[str], None] | None = None,
        steady: Clock | None = None,
    ) -> None:
        self._sinks = tuple(sinks)
        self._clock = clock
        self._steady = steady
        self._on_failure = on_failure
        self.active = 0
        self.failures: dict[str, int] = {}

    def request(self, record: RequestRecord) -> AbstractContextManager[RequestRecord]:
        """Hold a record while its request runs; passes it to the sinks at the end, however it ends."""
        return _Following(self, record)

    def close(self) -> None:
        """Let sinks that hold something (a file, an exporter) finish."""
        for sink in self._sinks:
            close = getattr(sink, "close", None)
            if close is not None:
                try:
                    close()
                except Exception as error:  # noqa: BLE001 - as below
                    self._failed(sink.name, error)

    def begin(self, record: RequestRecord) -> None:
        """Count a request as running."""
        self.active += 1
        if self._steady is not None:
            record.began = self._steady()

    def end(self, record: RequestRecord, error: BaseException | None) -> None:
        """Complete a record and pass it on."""
        self.active -= 1
        if record.seconds is None and record.began is not None and self._steady is not None:
            record.seconds = self._steady() - record.began
        _complete(record, error, self._clock())
        bound(record)
        for sink in self._sinks:
            try:
                sink.receive(record)
            except Exception as error:  # noqa: BLE001 - a sink is an observer: whatever it raises must not reach the request
                self._failed(sink.name, error)

    def _failed(self, name: str, error: Exception) -> None:
        seen = self.failures.get(name, 0)
        self.failures[name] = seen + 1
        if not seen:
            log.warning("trace sink %r fails (further failures are only counted): %r", name, error)
        if self._on_failure is not None:
            self._on_failure(name)


class _Following:
    """One request being followed; a class, because a generator-based context manager costs several times as much."""

    __slots__ = ("_record", "_recorder")

    def __init__(self, recorder: SinkRecorder, record: RequestRecord) -> None:
        self._recorder = recorder
        self._record = record

    def __enter__(self) -> RequestRecord:
        self._recorder.begin(self._record)
        return self._record

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._recorder.end(self._record, error)


def _complete(record: RequestRecord, error: BaseException | None, now: float) -> None:
    if record.seconds is None:
        record.seconds = max(0.0, now - record.started_at)
    if error is None:
        return
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        record.status = CLIENT_CLOSED_REQUEST
        return
    if record.status is None:
        record.status = error.status_code if isinstance(error, OAuthRouterError) else 500
    record.error_type = record.error_type or type(error).__name__
    record.error_message = record.error_message or str(error)
