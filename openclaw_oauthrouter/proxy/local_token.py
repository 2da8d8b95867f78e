"""The local token: configured, or made once and kept in the state folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.errors import ConfigurationError

FILE_NAME = "local-token"


def token_path(home: Path) -> Path:
    """Where a generated token is kept."""
    return home / FILE_NAME


def kept_token(home: Path, fresh: Secret) -> Secret:
    """The token in the state folder; ``fresh`` becomes it if there is none yet. Two processes that start at once agree on one.

    :raises ConfigurationError: the file cannot be written, or others could have read it
    """
    path = token_path(home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, fresh)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the local token {str(path)!r} cannot be kept: {error}; set OAUTHROUTER_LOCAL_TOKEN instead"
        ) from error
    if not text:
        raise ConfigurationError(f"the local token {str(path)!r} is empty; delete the file to have a new one made")
    return Secret(text)


def _create(path: Path, token: Secret) -> None:
    if path.exists():
        return
    # Written aside and linked into place: nobody ever reads half a token, and the first of two processes wins.
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, f"{token.reveal()}\n".encode())
    finally:
        os.close(descriptor)
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    finally:
        aside.unlink()
