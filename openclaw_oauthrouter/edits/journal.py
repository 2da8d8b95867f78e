"""Remembers what was changed in whose file, so that every change can be shown beforehand and undone exactly."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config.private_file import write_private
from openclaw_oauthrouter.edits.edit import Edit
from openclaw_oauthrouter.edits.last_written import write_note
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.telemetry.redact import redact

_NAMED = lazily(
    r"""(?im)(?P<name>[\w.-]*(?:token|key|secret|password)s?[-_]?\d*)(?P<sign>["']?[ \t]*[:=][ \t]*)
        (?:(?P<quote>["'])(?P<value>(?:(?!(?P=quote)).){8,})(?P=quote)|(?P<bare>[^\s"'{}\[\],]{16,}))""",
    re.VERBOSE,
)
"""A value whose name says that it may be a secret: ``apiKey2: '…'``, ``token = "…"``, ``api_key: …``."""

_VALUE = lazily(r"""(["'][^"'\n]*["'][ \t]*:[ \t]*)(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""")
_NO_SECRET_NAME = lazily(r"(?i)(?:^|[-_.])env[-_]?key$")
_REFERENCE = lazily(r"\$?\{[^{}]*\}|\$\w+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?:/|~/)[\w./ -]+")
"""What stands for a secret kept elsewhere, and may be seen: a variable, a placeholder, a file."""


_MARK = "\ufeff"
"""The byte order mark that some editors of Windows put in front."""


class Record(BaseModel):
    """What was done to one file.

    :ivar before: its text as it would be without us; ``None`` when there would be no file
    :ivar digest: SHA-256 of its text after our last change
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    before: str | None
    digest: str
    edits: tuple[Edit, ...]


@value(frozen=True, slots=True)
class FileChange:
    """A change that has been thought through but not made.

    :ivar before: the file's text now; ``None`` when there is no file
    :ivar after: its text to be; ``None`` removes the file
    :ivar without: the text to go back to: as now, but without an earlier change of the same name
    :ivar edits: what to remember of it; empty when it is an undoing
    """

    name: str
    path: Path
    before: str | None
    after: str | None
    without: str | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether it changes anything."""
        return self.before != self.after

    def diff(self, *, holds_keys: bool = False) -> str:
        """A unified diff for people; values that look like secrets are masked.

        :param holds_keys: every value is one
        """
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            str(self.path) if self.before is not None else "(no file)",
            str(self.path) if self.after is not None else "(no file)",
        )
        text = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
        return redact(_VALUE.sub(r'\1"********"', text) if holds_keys else _NAMED.sub(_masked, text))


def _masked(found: re.Match[str]) -> str:
    value = found["value"] or found["bare"]
    if _NO_SECRET_NAME.search(found["name"]) or _REFERENCE.fullmatch(value):
        return found[0]
    quote = found["quote"] or ""
    return f"{found['name']}{found['sign']}{quote}********{quote}"


class Journal:
    """One record for each named change of each file.

    :param folder: where records lie, within the state folder; both are made when needed, for the owner's eyes only
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def plan(self, name: str, path: Path, edits: Sequence[Edit]) -> FileChange:
        """Work out a change; made a second time it starts from the file as it would be without the first.

        :raises ConfigurationError: the file cannot be read or understood
        """
        path = _real(path)
        without = self._without(name, path)
        text = without or ""
        for edit in edits:
            text = _named(path, edit.apply, text, like=text)
        return FileChange(name, path, _read(path), text, without, tuple(edits))

    def without(self, name: str, path: Path) -> str:
        """The file's text as it would be without a change; ``""`` when there would be no file."""
        return self._without(name, _real(path)) or ""

    def plan_undo(self, name: str, path: Path) -> FileChange | None:
        """Work out how to take a change back; ``None`` when there is none to take back.

        Nobody having touched the file since, it becomes byte for byte what it was; otherwise only our own values go.

        :param path: the file that is meant; where nothing was changed in it, the file that was changed last
        """
        record = self._record(name, _real(path)) or next(self._records(name), None)
        if record is None:
            return None
        now = _read(record.path)
        return FileChange(name, record.path, now, _undone(record, now))

    def named(self, beginning: str, path: Path) -> Iterator[tuple[str, Record]]:
        """The changes of a file whose names begin so, with their names, the latest first."""
        real = _real(path)
        ending = f".{_digest(str(real))[:12]}.json"
        for file in sorted(self._folder.glob(f"{beginning}*{ending}"), reverse=True):
            if (record := _load(file)) is not None and record.path == real:
                yield file.name.removesuffix(ending), record

    def forget(self, name: str, path: Path) -> None:
        """Forget a change; it stays, and cannot be taken back any more."""
        self.backup(name, path).unlink(missing_ok=True)

    def make(self, change: FileChange) -> None:
        """Carry a change out: record first, then the file, each in one piece.

        :raises OSError: the file is as it was, and so is the record
        """
        if change.edits:
            self._make(change)
        else:
            self._write(change)
            file = self.backup(change.name, change.path)
            (file if file.exists() else self._former_file(change.name)).unlink(missing_ok=True)

    def _make(self, change: FileChange) -> None:
        record = Record(path=change.path, before=change.without, digest=_digest(change.after or ""), edits=change.edits)
        for folder in (self._folder.parent, self._folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.backup(change.name, change.path)
        former = _read(file)
        _replace(file, record.model_dump_json(indent=1), mode=0o600)
        try:
            self._write(change)
        except OSError:
            _replace(file, former, mode=0o600)
            raise
        older = _load(self._former_file(change.name)) if former is None else None
        if older is not None and older.path == change.path:
            self._former_file(change.name).unlink()

    def _write(self, change: FileChange) -> None:
        write_note(self._folder, change.path, None if change.after is None else change.after.encode())
        _replace(change.path, change.after)

    def backup(self, name: str, path: Path) -> Path:
        """The file that holds the former text of a change."""
        return self._folder / f"{name}.{_digest(str(_real(path)))[:12]}.json"

    def _former_file(self, name: str) -> Path:
        """Where earlier versions kept the one record of a name."""
        return self._folder / f"{name}.json"

    def _without(self, name: str, path: Path) -> str | None:
        now, record = _read(path), self._record(name, path)
        return now if record is None else _undone(record, now)

    def _record(self, name: str, path: Path) -> Record | None:
        found = (_load(file) for file in (self.backup(name, path), self._former_file(name)))
        return next((record for record in found if record is not None and record.path == path), None)

    def _records(self, name: str) -> Iterator[Record]:
        """All of a name, the latest first."""
        files = [*self._folder.glob(f"{name}.*.json"), *self._folder.glob(f"{name}.json")]
        for file in sorted(files, key=lambda file: file.stat().st_mtime_ns, reverse=True):
            if (record := _load(file)) is not None:
                yield record


def _load(file: Path) -> Record | None:
    text = _read(file)
    if text is None:
        return None
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationError(f"{str(file)!r} is damaged; restore or remove it ({error.error_count()} faults)") from None


def _real(path: Path) -> Path:
    return Path(os.path.expanduser(path)).resolve()


def _undone(record: Record, now: str | None) -> str | None:
    if now is None:
        return None
    if _digest(now) == record.digest:
        return record.before
    text = now
    for edit in reversed(record.edits):
        text = _named(record.path, edit.revert, text, record.before or "", like=record.before or text)
    return text if text or record.before is not None else None


def _named(path: Path, step: Callable[..., str], *texts: str, like: str) -> str:
    """One step of a change, whose text begins and ends its lines as another one does: edits know of ``\\n`` alone, and of no mark."""
    mark = _MARK if like.startswith(_MARK) else ""
    windows = "\r\n" in like and "\n" not in like.replace("\r\n", "")
    try:
        plain = [text.removeprefix(_MARK) for text in texts]
        if not windows:
            return mark + step(*plain)
        return mark + step(*(text.replace("\r\n", "\n") for text in plain)).replace("\n", "\r\n")
    except ConfigurationError as error:
        raise ConfigurationError(f"{str(path)!r}: {error.message}; nothing was changed") from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> str | None:
    try:
        # newline="" keeps line endings as they are
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{str(path)!r} cannot be read: {error}") from error


def _replace(path: Path, text: str | None, mode: int | None = None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode is None:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    write_private(path, text.encode(), mode=mode)
