"""The local token: configured, or made once and kept in the state folder."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config.private_file import read_plain
from openclaw_oauthrouter.errors import ConfigurationError, StateFolderError

FILE_NAME = "local-token"

KEEP_AGAIN_SECONDS = 10.0
"""How often a folder that could not be written is tried again."""

_log = logging.getLogger(__name__)


def prepare_folder(home: Path) -> None:
    """Make the state folder, or see that nobody else can write there: whoever can may replace token, settings and ledger.

    :raises ConfigurationError: another user's folder that anybody may write to
    """
    with suppress(OSError):  # whoever needs to write there says it
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        status = home.stat()
    except OSError:
        return
    if os.name != "posix" or not stat.S_IMODE(status.st_mode) & 0o022:
        return
    try:
        home.chmod(stat.S_IMODE(status.st_mode) & 0o700)
    except OSError:
        raise ConfigurationError(
            f"other users may write to the state folder {str(home)!r} and replace what lies there; chmod 700 it, or name another as 'home'"
        ) from None
    _log.warning("other users could write to the state folder %s: it is closed to them now (mode 0700)", home)


def token_path(home: Path) -> Path:
    """Where a generated token is kept."""
    return home / FILE_NAME


def kept_token(home: Path, fresh: Secret) -> Secret:
    """The token in the state folder; ``fresh`` becomes it if there is none yet. Two processes that start at once agree on one.

    :raises StateFolderError: there is none, and the folder cannot be written
    :raises ConfigurationError: the file cannot be read, or holds no token
    """
    path = token_path(home)
    prepare_folder(home)
    try:
        _create(path, fresh)
    except OSError as error:
        raise StateFolderError(
            f"the state folder {str(home)!r} cannot be written, so the local token cannot be kept: {error.strerror}",
            advice="free some space, let this user write there, or set OAUTHROUTER_HOME or OAUTHROUTER_LOCAL_TOKEN",
        ) from error
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return Secret(read_token(path))
    except OSError as error:
        raise ConfigurationError(
            f"the local token {str(path)!r} cannot be read: {error}; set OAUTHROUTER_LOCAL_TOKEN instead"
        ) from error


async def keep_later(home: Path, token: Secret, pause: float = KEEP_AGAIN_SECONDS) -> None:
    """Put a token that only this process knows into the state folder as soon as that can be written."""
    import asyncio  # commands read the token too, and have no use for a tenth of a second of it

    while True:
        await asyncio.sleep(pause)
        with suppress(ConfigurationError):
            if kept_token(home, token).reveal() != token.reveal():
                _log.warning("another local token lies in %s meanwhile; it counts from the next start on", home)
            return


def read_token(path: Path) -> str:
    """The token in a file.

    :raises OSError: it cannot be read
    :raises ConfigurationError: it holds nothing that a header could carry
    """
    text = read_plain(path).strip()
    if not text:
        raise ConfigurationError(f"the local token {str(path)!r} is empty; delete the file to have a new one made")
    if not is_sendable(text.decode("latin-1")):
        raise ConfigurationError(f"the local token {str(path)!r} is no printable ASCII; delete the file to have a new one made")
    return text.decode("ascii")


def is_sendable(token: str) -> bool:
    """Whether every client can put a token into a header."""
    return token.isascii() and token.isprintable()


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
    except OSError:
        # A file system without hard links: exFAT, network shares. Two first starts at once may then disagree once.
        if not path.exists():
            os.rename(aside, path)
    finally:
        aside.unlink(missing_ok=True)
