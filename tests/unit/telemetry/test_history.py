"""The index beside the trace files: what it finds, and that losing it or the files under it loses nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.telemetry.history import TraceHistory
from openclaw_oauthrouter.telemetry.history_sums import Span
from openclaw_oauthrouter.telemetry.search import parse_search
from tests.support import search_cases
from tests.support.search_cases import NOON, event

HOUR = 3_600_000
ALWAYS = Span(0, NOON * 2)


EVENTS = search_cases.EVENTS[:5]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "routing-trace.jsonl"


def write(path: Path, *events: dict[str, Any], torn: bytes = b"") -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        for one in events:
            file.write(orjson.dumps(one) + b"\n")
        file.write(torn)


def found(history: TraceHistory, text: str = "", span: Span = ALWAYS) -> list[str]:
    return [row["id"].removeprefix("req-") for row in history.search(parse_search(text), span, 50)["rows"]]


@pytest.fixture
def history(path: Path) -> Iterator[TraceHistory]:
    write(path, *EVENTS)
    with closing(TraceHistory(path)) as history:
        assert history.catch_up() == 5
        yield history


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraceHistory]:
    path = tmp_path_factory.mktemp("searched") / "logs" / "routing-trace.jsonl"
    write(path, *search_cases.EVENTS)
    with closing(TraceHistory(path)) as history:
        assert history.catch_up() == len(search_cases.EVENTS)
        yield history


@pytest.mark.parametrize(("text", "ids"), search_cases.FOUND)
def test_search_finds_newest_first(searched: TraceHistory, text: str, ids: str) -> None:
    assert found(searched, text) == list(ids)


@pytest.mark.parametrize(("text", "said"), search_cases.WRONG)
def test_term_that_means_nothing_is_said(text: str, said: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse_search(text)
    assert said in refused.value.message


def test_span_and_pages(history: TraceHistory) -> None:
    assert found(history, span=Span(NOON + 120_000, NOON + 240_000)) == ["3", "2"]
    first = history.search([], ALWAYS, 2)
    assert (first["matches"], first["counted"]) == (5, True)
    rest = history.search([], ALWAYS, 50, before=first["rows"][-1]["seq"])
    assert [row["id"] for row in rest["rows"]] == ["req-3", "req-2", "req-1"]


def test_summary_adds_up(history: TraceHistory) -> None:
    told = history.summary(Span(NOON, NOON + HOUR))
    total = told["total"]
    assert (total["requests"], total["failed"], total["rerouted"], total["unpriced"]) == (5, 1, 1, 1)
    assert total["paid"] == pytest.approx(0.11)
    assert total["saved"] == pytest.approx(2.0)
    assert {name: sums["requests"] for name, sums in told["tiers"].items()} == {"SIMPLE": 4, "COMPLEX": 1}
    assert sum(point["requests"] for point in told["points"]) == 5
    assert history.summary(Span(NOON + HOUR, NOON + 2 * HOUR))["total"]["requests"] == 0


def test_history_only_what_is_new_is_read(history: TraceHistory, path: Path) -> None:
    assert history.catch_up() == 0
    write(path, event(6), torn=b'{"x": 1')
    assert history.catch_up() == 1
    with path.open("ab") as file:
        file.write(b"}\n")
    write(path, event(7))
    assert history.catch_up() == 1
    assert found(history)[:2] == ["7", "6"]


def test_rotated_file_is_not_read_again_and_its_records_are_still_found_whole(history: TraceHistory, path: Path) -> None:
    os.rename(path, path.with_name("routing-trace-20261129T000000Z.jsonl"))
    write(path, event(6))
    assert history.catch_up() == 1
    assert found(history) == list("654321")
    whole = history.request("req-2")
    assert whole is not None
    assert whole["errorMessage"] == EVENTS[1]["errorMessage"]
    assert history.request("req-99") is None


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100])
def test_lost_or_damaged_index_is_made_anew(history: TraceHistory, damage: bytes) -> None:
    history.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{history.index_path}{suffix}").unlink(missing_ok=True)
    history.index_path.unlink()
    if damage:
        history.index_path.write_bytes(damage)
    assert history.catch_up() == 5
    assert found(history) == list("54321")
    assert history.index_path.stat().st_mode & 0o077 == 0


def test_index_removed_while_open_is_made_anew(history: TraceHistory) -> None:
    for file in history.index_path.parent.glob("*.sqlite*"):
        file.unlink()
    assert history.catch_up() == 5
    assert found(history) == list("54321")


def test_conversations_are_summed_and_say_their_session(path: Path) -> None:
    write(
        path,
        event(1, conversation="c-1", sessionKey="s"),
        event(2, conversation="c-1", sessionKey="s", status=500),
        event(3, conversation="c-2", sessionKey="s", userAgent="codex_exec/0.171"),
        event(4, conversation="c-3", subscription=True),
        event(5),
    )
    history = TraceHistory(path)
    history.catch_up()
    answer = history.conversations(ALWAYS)
    assert answer["matches"] == 3
    assert [row["conversation"] for row in answer["rows"]] == ["c-3", "c-2", "c-1"]
    plan, sub, lead = answer["rows"]
    assert (lead["requests"], lead["failed"], lead["input"], lead["cached"], lead["session"]) == (2, 1, 20, 4, "s")
    assert (lead["first"], lead["last"]) == (NOON + 60_000, NOON + 120_000)
    assert (sub["agent"], sub["session"]) == ("codex_exec", "s")
    assert (plan["paid"], plan["plan"]) == (0, 0.04)
    assert history.conversations(Span(NOON + 150_000, NOON + 200_000))["matches"] == 1
    assert len(history.conversations(ALWAYS, 1)["rows"]) == 1
    history.close()


def test_search_of_more_than_are_counted_turns_its_pages(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_oauthrouter.telemetry.history._COUNTED", 5)
    write(path, *(event(number, status=500 if number % 2 else 200) for number in range(20)))
    history = TraceHistory(path)
    history.catch_up()
    for text in ("", "haiku", "failed:true", "-codex latency:>1", "haiku failed:true"):
        conditions = parse_search(text)
        seen: list[str] = []
        before = None
        while True:
            answer = history.search(conditions, ALWAYS, 3, before)
            assert (answer["matches"], answer["counted"]) == (5, False)
            if not answer["rows"]:
                break
            seen += [row["id"] for row in answer["rows"]]
            before = answer["rows"][-1]["seq"]
        wanted = [number for number in reversed(range(20)) if "failed" not in text or number % 2]
        assert seen == [f"req-{number}" for number in wanted if "latency" not in text or number]
    history.close()


def test_summary_is_exact_at_both_ends_and_says_when(path: Path) -> None:
    at = [NOON - 1, NOON, NOON + HOUR // 2, NOON + HOUR, NOON + 3 * HOUR - 1, NOON + 3 * HOUR]
    write(path, *(event(number, ts=moment) for number, moment in enumerate(at)))
    history = TraceHistory(path)
    history.catch_up()
    for since, until in [(0, 6), (1, 5), (2, 5), (2, 4), (3, 4), (4, 4), (1, 6), (0, 1)]:
        span = Span(at[since], at[until] if until < len(at) else NOON * 2)
        assert history.summary(span)["total"]["requests"] == until - since, (since, until)
        assert sum(point["requests"] for point in history.summary(span)["points"]) == until - since, (since, until)
    history.close()


@pytest.mark.parametrize(
    ("hours", "step", "points"),
    [(1, 60_000, 60), (2, 60_000, 120), (24, 15 * 60_000, 96), (48, HOUR, 48), (7 * 24, 3 * HOUR, 56), (30 * 24, 12 * HOUR, 60)],
)
def test_summary_points_are_as_fine_as_the_span_is_short(history: TraceHistory, hours: int, step: int, points: int) -> None:
    told = history.summary(Span(NOON, NOON + hours * HOUR))
    assert (told["step"], len(told["points"])) == (step, points)
    assert sum(point["requests"] for point in told["points"]) == 5


@pytest.mark.parametrize("span", [Span(0, 1 << 50), Span(NOON, NOON - 5), Span(0, 0), Span(NOON, NOON)])
def test_summary_of_odd_spans(history: TraceHistory, span: Span) -> None:
    told = history.summary(span)
    assert 1 <= len(told["points"]) <= 700
    assert told["total"]["requests"] == (5 if span.until > NOON + HOUR else 0)


def test_summary_tells_refused_from_failed_extra_from_paid_and_the_latest_times(path: Path) -> None:
    write(
        path,
        event(1, status=429, latencyMs=5.0),
        event(2, status=503),
        event(3, paidBy="extra", firstTokenMs=70.0),
        event(4, subscription=True, paidBy="plan", routingConfidence=0.9),
    )
    history = TraceHistory(path)
    history.catch_up()
    told = history.summary(ALWAYS)
    total = told["total"]
    assert (total["failed"], total["refused"]) == (2, 1)
    assert (total["paid"], total["extra"], total["plan"]) == (pytest.approx(0.06), pytest.approx(0.03), pytest.approx(0.04))
    assert told["latest"] == {"first": [70.0], "whole": [300.0, 400.0]}
    [row, *_] = history.search([], ALWAYS, 1)["rows"]
    assert (row["confidence"], row["first"]) == (0.9, None)
    history.close()


def test_users_of_each_model(history: TraceHistory) -> None:
    assert history.users(ALWAYS) == {
        "anthropic/claude-haiku-5-5": [
            {"client": "default", "agent": "claude-cli", "requests": 3},
            {"client": "100%_laptop", "agent": "claude-cli", "requests": 1},
        ],
        "openai-codex/gpt-6.1-sol": [{"client": "default", "agent": "codex_exec", "requests": 1}],
    }
    assert history.users(Span(0, NOON)) == {}
