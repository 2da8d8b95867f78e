"""The ledger's file: made whole, examined when it is opened, brought from an earlier layout to the present one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

if sys.platform != "win32":
    import fcntl

VERSION = 2
_AMOUNTS = "requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, microdollars INTEGER NOT NULL, unpriced INTEGER NOT NULL"
_PLACE = "moment INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, client TEXT NOT NULL, conversation TEXT NOT NULL, paid_by TEXT NOT NULL"
_TABLES = (
    f"""CREATE TABLE used (
    {_PLACE}, writer TEXT NOT NULL, {_AMOUNTS},
    PRIMARY KEY (moment, provider, model, client, conversation, paid_by, writer)
) WITHOUT ROWID""",
    f"CREATE TABLE held (id TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at REAL NOT NULL, {_PLACE}, {_AMOUNTS}) WITHOUT ROWID",
    f"PRAGMA user_version = {VERSION}",
)
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PLACE_TROUBLE = {
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM
}  # fmt: skip
_COMPANIONS = ("-wal", "-shm")


def open_file(path: Path) -> tuple[sqlite3.Connection, tuple[int, int]]:
    """A connection in autocommit mode, and the file's device and inode.

    :raises sqlite3.DatabaseError: the file is damaged or of a later version
    :raises OSError: it cannot be made
    """
    if not path.exists():
        _create(path)
    # Autocommit: transactions are begun and ended by hand. The long wait is for opening only.
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        _examine(connection)
        status = os.stat(path)
    except BaseException:
        connection.close()
        raise
    return connection, (status.st_dev, status.st_ino)


def open_in_place_of(path: Path, lost: tuple[int, int]) -> tuple[sqlite3.Connection, tuple[int, int]]:
    """Open what stands in a lost file's place, or make it; what is damaged there gets another name.

    :param lost: device and inode of the file that must not be used again
    :raises sqlite3.DatabaseError: a file of a later version stands there
    :raises OSError: none can be made
    """
    with _one_at_a_time(path):
        if _identity(path) == lost:
            set_aside(path)
        try:
            return open_file(path)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        set_aside(path)
        return open_file(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Keep two processes from making a file anew at once; where files cannot be locked, they are trusted not to."""
    if sys.platform == "win32":
        yield
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def set_aside(path: Path) -> None:
    """Give a damaged file another name, so that a new one can take its place; what it holds may still be wanted."""
    with contextlib.suppress(FileNotFoundError):
        os.replace(path, path.with_name(f"{path.name}.damaged"))
    for companion in _COMPANIONS:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{companion}")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is not what it was."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def is_about_the_content(error: Exception, path: Path) -> bool:
    """Whether an error speaks of what stands at ``path``, rather than of the folder it lies in: full, read-only, of another user."""
    if path.exists() and not path.is_file():  # SQLite says no more than that it cannot be opened
        return True
    return not isinstance(error, OSError) and getattr(error, "sqlite_errorcode", 0) & 0xFF not in _PLACE_TROUBLE


def _create(path: Path) -> None:
    """Make the file whole under another name first: an empty ledger is then always a damaged one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # What was written ahead for a file that is gone must not be read into the new one.
    for companion in _COMPANIONS:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{companion}")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    os.close(handle)
    try:
        with contextlib.closing(sqlite3.connect(name)) as connection:
            for statement in _TABLES:
                connection.execute(statement)
            connection.commit()
        _put_in_place(name, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _put_in_place(name: str, path: Path) -> None:
    try:
        os.link(name, path)
    except FileExistsError:  # another process was quicker
        return
    except OSError:
        # A file system without hard links. Between the look and the renaming another process may do the same; both files are empty.
        if not path.exists():
            os.rename(name, path)


def _examine(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (1, VERSION):
        raise sqlite3.DatabaseError(f"it says version {version}, this program writes {VERSION}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict.splitlines()[-1])
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if version == 1:
        _bring_forward(connection)
    connection.execute("PRAGMA busy_timeout = 0")


def fold_old_rows(connection: sqlite3.Connection, keep_seconds: int) -> None:
    """Make one row a UTC day of what is older than every period in use: of all processes and conversations together."""
    (latest,) = connection.execute("SELECT COALESCE(MAX(moment), 0) FROM used").fetchone()
    before = (latest - keep_seconds, "folded")
    old = "moment < ? AND writer <> ?"
    if connection.execute(f"SELECT 1 FROM used WHERE {old} LIMIT 1", before).fetchone() is None:  # noqa: S608 - no input
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        f"""INSERT INTO used
        SELECT moment / 86400 * 86400 + 43200 AS noon, provider, model, client, '', paid_by, 'folded',
            SUM(requests), SUM(input_tokens), SUM(output_tokens), SUM(microdollars), SUM(unpriced)
        FROM used WHERE {old} GROUP BY noon, provider, model, client, paid_by
        ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
            output_tokens = output_tokens + excluded.output_tokens, microdollars = microdollars + excluded.microdollars,
            unpriced = unpriced + excluded.unpriced""",  # noqa: S608 - no input
        before,
    )
    connection.execute(f"DELETE FROM used WHERE {old}", before)  # noqa: S608 - no input
    connection.execute("COMMIT")


def _bring_forward(connection: sqlite3.Connection) -> None:
    """From version 1, which kept a row for each UTC day and scope: totals, models and clients, though not which client used which."""
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != 1:  # another process was quicker
        connection.execute("COMMIT")
        return
    days = list(connection.execute("SELECT * FROM used WHERE length(window) = 10"))
    connection.execute("DROP TABLE used")
    connection.execute("DROP TABLE held")
    for statement in _TABLES:
        connection.execute(statement)
    for window, scope, *amounts in days:
        kind, _, name = scope.partition(":")
        noon = int(datetime.fromisoformat(window).replace(hour=12, tzinfo=UTC).timestamp())
        if kind == "model":
            _insert(connection, (noon, name.partition("/")[0], name, ""), amounts)
        elif kind == "client":
            # The models' rows hold these calls too: what is added for the client is taken from nobody's.
            _insert(connection, (noon, "", "", name), amounts)
            _insert(connection, (noon, "", "", ""), [-amount for amount in amounts])
    connection.execute("COMMIT")


def _insert(connection: sqlite3.Connection, place: tuple[int, str, str, str], amounts: list[int]) -> None:
    connection.execute(
        "INSERT INTO used VALUES (?, ?, ?, ?, '', 'api', '', ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
        " input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,"
        " microdollars = microdollars + excluded.microdollars",
        (*place, *amounts),
    )
