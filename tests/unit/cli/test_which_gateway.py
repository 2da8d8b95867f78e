"""Commands say which gateway they speak of, and keep to the state folder the configuration names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_oauthrouter.cli.root import run
from openclaw_oauthrouter.cli.running import subject_of
from tests.unit.cli.test_asking_the_gateway import answering


def told(home: Path, *, demo: bool = False) -> bytes:
    return json.dumps({"version": "1", "home": str(home), "demo": demo, "status": "ok", "ready": True, "data": []}).encode()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The configured state folder, and another gateway's."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    monkeypatch.setenv("OAUTHROUTER_LOCAL_TOKEN", "one-token-for-both")
    monkeypatch.setenv("HOME", str(tmp_path))
    return mine, other


def named_by(how: str, mine: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> dict[str, object]:
    """Ways to name a state folder; the usual one is named by nobody."""
    monkeypatch.setenv("OAUTHROUTER_PORT", str(port))
    if how == "environment":
        monkeypatch.setenv("OAUTHROUTER_HOME", str(mine))
    elif how == "file":
        file = mine / "named.toml"
        file.write_text(f'home = "{mine}"\n')
        return {"config": file}
    return {}


@pytest.mark.parametrize(
    ("how", "demo", "uses", "said"),
    [
        ("environment", False, "mine", "which environment OAUTHROUTER_HOME names"),
        ("file", False, "mine", "which file "),
        ("nobody", False, "other", "figures of the gateway running on this machine, which keeps its files in"),
        ("environment", True, "other", "figures of the demo gateway"),
        ("nobody", True, "other", "figures of the demo gateway"),
    ],
)
def test_subject_of_a_command_while_another_gateway_answers(
    how: str,
    demo: bool,
    uses: str,
    said: str,
    places: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mine, other = places
    with answering(200, told(other, demo=demo)) as port:
        subject = subject_of(named_by(how, mine, monkeypatch, port))
    assert subject.settings.home == {"mine": mine, "other": other}[uses]
    assert subject.running == (uses == "other")
    assert said in capsys.readouterr().err


def test_subject_of_the_configured_gateway_needs_no_words(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, _ = places
    with answering(200, told(mine)) as port:
        subject = subject_of(named_by("environment", mine, monkeypatch, port))
    assert (subject.settings.home, subject.running) == (mine, True)
    assert capsys.readouterr().err == ""


def test_gateway_that_refuses_the_token_is_named(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, _ = places
    with answering(401, b"{}") as port:
        subject = subject_of(named_by("environment", mine, monkeypatch, port))
    assert subject.settings.home == mine
    assert "refuses our local token: it was started with another token or state folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["report"], ["trace"], ["spend"], ["top", "--once"], ["logs"]], ids=lambda words: words[0])
def test_commands_on_records_keep_to_the_named_state_folder(
    command: list[str], places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = places
    with answering(200, told(other)) as port:
        named_by("environment", mine, monkeypatch, port)
        assert run(command) == 0
    assert f"keeps its files in {other}; the figures below come from {mine}" in capsys.readouterr().err


def test_status_and_doctor_name_another_gateway(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = places
    with answering(200, told(other)) as port:
        named_by("environment", mine, monkeypatch, port)
        run(["status"])
        status = capsys.readouterr().out
        run(["doctor", "--json"])
        rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert f"home       {other}" in status
    assert "another gateway than the configured one" in status
    assert rows["gateway"]["state"] == "warning"
    assert str(other) in rows["gateway"]["detail"]


def test_doctor_says_when_the_demo_answers(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = places
    with answering(200, told(other, demo=True)) as port:
        named_by("environment", mine, monkeypatch, port)
        run(["doctor", "--json"])
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "it is the demo" in rows["gateway"]["detail"]
