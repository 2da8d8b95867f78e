"""Notes what a change or an undoing of ours makes of a file, so that a gateway can tell it from what a full disk or a dying editor leaves."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from openclaw_oauthrouter.config.private_file import write_private

_NO_FILE = "none"


def note_file(folder: Path, path: Path) -> Path:
    """Where the note on a file lies.

    :param folder: of the journal
    """
    real = os.path.realpath(os.path.expanduser(path))
    return folder / f"last-written.{hashlib.sha256(real.encode()).hexdigest()[:12]}.txt"


def write_note(folder: Path, path: Path, content: bytes | None) -> None:
    """Say what a file will hold; to be called before it does.

    :param content: ``None``: it will be gone
    :raises OSError: the note cannot be written
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(note_file(folder, path), _digest(content).encode(), durable=False)


def tells_of(note: Path, content: bytes | None) -> bool:
    """Whether a note says that this is what a file was to hold; ``None``: that it was to be gone."""
    with suppress(OSError):
        return note.read_bytes() == _digest(content).encode()
    return False


def _digest(content: bytes | None) -> str:
    return _NO_FILE if content is None else hashlib.sha256(content).hexdigest()
