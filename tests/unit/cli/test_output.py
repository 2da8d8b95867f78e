"""What commands print is whole and letter for letter, in a narrow terminal and in a pipe."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli.output import PIPE_WIDTH, create_console, create_table
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.trace_files import trace_path
from tests.unit.telemetry.records import record

ODD = "store:llama:key [/fd00] [red]x"
LONG = "anthropic/a-model-whose-name-is-so-long-that-no-table-of-ten-columns-has-room-for-it"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OAUTHROUTER_CONFIG", "OAUTHROUTER_PORT", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OAUTHROUTER_HOME", str(tmp_path))
    return tmp_path


def printed(*arguments: str, columns: int | None) -> Result:
    done = CliRunner(env={"COLUMNS": str(columns) if columns else None}).invoke(root, arguments)
    assert done.exit_code == 0, done.output
    return done


def letters(text: str) -> str:
    """Without what folding adds."""
    return "".join(text.split())


def test_output_table_is_letter_for_letter(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    table = create_table(ODD, numbers=(ODD,), title=ODD)
    table.add_row(ODD, ODD)
    create_console().print(table)
    assert capsys.readouterr().out.count(ODD) == 5


@pytest.mark.parametrize(("columns", "width"), [(80, 80), (None, PIPE_WIDTH)])
def test_output_pipe_is_wide_unless_told_otherwise(
    home: Path, monkeypatch: pytest.MonkeyPatch, columns: int | None, width: int
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    assert create_console().width == width


@pytest.mark.parametrize("columns", [60, 80, None])
@pytest.mark.parametrize(
    "command", [("report",), ("top", "--once"), ("route", "hi"), ("spend",), ("plugins",), ("config", "show", "--all")]
)
def test_output_nothing_is_cut(home: Path, columns: int | None, command: tuple[str, ...]) -> None:
    sink = TraceFile(trace_path(home), clock=time.time, rotate_bytes=10_000_000, rotate_days=30)
    for number in range(20):
        sink.receive(record(request_id=str(number), started_at=time.time() - 5, model_answered=LONG, cost=0.00123))
    sink.close()
    output = printed(*command, columns=columns).stdout
    assert "…" not in output
    if columns is None and command[0] in ("report", "top"):
        assert LONG in output
        assert "$0.02" in output


@pytest.mark.parametrize("columns", [60, None])
def test_settings_are_shown_as_they_are(home: Path, columns: int | None) -> None:
    (home / "config.toml").write_text('[providers."my:llama:x"]\napi_base = "http://[fd00::1]:8000/v1"\nmodels = ["[/fd00]"]\n')
    output = printed("config", "show", columns=columns).stdout
    if columns is None:
        assert "http://[fd00::1]:8000/v1" in output
        assert "providers.my:llama:x.api_base" in output
    assert "[/fd00]" in letters(output)
