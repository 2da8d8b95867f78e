"""The command line as a program: in any locale, with any reader, and whatever goes wrong, there is no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_oauthrouter.cli import program

OURS = [sys.executable, "-P", "-m", "openclaw_oauthrouter"]


def ours(
    shell: str, *words: str | bytes, home: Path, given: bytes | None = None, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """Run our command as ``"$@"`` of a line of shell."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("OAUTHROUTER_", "PYTHON", "LC_"))}
    return subprocess.run(
        ["sh", "-c", shell, "sh", *OURS, *words],
        env={**outer, "HOME": str(home), "OAUTHROUTER_HOME": str(home), **environ},
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        timeout=50,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="plays a shell")
@pytest.mark.parametrize(
    ("shell", "words", "environ", "code"),
    [
        ('exec "$@"', ["route", "héllo — 日本"], {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}, 0),
        ('exec "$@"', ["tiers", "--all"], {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "40"}, 0),
        ('exec "$@"', ["route", b"\xff\xfe"], {}, 0),
        ('"$@" | head -n 1 >/dev/null', ["models", "--all"], {}, 0),
        ('exec "$@" >&-', ["config", "path"], {}, 0),
        ('exec "$@" 2>&-', ["config", "shwo"], {}, 2),
        pytest.param(
            'exec "$@" >/dev/full',
            ["config", "path"],
            {},
            1,
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here"),
        ),
    ],
    ids=["ascii", "c-locale", "no-utf8", "head", "closed-stdout", "closed-stderr", "full-disk"],
)
def test_program_ends_properly_whatever_reads_it(
    shell: str, words: list[str | bytes], environ: dict[str, str], code: int, tmp_path: Path
) -> None:
    done = ours(shell, *words, home=tmp_path, **environ)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode == code, done.stderr
    if code == 1:
        assert done.stderr.startswith(b"error: ")


def test_program_reads_a_prompt_of_any_bytes(tmp_path: Path) -> None:
    done = ours('exec "$@"', "route", "--json", home=tmp_path, given=b"Prove that \xff is odd")
    assert done.returncode == 0, done.stderr
    assert b'"tier": "REASONING"' in done.stdout


@pytest.mark.parametrize("fault", [RuntimeError("what nobody foresaw"), KeyError("x")])
def test_program_says_a_fault_of_its_own_in_one_line(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise fault

    monkeypatch.setattr(program, "run", fail)
    monkeypatch.setattr(program, "tolerate_locale", lambda: None)
    assert program.main() == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"error: a fault of this program: {type(fault).__name__}: {fault}"
    assert told[1].startswith("try: the same with --verbose")
    assert len(told) == 2
