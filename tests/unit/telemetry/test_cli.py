"""``trace``, ``top`` and ``report`` over a trace file, without a gateway."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.cli.top import RecentEvents
from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.public import public_record
from openclaw_oauthrouter.telemetry.trace_files import trace_path
from tests.unit.telemetry.records import decision, fallen_back, record

DAY = 86_400.0


class CommandLine:
    """The command line with a state folder of its own."""

    def __init__(self, home: Path) -> None:
        self.path = trace_path(home / "state")
        config = home / "config.toml"
        config.write_text(f'home = "{home / "state"}"\n')
        self._config = config

    def write(self, *records: RequestRecord) -> None:
        sink = TraceFile(self.path, clock=time.time, rotate_bytes=10_000_000, rotate_days=30)
        for one in records:
            sink.receive(one)
        sink.close()

    def __call__(self, *arguments: str) -> Result:
        environ = {"COLUMNS": "200", "LINES": "40", "NO_COLOR": "1"}
        return CliRunner(env=environ).invoke(root, ["--config", str(self._config), *arguments])


@pytest.fixture
def run(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def recorded(run: CommandLine) -> CommandLine:
    now = time.time()
    run.write(
        record(request_id="first", started_at=now - 9 * DAY),
        record(request_id="second", started_at=now - 300, seconds=40.0, decision=decision(tier=Tier.COMPLEX)),
        record(request_id="third", started_at=now - 200, paid_by="plan"),
        fallen_back_at(now - 100),
        record(
            request_id="fifth", started_at=now - 50, status=503, error_type="UpstreamOverloadedError", error_message="[red]busy\x1b[2J",
            model_answered=None, usage=None, cost=None,
        ),
    )  # fmt: skip
    return run


def fallen_back_at(moment: float) -> RequestRecord:
    one = fallen_back()
    one.request_id, one.started_at = "fourth", moment
    return one


def shown_ids(result: Result) -> list[str]:
    return [orjson.loads(line)["requestId"] for line in result.stdout.splitlines()]


def test_trace_shows_the_last_lines(recorded: CommandLine) -> None:
    result = recorded("trace", "-n", "3")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert "auto → openai/gpt-5.4-mini" in lines[1]
    assert "fallback" in lines[1]
    assert "[red]busy [2J" in lines[2]
    assert "\x1b" not in result.stdout


def test_trace_as_json_with_filters(recorded: CommandLine) -> None:
    assert shown_ids(recorded("trace", "--json")) == ["first", "second", "third", "fourth", "fifth"]
    assert shown_ids(recorded("trace", "--json", "--tier", "complex")) == ["second"]
    assert shown_ids(recorded("trace", "--json", "--model", "GPT-5.4")) == ["fourth"]
    assert shown_ids(recorded("trace", "--json", "--status", "5xx")) == ["fifth"]
    assert shown_ids(recorded("trace", "--json", "--since", "1h", "-n", "2")) == ["fourth", "fifth"]


def test_trace_searches_as_the_dashboard_does(recorded: CommandLine) -> None:
    assert shown_ids(recorded("trace", "--json", "--search", "-status:5xx tier:simple", "-n", "2")) == ["third", "fourth"]
    assert shown_ids(recorded("trace", "--json", "--search", "failed:true")) == ["fifth"]
    assert shown_ids(recorded("trace", "--json", "--search", "rerouted:true", "--status", "5xx")) == []
    wrong = recorded("trace", "--search", "teir:simple")
    assert wrong.exit_code == 2
    assert "did you mean 'tier:'" in wrong.stderr


def test_trace_without_a_file(run: CommandLine) -> None:
    result = run("trace")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "no recorded request" in result.stderr


@pytest.mark.parametrize("words", [("--status", "2xx"), ("--search", "status:2xx")])
def test_trace_follows(recorded: CommandLine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]) -> None:
    looks = 0

    def look_again(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            recorded.write(record(request_id="live"), record(request_id="other", status=500))
        elif looks == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", look_again)
    result = recorded("trace", "--json", "-f", "-n", "1", *words)
    assert result.exit_code == 0
    assert shown_ids(result) == ["fourth", "live"]


def test_report_for_programs(recorded: CommandLine) -> None:
    report = orjson.loads(recorded("report", "--json").stdout)
    assert report["total"]["requests"] == 4
    assert report["total"]["failed"] == 1
    assert report["total"]["paid"] == pytest.approx(0.008)
    assert report["total"]["onPlans"] == pytest.approx(0.004)
    assert report["total"]["saved"] == pytest.approx(3 * 0.016)
    assert report["baselineModel"] == "anthropic/claude-opus-4-6"
    assert report["fallbacks"] == 1
    assert {name: sums["requests"] for name, sums in report["tiers"].items()} == {"SIMPLE": 3, "COMPLEX": 1}
    assert report["failures"] == {"503 UpstreamOverloadedError": 1}
    assert report["slowest"][0]["requestId"] == "second"
    assert report["latencyMs"] == {"p50": 2000.0, "p90": 40_000.0, "p99": 40_000.0}


def test_report_for_people(recorded: CommandLine) -> None:
    result = recorded("report", "--days", "30")
    assert result.exit_code == 0, result.output
    assert "5 requests, 1 failed, 1 fell back" in result.stdout
    assert "saved" in result.stdout
    assert "against always using anthropic/claude-opus-4-6" in result.stdout
    assert "COMPLEX" in result.stdout


def test_report_reads_rotated_files(run: CommandLine) -> None:
    sink = TraceFile(run.path, clock=time.time, rotate_bytes=4096, rotate_days=30)
    for _ in range(20):
        sink.receive(record(started_at=time.time()))
    sink.close()
    assert len(list(run.path.parent.iterdir())) > 1
    assert orjson.loads(run("report", "--json").stdout)["total"]["requests"] == 20


def test_report_of_nothing(run: CommandLine) -> None:
    assert "nothing was recorded in the last 7 days" in run("report").stdout


def test_top_once(recorded: CommandLine) -> None:
    result = recorded("top", "--once")
    assert result.exit_code == 0, result.output
    assert "4 requests in 10 min" in result.stdout
    assert "1 failed" in result.stdout
    assert "COMPLEX" in result.stdout
    assert "openai/gpt-5.4-mini" in result.stdout


def test_top_forgets_what_is_too_old() -> None:
    recent = RecentEvents(60)
    recent.add([public_record(record(started_at=1000.0))], 1030.0)
    assert len(recent.events) == 1
    recent.add([], 1061.0)
    assert len(recent.events) == 0


DAMAGED = [
    {"ts": "abc"},
    {"ts": None},
    {"ts": True},
    {"ts": 1e300},
    {"status": "200"},
    {"status": 200.5},
    {"latencyMs": "slow"},
    {"routingTier": "HUGE"},
    {"routingTier": ["SIMPLE"]},
    {"modelIdRouted": {"a": 1}},
    {"tokens": {"input": None, "output": 1}},
    {"tokens": [1]},
    {"cost": {"actual": "1"}},
    {"client": ["me"]},
    {"attempts": [{"outcome": "ok"}]},
    {"routing": {"judgedTier": "HUGE"}},
    {"routing": {"dimensions": [{"name": "x"}]}},
    {"routing": {"skipped": ["x"]}},
    {"features": {"input_tokens": "many"}},
    {"fallback": [1]},
]


@pytest.mark.parametrize("command", [("trace",), ("top", "--once"), ("report",), ("replay",)], ids=lambda command: command[0])
def test_damaged_lines_are_passed_over_by_every_reader(recorded: CommandLine, command: tuple[str, ...]) -> None:
    whole = recorded.path.read_text().splitlines()[-1]
    lines = [orjson.dumps({**orjson.loads(whole), **damage}).decode() for damage in DAMAGED]
    before = recorded(*command)
    with recorded.path.open("a") as file:
        file.write("\n".join(lines) + "\n")
    after = recorded(*command)
    assert (before.exit_code, after.exit_code) == (0, 0), after.exception
    counted = f"{len(DAMAGED)} damaged lines of the trace were passed over\n"
    assert after.stdout.replace(counted, "") == before.stdout
    assert (counted in after.stdout) == (command[0] in ("report", "replay"))


def test_cli_line_of_few_words_is_no_damage(run: CommandLine) -> None:
    run.path.parent.mkdir(parents=True)
    minimal = {"ts": int(time.time() * 1000), "modelIdResolved": "anthropic/claude-haiku-4-5", "tokens": {"output": 5}}
    strange = {**minimal, "routing": {"method": "rules", "dimensions": [], "floors": ["at least HUGE: a newer word"]}}
    run.path.write_bytes(orjson.dumps(minimal) + b"\n" + orjson.dumps(strange) + b"\n")
    for command in (("trace",), ("top", "--once"), ("report",), ("replay",)):
        assert run(*command).exit_code == 0, command
    assert orjson.loads(run("report", "--json").stdout)["damagedLines"] == 0
