"""``/debug/history``: the dashboard's memory, from the trace files; asked in threads, for an index may have much to read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import orjson
from quart import Blueprint, Response, request

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import InvalidRequestError, NotFoundError
from openclaw_oauthrouter.telemetry.history import TraceHistory
from openclaw_oauthrouter.telemetry.history_sums import Span
from openclaw_oauthrouter.telemetry.query import parse_count
from openclaw_oauthrouter.telemetry.search import parse_search

PATIENCE_SECONDS = 0.5
"""How long an answer waits for lines that are not in the index yet; after that it says that there are more."""

MOST_CONVERSATIONS = 500

_T = TypeVar("_T")


class HistoryRoutes:
    """The routes over the index of the trace files.

    :param clock: Unix seconds
    """

    def __init__(self, history: TraceHistory, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._reading: asyncio.Future[int] | None = None
        self._progress = (0, 0)

    def blueprint(self) -> Blueprint:
        """The routes, as a blueprint without a prefix."""
        routes = Blueprint("history", __name__)
        routes.add_url_rule("/debug/history", "search", self.search)
        routes.add_url_rule("/debug/history/summary", "summary", self.summary)
        routes.add_url_rule("/debug/history/users", "users", self.users)
        routes.add_url_rule("/debug/history/conversations", "conversations", self.conversations)
        routes.add_url_rule("/debug/history/request/<request_id>", "request", self.request)
        return routes

    async def search(self) -> Response:
        """Requests of a span that fit ``q``, newest first; ``before`` turns the page."""
        conditions = parse_search(request.args.get("q", ""))
        before = _whole("before", request.args.get("before"))
        span, count = self._span(), parse_count(request.args.get("n"))
        await self._catch_up()
        return self._answer(await _in_thread(partial(self._history.search, conditions, span, count, before)))

    async def summary(self) -> Response:
        """Sums of a span."""
        return self._answer(await self.sums())

    async def users(self) -> Response:
        """Who asked which model how often in a span."""
        span = self._span()
        await self._catch_up()
        return self._answer({"models": await _in_thread(partial(self._history.users, span))})

    async def sums(self) -> JsonObject:
        """Sums of the span that the request at hand names with ``since`` and ``until``."""
        span = self._span()
        await self._catch_up()
        return self._with_progress(await _in_thread(partial(self._history.summary, span)))

    async def conversations(self) -> Response:
        """Conversations of a span, the latest first."""
        span, count = self._span(), parse_count(request.args.get("n", "100"))
        await self._catch_up()
        return self._answer(await _in_thread(partial(self._history.conversations, span, min(count, MOST_CONVERSATIONS))))

    async def request(self, request_id: str) -> Response:
        """One whole record."""
        await self._catch_up()
        found = await _in_thread(partial(self._history.request, request_id))
        if found is None:
            raise NotFoundError(f"no trace file holds a request {request_id!r}; it may be older than telemetry.rotate_days")
        return self._answer(found)

    def _with_progress(self, body: JsonObject) -> JsonObject:
        if self._reading is None or self._reading.done():
            return body
        done, total = self._progress
        return {**body, "indexing": {"done": done, "total": total}}

    def _answer(self, body: JsonObject) -> Response:
        return Response(
            orjson.dumps(self._with_progress(body)), content_type="application/json", headers={"cache-control": "no-store"}
        )

    def _span(self) -> Span:
        now = int(self._clock() * 1000) + 1
        return Span(_whole("since", request.args.get("since")) or 0, _whole("until", request.args.get("until")) or now)

    async def _catch_up(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(_in_thread(partial(self._history.catch_up, self._note)))
        await asyncio.wait([self._reading], timeout=PATIENCE_SECONDS)

    def _note(self, done: int, total: int) -> None:
        self._progress = (done, total)


def _whole(name: str, text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidRequestError(
            f"{name!r} must be a whole number (moments are milliseconds since 1970), not {text!r}", param=name
        )
    return int(text)


async def _in_thread(work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(None, work)
