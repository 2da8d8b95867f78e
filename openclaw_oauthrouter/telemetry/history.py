"""Yesterday's requests, and last month's: an SQLite index beside the trace files, made from them and made anew when it is lost."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.telemetry.history_sums import HOUR, SUMS, Span, summary, users
from openclaw_oauthrouter.telemetry.reader import decode_line
from openclaw_oauthrouter.telemetry.search import Condition
from openclaw_oauthrouter.telemetry.trace_files import PACKED, open_trace, trace_files

SCHEMA_VERSION = 3
_BATCH = 2000
_COUNTED = 10_000
"""Matches of a search that are counted; more are "more than 10,000"."""

_MOST_IDS = 5000

_TEXTS_REMEMBERED = 5000

_TEXTS = ("tier", "model", "requested", "provider", "client", "agent", "path", "error")
"""What many requests have in common: kept once for each combination, so that a search reads thousands of rows, not a million."""

_OWN = (
    "ts",
    "id",
    "status",
    "conversation",
    "session",
    "stream",
    "failed",
    "rerouted",
    "plan",
    "extra",
    "confidence",
    "latency",
    "first",
    "input",
    "output",
    "cached",
    "cost",
    "saved",
    "baseline",
)
_COLUMNS = (*_OWN, "text", "file", "offset")
_ERROR_LETTERS = 160
_UNREADABLE = (OSError, EOFError, zlib.error)

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, device INTEGER, inode INTEGER, offset INTEGER);
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, words TEXT, {", ".join(_TEXTS)}, UNIQUE ({", ".join(_TEXTS)}));
CREATE TABLE IF NOT EXISTS requests ({", ".join(_COLUMNS)});
CREATE INDEX IF NOT EXISTS requests_by_time ON requests (ts);
CREATE INDEX IF NOT EXISTS requests_by_id ON requests (id);
CREATE INDEX IF NOT EXISTS requests_by_text ON requests (text, ts);
CREATE INDEX IF NOT EXISTS requests_by_conversation ON requests (conversation, ts) WHERE conversation IS NOT NULL;
CREATE INDEX IF NOT EXISTS requests_failed ON requests (text, ts) WHERE failed = 1;
CREATE TABLE IF NOT EXISTS hours (
  hour INTEGER, tier TEXT, model TEXT, client TEXT,
  requests INTEGER, failed INTEGER, refused INTEGER, rerouted INTEGER, unpriced INTEGER, input INTEGER, output INTEGER, cached INTEGER,
  paid REAL, extra REAL, plan REAL, saved REAL, baseline REAL,
  PRIMARY KEY (hour, tier, model, client)
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""

_ADD_HOUR = (
    f"INSERT INTO hours VALUES (?, ?, ?, ?, {', '.join('?' * len(SUMS))}) "  # noqa: S608 - fixed words
    f"ON CONFLICT DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in SUMS)}"
)

_CONVERSATION = (
    "client",
    "agent",
    "first",
    "last",
    "requests",
    "failed",
    "input",
    "output",
    "cached",
    "session",
    "paid",
    "plan",
    "unpriced",
)
_SHOWN = (*(f"requests.{column}" for column in _OWN), *(f"texts.{column}" for column in _TEXTS))
_KEYS = ("seq", *_OWN, *_TEXTS)


class TraceHistory:
    """Answers questions about all requests of the trace files.

    Threads: every method may be called from a worker thread. Questions are answered while ``catch_up`` reads: each has a connection.

    :param path: the trace file; the index lies beside it
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._texts: dict[tuple[object, ...], int] = {}

    @property
    def index_path(self) -> Path:
        """Where the index lies."""
        return self._path.with_suffix(".sqlite")

    def close(self) -> None:
        """Close the index; the next question opens it again."""
        with self._writing, self._reading:
            self._forget()

    def catch_up(self, progress: Callable[[int, int], object] | None = None) -> int:
        """Read what the trace files have gained since the last time; returns the number of requests added.

        :param progress: told bytes read so far, and bytes to be read
        """
        with self._writing:
            connection = self._open_to_write()
            pending = list(self._unread(connection))
            total, done, added = sum(size - start for *_, start, size in pending), 0, 0
            for file, name, start, _ in pending:
                for count, read in self._read(connection, file, name, start):
                    added += count
                    done += read
                    if progress is not None:
                        progress(min(done, total), total)
                if file.suffix == PACKED:  # nothing is added to it any more
                    connection.execute("INSERT OR REPLACE INTO files VALUES (?, 0, 0, 0)", (file.name,))
            return added

    def search(self, conditions: Sequence[Condition], span: Span, count: int, before: int | None = None) -> JsonObject:
        """The newest requests of a span that fit, newest first: ``{"rows", "matches", "counted"}``.

        :param before: only those that came before the row with this ``seq``
        :return: ``counted`` is false where there are more matches than ``matches`` says
        """
        with self._reading:
            connection = self._open_to_read()
            found, counted = _matching(connection, _resolved(connection, conditions), span)
            if counted:
                # All of them are known, so the page is cut from them.
                wanted = sorted((seq for seq in found if before is None or seq < before), reverse=True)[:count]
                rows = connection.execute(
                    f"SELECT requests.rowid, {', '.join(_SHOWN)} FROM requests CROSS JOIN texts ON texts.id = text "  # noqa: S608 - numbers
                    f"WHERE requests.rowid IN ({','.join(map(str, wanted))}) ORDER BY requests.rowid DESC"
                ).fetchall()
            else:
                rows = _newest(connection, conditions, span, count, before)
        shown = [dict(zip(_KEYS, row, strict=True)) for row in rows]
        return {"rows": shown, "matches": min(len(found), _COUNTED), "counted": counted}

    def summary(self, span: Span) -> JsonObject:
        """Sums of a span: totals, by tier, by model, by client, and over time."""
        with self._reading:
            return summary(self._open_to_read(), span)

    def users(self, span: Span) -> dict[str, list[JsonObject]]:
        """Who asked which model how often in a span."""
        with self._reading:
            return users(self._open_to_read(), span)

    def conversations(self, span: Span, count: int = 100) -> JsonObject:
        """The conversations of a span that were spoken in last, with their sums; those of one session say so.

        :return: ``{"rows", "matches"}``; of every conversation the requests within the span
        """
        with self._reading:
            connection = self._open_to_read()
            latest = connection.execute(
                "SELECT conversation, max(ts) FROM requests INDEXED BY requests_by_conversation "
                "WHERE conversation IS NOT NULL AND ts >= ? AND ts < ? GROUP BY conversation ORDER BY 2 DESC",
                (span.since, span.until),
            ).fetchall()
            rows = [row for name, _ in latest[:count] for row in _conversation(connection, name, span)]
        return {"rows": rows, "matches": len(latest)}

    def request(self, request_id: str) -> JsonObject | None:
        """A whole record, read from its trace file; ``None`` when it is not known or its file is gone."""
        with self._reading:
            row = (
                self._open_to_read()
                .execute("SELECT file, offset FROM requests WHERE id = ? ORDER BY rowid DESC LIMIT 1", (request_id,))
                .fetchone()
            )
        if row is None:
            return None
        name, offset = row
        with contextlib.suppress(*_UNREADABLE), open_trace(self._path.with_name(name)) as (file, _):
            file.seek(offset)
            event = decode_line(file.readline())
            if event is not None and event.get("requestId") == request_id:
                return event
        return self._found_elsewhere(request_id)

    # ------------------------------------------------------------------ the index

    def _open_to_write(self) -> sqlite3.Connection:
        if self._writer is not None and self.index_path.exists():
            return self._writer
        with self._reading:
            self._forget()
            self.index_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._writer = self._connect()
            except sqlite3.DatabaseError:
                # Damaged, or of another edition: it holds nothing that the trace files do not.
                self.index_path.unlink(missing_ok=True)
                self._writer = self._connect()
        return self._writer

    def _open_to_read(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = self._connect()
        return self._reader

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self.index_path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.index_path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _forget(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None
        self._texts.clear()

    def _unread(self, connection: sqlite3.Connection) -> Iterator[tuple[Path, str, int, int]]:
        """Files with lines that are not in the index: path, name, where to begin, size."""
        rows = connection.execute("SELECT name, device, inode, offset FROM files").fetchall()
        offsets = {name: offset for name, _, _, offset in rows}
        known = {(device, inode): (name, offset) for name, device, inode, offset in rows if inode}
        for file in trace_files(self._path):
            if file.suffix == PACKED:
                if file.name not in offsets:
                    with contextlib.suppress(OSError):
                        yield file, file.stem, offsets.get(file.stem, 0), file.stat().st_size + offsets.get(file.stem, 0)
                continue
            with contextlib.suppress(OSError):
                status = file.stat()
                name, offset = known.get((status.st_dev, status.st_ino), (file.name, 0))
                if offset > status.st_size:
                    offset = 0
                if name != file.name:
                    # Set aside under another name since.
                    connection.execute("DELETE FROM files WHERE name = ?", (name,))
                    connection.execute("UPDATE requests SET file = ? WHERE file = ?", (file.name, name))
                connection.execute(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (file.name, status.st_dev, status.st_ino, offset)
                )
                if offset < status.st_size:
                    yield file, file.name, offset, status.st_size

    def _read(self, connection: sqlite3.Connection, file: Path, name: str, start: int) -> Iterator[tuple[int, int]]:
        """Index a file from an offset on, a batch a transaction; yields requests added and bytes read."""
        offset = start
        with contextlib.suppress(*_UNREADABLE), open_trace(file) as (lines, _):
            lines.seek(start)
            batch: list[tuple[int, JsonObject]] = []
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # it is still being written
                event = _event(line)
                if event is not None:
                    batch.append((offset, event))
                offset += len(line)
                if len(batch) >= _BATCH:
                    yield self._add(connection, name, batch, offset), offset - start
                    start, batch = offset, []
            yield self._add(connection, name, batch, offset), offset - start

    def _add(self, connection: sqlite3.Connection, name: str, batch: list[tuple[int, JsonObject]], offset: int) -> int:
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = []
            for place, event in batch:
                own, texts = _split(event)
                rows.append((own, texts, (*own.values(), self._text_id(connection, texts), name, place)))
            connection.executemany(
                f"INSERT INTO requests VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608 - fixed words
                [row for *_, row in rows],
            )
            connection.executemany(_ADD_HOUR, [_hour(own, texts) for own, texts, _ in rows])
            connection.execute(
                "INSERT INTO files VALUES (?, 0, 0, ?) ON CONFLICT DO UPDATE SET offset = excluded.offset", (name, offset)
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            self._texts.clear()
            raise
        return len(rows)

    def _text_id(self, connection: sqlite3.Connection, texts: dict[str, str]) -> int:
        values = tuple(texts.values())
        known = self._texts.get(values)
        if known is None:
            if len(self._texts) >= _TEXTS_REMEMBERED:
                self._texts.clear()
            known = self._texts[values] = _kept_text(connection, values)
        return known

    def _found_elsewhere(self, request_id: str) -> JsonObject | None:
        """The file was rewritten, or set aside between two looks: look through all of them for the id."""
        needle = request_id.encode()
        for file in reversed(trace_files(self._path)):
            with contextlib.suppress(*_UNREADABLE), open_trace(file) as (lines, _):
                for line in lines:
                    if needle in line and (event := decode_line(line)) is not None and event.get("requestId") == request_id:
                        return event
        return None


def _prepare(connection: sqlite3.Connection) -> None:
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, SCHEMA_VERSION):
        raise sqlite3.DatabaseError("an index of another edition")
    connection.create_function("fold", 1, lambda text: str(text or "").lower(), deterministic=True)
    # What a crash loses is read again.
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; {_SCHEMA}")


def _conversation(connection: sqlite3.Connection, name: str, span: Span) -> list[JsonObject]:
    """Its sums: several where several programs began with the same words."""
    values = (name, span.since, span.until)
    sums = connection.execute(
        "SELECT client, agent, min(ts), max(ts), count(*), sum(failed), sum(input), sum(output), sum(cached), max(session), "
        "sum(CASE WHEN plan THEN 0 ELSE cost END), sum(CASE WHEN plan THEN cost ELSE 0 END), "
        "sum(cost IS NULL AND input IS NOT NULL) FROM requests JOIN texts ON texts.id = text "
        "WHERE conversation = ? AND ts >= ? AND ts < ? GROUP BY 1, 2 ORDER BY 4 DESC",
        values,
    ).fetchall()
    models = connection.execute(
        "SELECT client, agent, model FROM requests JOIN texts ON texts.id = text "
        "WHERE conversation = ? AND ts >= ? AND ts < ? GROUP BY 1, 2, 3 ORDER BY count(*) DESC",
        values,
    ).fetchall()
    return [
        {
            "conversation": name,
            **dict(zip(_CONVERSATION, row, strict=True)),
            "models": [model for client, agent, model in models if (client, agent) == row[:2]],
        }
        for row in sums
    ]


def _event(line: bytes) -> JsonObject | None:
    """A line as a record, looked at no closer than the index needs; ``None`` when it is torn or none of ours."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    moment = value.get("ts") if isinstance(value, dict) else None
    return value if isinstance(moment, int) and not isinstance(moment, bool) and 0 <= moment < 1 << 60 else None


def _split(event: JsonObject) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record's own values, and the words it shares with others."""
    tokens, cost = (value if isinstance(value := event.get(name), dict) else {} for name in ("tokens", "cost"))
    status = _number(event.get("status"))
    own: dict[str, Any] = {
        "ts": event["ts"],
        "id": _word(event.get("requestId")),
        "status": status,
        "conversation": _word(event.get("conversation")) or None,
        "session": _word(event.get("sessionKey")) or None,
        "stream": int(bool(event.get("stream"))),
        "failed": int((status or 0) >= 400),
        "rerouted": int(bool(event.get("fallback") or event.get("preRoute"))),
        "plan": int(bool(event.get("subscription"))),
        "extra": int(event.get("paidBy") == "extra"),
        "confidence": _number(event.get("routingConfidence")),
        "latency": _number(event.get("latencyMs")),
        "first": _number(event.get("firstTokenMs")),
        "input": _number(tokens.get("input")),
        "output": _number(tokens.get("output")),
        "cached": _number(tokens.get("cacheRead")),
        "cost": _number(cost.get("actual")),
        "saved": _number(cost.get("saved")),
        "baseline": _number(cost.get("baseline")),
    }
    requested = _word(event.get("modelIdRequested"))
    texts = {
        "tier": _word(event.get("routingTier")),
        "model": _word(event.get("modelIdRouted") or event.get("modelIdResolved")) or requested,
        "requested": requested,
        "provider": _word(event.get("providerId")),
        "client": _word(event.get("client")),
        "agent": _word(event.get("userAgent")).split("/")[0].split(" ")[0],
        "path": _word(event.get("path")),
        "error": _word(event.get("errorMessage"))[:_ERROR_LETTERS],
    }
    return own, texts


def _number(value: object) -> float | int | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else None


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kept_text(connection: sqlite3.Connection, values: tuple[str, ...]) -> int:
    known = connection.execute(
        f"SELECT id FROM texts WHERE {' AND '.join(f'{name} = ?' for name in _TEXTS)}",  # noqa: S608 - fixed words
        values,
    ).fetchone()
    if known is not None:
        return int(known[0])
    words = " ".join(value for value in values if value).lower()
    added = connection.execute(
        f"INSERT INTO texts (words, {', '.join(_TEXTS)}) VALUES ({', '.join('?' * (len(_TEXTS) + 1))})",  # noqa: S608 - fixed words
        (words, *values),
    )
    return int(added.lastrowid or 0)


def _hour(own: dict[str, Any], texts: dict[str, Any]) -> tuple[Any, ...]:
    cost = own["cost"] or 0.0
    return (
        own["ts"] // HOUR,
        texts["tier"],
        texts["model"],
        texts["client"],
        1,
        own["failed"],
        int(own["failed"] and own["status"] < 500),
        own["rerouted"],
        int(own["cost"] is None and own["input"] is not None),
        own["input"] or 0,
        own["output"] or 0,
        own["cached"] or 0,
        0.0 if own["plan"] else cost,
        cost if own["extra"] else 0.0,
        cost if own["plan"] else 0.0,
        own["saved"] or 0.0,
        own["baseline"] or 0.0,
    )


@dataclass(frozen=True, slots=True)
class _Resolved:
    """Conditions, those on words that requests share put together into one list of ids.

    :ivar texts: ids of which one must be a request's; ``None`` asks for none
    """

    texts: frozenset[int] | None
    others: tuple[Condition, ...]


def _resolved(connection: sqlite3.Connection, conditions: Sequence[Condition]) -> _Resolved:
    texts: frozenset[int] | None = None
    others: list[Condition] = []
    for condition in conditions:
        found = _texts_of(connection, condition)
        if found is None:
            others.append(condition)
        else:
            texts = found if texts is None else texts & found
    return _Resolved(texts, tuple(others))


def _texts_of(connection: sqlite3.Connection, condition: Condition) -> frozenset[int] | None:
    """The ids a condition leaves, where it looks at nothing but shared words; what else it looks at may be nowhere."""
    if condition.texts is None:
        return None
    if condition.own is not None:
        if not condition.seldom:
            return None
        found = connection.execute(f"SELECT 1 FROM requests WHERE {condition.own} LIMIT 1", condition.own_values)  # noqa: S608 - made in search.py
        if found.fetchone() is not None:
            return None
    where = f"NOT ({condition.texts})" if condition.negated else condition.texts
    return frozenset(row[0] for row in connection.execute(f"SELECT id FROM texts WHERE {where}", condition.texts_values))  # noqa: S608 - as above


def _matching(connection: sqlite3.Connection, resolved: _Resolved, span: Span) -> tuple[list[int], bool]:
    """Row numbers that fit, and whether these are all: of more than are counted, only so many are looked for.

    Words alone are answered by their index. Anything else is one pass over the table, which for a month is quicker than to jump about in
    it, but for failures, which are few and have an index.
    """
    parts, values = ["+ts >= ? AND +ts < ?"], [span.since, span.until, *(v for one in resolved.others for v in one.parameters)]
    parts += [f"({one.sql})" for one in resolved.others]
    index = "NOT INDEXED"
    if any(one.failures for one in resolved.others):
        index = "INDEXED BY requests_failed"
        parts.append("failed = 1")
    if resolved.texts is not None:
        alone = not resolved.others and len(resolved.texts) < _MOST_IDS
        index = "INDEXED BY requests_by_text" if alone else index
        parts.append(f"{'' if alone else '+'}text IN ({','.join(map(str, resolved.texts))})")
    rows = connection.execute(
        f"SELECT rowid FROM requests {index} WHERE {' AND '.join(parts)} LIMIT ?",  # noqa: S608 - fixed words and numbers
        (*values, _COUNTED + 1),
    ).fetchall()
    return [row[0] for row in rows], len(rows) <= _COUNTED


def _newest(
    connection: sqlite3.Connection, conditions: Sequence[Condition], span: Span, count: int, before: int | None
) -> list[tuple[Any, ...]]:
    """One page of very many: newest first is the order of the table itself, and a page is soon full."""
    where, values = _where(conditions, span)
    page = where.replace("ts >=", "+ts >=").replace("ts <", "+ts <")
    more: tuple[object, ...] = ()
    if before is not None:
        page, more = f"{page} AND requests.rowid < ?", (before,)
    return connection.execute(
        f"SELECT requests.seq, {', '.join(_SHOWN)} FROM "  # noqa: S608 - fixed words
        f"(SELECT rowid AS seq, * FROM requests WHERE {page} ORDER BY rowid DESC LIMIT ?) AS requests "
        f"CROSS JOIN texts ON texts.id = text ORDER BY seq DESC",
        (*values, *more, count),
    ).fetchall()


def _where(conditions: Sequence[Condition], span: Span) -> tuple[str, tuple[object, ...]]:
    parts = ["ts >= ? AND ts < ?", *(f"({condition.sql})" for condition in conditions)]
    values = [span.since, span.until, *(value for condition in conditions for value in condition.parameters)]
    return " AND ".join(parts), tuple(values)
