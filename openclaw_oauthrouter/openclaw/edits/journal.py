"""Remembers what was changed in whose file, so that every change can be shown beforehand and undone exactly."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.edits.edit import Edit

_SECRET_VALUE = re.compile(r"""(?i)((?:token|key|secret|password)["']?\s*[:=]\s*["'])([^"'$]{8,})(["'])""")


class Record(BaseModel):
    """What was done to one file.

    :ivar before: its text before our first change; ``None`` when it did not exist
    :ivar digest: SHA-256 of its text after our last change
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    before: str | None
    digest: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change that has been thought through but not made.

    :ivar before: the file's text now; ``None`` when there is no file
    :ivar after: its text to be; ``None`` removes the file
    :ivar edits: what to remember of it; empty when it is an undoing
    """

    name: str
    path: Path
    before: str | None
    after: str | None
    edits: tuple[Edit, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether it changes anything."""
        return self.before != self.after

    def diff(self) -> str:
        """A unified diff for people; values that look like secrets are masked."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            str(self.path) if self.before is not None else "(no file)",
            str(self.path) if self.after is not None else "(no file)",
        )
        text = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
        return _SECRET_VALUE.sub(r"\1********\3", text)


class Journal:
    """One record for each named change.

    :param folder: where records lie; made when needed, for the owner's eyes only
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def plan(self, name: str, path: Path, edits: Sequence[Edit]) -> FileChange:
        """Work out a change; made a second time it starts from the file as it would be without the first.

        :raises ConfigurationError: the file cannot be read or understood
        """
        path = path.expanduser().resolve()
        text = self.without(name, path)
        for edit in edits:
            text = _named(path, edit.apply, text)
        return FileChange(name, path, _read(path), text, tuple(edits))

    def without(self, name: str, path: Path) -> str:
        """The file's text as it would be without a change; ``""`` when there would be no file."""
        path = path.expanduser().resolve()
        now = _read(path)
        record = self._record(name)
        return (_undone(record, now) if record is not None and record.path == path else now) or ""

    def plan_undo(self, name: str) -> FileChange | None:
        """Work out how to take a change back; ``None`` when there is none to take back.

        Nobody having touched the file since, it becomes byte for byte what it was; otherwise only our own values go.
        """
        record = self._record(name)
        if record is None:
            return None
        now = _read(record.path)
        return FileChange(name, record.path, now, _undone(record, now))

    def make(self, change: FileChange) -> None:
        """Carry a change out: record first, then the file, each in one piece."""
        if not change.edits:
            _replace(change.path, change.after)
            self._file(change.name).unlink(missing_ok=True)
            return
        former = self._record(change.name)
        before = former.before if former is not None and former.path == change.path else change.before
        record = Record(path=change.path, before=before, digest=_digest(change.after or ""), edits=change.edits)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(self._file(change.name), record.model_dump_json(indent=1), mode=0o600)
        _replace(change.path, change.after)

    def backup(self, name: str) -> Path:
        """The file that holds the former text of a change."""
        return self._file(name)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _record(self, name: str) -> Record | None:
        text = _read(self._file(name))
        if text is None:
            return None
        try:
            return Record.model_validate_json(text)
        except ValidationError as error:
            raise ConfigurationError(
                f"{str(self._file(name))!r} is damaged; restore or remove it ({error.error_count()} faults)"
            ) from None


def _undone(record: Record, now: str | None) -> str | None:
    if now is None:
        return None
    if _digest(now) == record.digest:
        return record.before
    text = now
    for edit in reversed(record.edits):
        text = _named(record.path, edit.revert, text, record.before or "")
    return text if text or record.before is not None else None


def _named(path: Path, step: object, *texts: str) -> str:
    try:
        return str(step(*texts))  # type: ignore[operator]
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
    mode = mode if mode is not None else path.stat().st_mode & 0o777 if path.exists() else 0o600
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(mode)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
