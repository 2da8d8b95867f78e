"""Whatever an upstream does at whatever moment: the client ends in time with a right answer or a right error, and nothing is left over.

``OAUTHROUTER_FAULTS=thorough`` plays every cut at every byte (38 000 cases, five minutes) instead of the usual 2 400.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.answers import PROVIDERS
from tests.faults.arena import Case, Outcome, all_cases, play_all

THOROUGH = os.environ.get("OAUTHROUTER_FAULTS") == "thorough"

pytestmark = pytest.mark.timeout(3600 if THOROUGH else 120)


@dataclass(frozen=True)
class Played:
    """All cases, how they ended, and the ledger they left."""

    cases: list[Case]
    outcome: Outcome
    ledger: Path


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    home = tmp_path_factory.mktemp("faults")
    cases = all_cases(thorough=THOROUGH)
    outcome = asyncio.run(play_all(cases, home))
    ends = ", ".join(f"{count} {end}" for end, count in sorted(outcome.ends.items()))
    print(f"\nfaults: {len(cases)} cases: {ends}; {outcome.ends['hang']} hangs, {outcome.ends['loss']} losses")
    return Played(cases, outcome, home / "ledger.sqlite3")


def test_faults_no_client_hangs_or_takes_a_piece_for_the_whole(played: Played) -> None:
    shown = "\n".join(played.outcome.wrong[:20])
    assert not played.outcome.wrong, f"{len(played.outcome.wrong)} of {len(played.cases)}:\n{shown}"


def test_faults_without_damage_every_pair_of_dialects_gives_the_answer(played: Played) -> None:
    undamaged = [case for case in played.cases if case.damage == "nothing"]
    assert len(undamaged) == 18
    assert {played.outcome.by_case[case.number] for case in undamaged} == {"answer"}


def test_faults_stream_that_breaks_after_its_first_words_is_ended_by_an_error(played: Played) -> None:
    for case in played.cases:
        if case.stream and case.damage == "cut after 6":
            assert played.outcome.by_case[case.number] == "error in the stream", case


def test_faults_what_breaks_after_the_answer_is_complete_is_not_felt(played: Played) -> None:
    for case in played.cases:
        complete = PROVIDERS[case.provider].complete_after
        if case.damage in (f"end after {complete}", f"end after {len(PROVIDERS[case.provider].events)}"):
            assert played.outcome.by_case[case.number] == "answer", case


def test_faults_every_request_leaves_one_record(played: Played) -> None:
    records = played.outcome.records
    assert len(records) == len({record.request_id for record in records}) == len(played.cases)
    for record in records:
        assert record.status is not None
        assert (record.error_type is None) == (record.finish_reason is not None), record


def test_faults_no_upstream_connection_is_left_at_work(played: Played) -> None:
    assert played.outcome.still_playing == []


def test_spending_is_settled(played: Played) -> None:
    """Nothing stays set aside; what was answered is counted, and so is what left for a provider and came back broken."""
    answered = [record.usage for record in played.outcome.records if record.usage is not None]
    with closing(sqlite3.connect(played.ledger)) as ledger:
        (held,) = ledger.execute("SELECT count(*) FROM held").fetchone()
        requests, input_tokens, output_tokens = ledger.execute(
            "SELECT sum(requests), sum(input_tokens), sum(output_tokens) FROM used"
        ).fetchone()
    assert held == 0
    assert len(answered) <= requests <= len(played.cases)
    assert input_tokens >= sum(usage.input_tokens for usage in answered)
    assert output_tokens >= sum(usage.output_tokens for usage in answered)
