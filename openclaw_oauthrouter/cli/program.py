"""The command line as a program: any locale, a reader that leaves early, and faults of our own without a traceback."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence

from openclaw_oauthrouter.cli.grammar import EXIT_FAILED, show_problem
from openclaw_oauthrouter.cli.root import run


def main() -> int:
    """Run what stands on this process's command line.

    :return: the exit code, see ``run``
    """
    tolerate_locale()
    try:
        code = run(readable(sys.argv[1:]))
        _flush(quietly=code != 0)
    except BrokenPipeError:
        _discard_output()
        return EXIT_FAILED  # nobody reads why
    except OSError as error:  # of the last flush: a full disk
        _discard_output()
        show_problem(f"the output cannot be written: {error.strerror}")
        return EXIT_FAILED
    except Exception as error:
        if logging.getLogger().isEnabledFor(logging.INFO):
            logging.getLogger(__name__).exception("a fault of this program")
        show_problem(
            f"a fault of this program: {type(error).__name__}: {error}", "the same with --verbose, and report what it prints"
        )
        return EXIT_FAILED
    return code


def tolerate_locale() -> None:
    """Let letters that the terminal's encoding lacks be replaced, instead of ending the command."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def readable(words: Sequence[str]) -> list[str]:
    """Words of a command line that were given as UTF-8, whatever the locale calls them; others stay, for they may be paths."""
    return [_utf8(word) for word in words]


def _utf8(word: str) -> str:
    try:
        return os.fsencode(word).decode("utf-8")
    except UnicodeError:
        return word


def _flush(*, quietly: bool) -> None:
    """Write what is left.

    :param quietly: the command has said already what went wrong
    """
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except OSError:
        _discard_output()
        if not quietly:
            raise


def _discard_output() -> None:
    """Python flushes once more when it ends, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
