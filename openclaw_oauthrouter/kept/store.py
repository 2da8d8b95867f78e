"""Keeps answers in one SQLite file of the state folder; each is found by the client key that asked for it, and by no other."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.spelled import written
from openclaw_oauthrouter.config.kept import KeptSettings

_T = TypeVar("_T")

MOST_TURNS = 2_000
"""Of one conversation; a longer chain is a fault."""

_BUSY_SECONDS = 5.0
_TIDY_SECONDS = 60.0
"""Answers that are too old are not found; how often they are removed."""

_SHARE = 8
"""Of the room that is left, one part of so many is filled before it is measured again: other workers fill it too."""

_SCHEMA = """
create table if not exists answers (
    client text not null, id text not null, previous text, used real not null, size integer not null, turn blob not null,
    primary key (client, id)
) without rowid;
create index if not exists answers_by_use on answers (used);
"""


class KeptAnswers:
    """The store; opened when it is first used, and from then on used in threads only.

    :param path: of the file, which only its owner may read
    """

    def __init__(self, path: Path, settings: KeptSettings, clock: Clock) -> None:
        self._path = path
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._tidied: float | None = None
        self._unmeasured = 0

    async def keep(self, client: str, id_: str, previous: str | None, turn: JsonObject) -> None:
        """Keep one turn of a conversation.

        :param previous: the answer it goes on from
        :param turn: ``input``, the items the client sent, and ``response``, what it was answered
        """
        data = written(turn)  # here, as nothing else may change it meanwhile

        def keep() -> None:
            packed = zlib.compress(data, 1)
            if len(packed) <= self._settings.max_bytes:
                self._locked(lambda database: self._insert(database, client, id_, previous, packed))

        await asyncio.to_thread(keep)

    async def turns(self, client: str, id_: str) -> Sequence[JsonObject] | None:
        """A conversation up to and including an answer, oldest turn first; ``None`` if a turn of it is not kept (any more)."""
        return await asyncio.to_thread(self._locked, lambda database: self._chain(database, client, id_))

    async def find(self, client: str, id_: str) -> JsonObject | None:
        """One turn."""
        return await asyncio.to_thread(self._locked, lambda database: self._find(database, client, id_))

    async def forget(self, client: str, id_: str) -> bool:
        """Remove a turn; whether it was there."""
        return await asyncio.to_thread(self._locked, lambda database: self._delete(database, client, id_))

    async def aclose(self) -> None:
        """Close the file."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _locked(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._lock:
            if self._open is None:
                self._open = self._connect()
            with self._open:
                return work(self._open)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        database = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = normal")
            database.executescript(_SCHEMA)
        except BaseException:
            database.close()
            raise
        return database

    def _insert(self, database: sqlite3.Connection, client: str, id_: str, previous: str | None, data: bytes) -> None:
        now = self._clock()
        if self._tidied is None or not 0 <= now - self._tidied < _TIDY_SECONDS:
            self._tidied = now
            database.execute("delete from answers where used < ?", (now - self._settings.seconds,))
        row = (client, id_, previous, now, len(data), data)
        database.execute("insert or replace into answers values (?, ?, ?, ?, ?, ?)", row)
        self._unmeasured -= len(data)
        if self._unmeasured < 0:
            self._make_room(database)

    def _make_room(self, database: sqlite3.Connection) -> None:
        (total,) = database.execute("select coalesce(sum(size), 0) from answers").fetchone()
        while total > self._settings.max_bytes:
            oldest = database.execute("select client, id, size from answers order by used limit 1").fetchone()
            database.execute("delete from answers where client = ? and id = ?", oldest[:2])
            total -= oldest[2]
        self._unmeasured = (self._settings.max_bytes - total) // _SHARE

    def _chain(self, database: sqlite3.Connection, client: str, id_: str) -> Sequence[JsonObject] | None:
        turns: list[JsonObject] = []
        seen: list[str] = []
        following: str | None = id_
        while following is not None:
            row = self._row(database, client, following)
            if row is None or len(turns) >= MOST_TURNS:
                return None
            seen.append(following)
            following = row[0]
            turns.append(orjson.loads(zlib.decompress(row[1])))
        now = self._clock()
        database.executemany("update answers set used = ? where client = ? and id = ?", [(now, client, found) for found in seen])
        return turns[::-1]

    def _row(self, database: sqlite3.Connection, client: str, id_: str) -> tuple[str | None, bytes] | None:
        since = self._clock() - self._settings.seconds
        select = "select previous, turn from answers where client = ? and id = ? and used >= ?"
        found: tuple[str | None, bytes] | None = database.execute(select, (client, id_, since)).fetchone()
        return found

    def _find(self, database: sqlite3.Connection, client: str, id_: str) -> JsonObject | None:
        row = self._row(database, client, id_)
        turn: JsonObject | None = None if row is None else orjson.loads(zlib.decompress(row[1]))
        return turn

    def _delete(self, database: sqlite3.Connection, client: str, id_: str) -> bool:
        return database.execute("delete from answers where client = ? and id = ?", (client, id_)).rowcount > 0
