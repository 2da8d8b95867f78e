"""However much a client or a provider says, a record stays small, and so do the metrics."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from openclaw_oauthrouter.telemetry.prometheus import MOST_NAMES
from openclaw_oauthrouter.telemetry.public import public_record
from openclaw_oauthrouter.telemetry.record_bounds import bound

LONG = "x" * 3_000_000


def test_bound_cuts_every_text_of_a_record() -> None:
    record = RequestRecord("r", 0.0, LONG, "POST", user_agent=LONG, session_key=LONG, traceparent=LONG, error_message=LONG)
    record.model_requested = record.model_resolved = record.model_answered = record.finish_reason = LONG
    record.prompt_text = LONG
    record.notes = [Note("dropped", LONG, LONG) for _ in range(5_000)]
    record.attempts = [Attempt("p", "m", None, "", reason=LONG) for _ in range(500)]
    record.features = {"tool_names": tuple(LONG[:300] for _ in range(20_000)), "text_length": 7, "effort": LONG}
    bound(record)
    assert len(orjson.dumps(public_record(record, prompts=True))) < 400_000
    assert record.features["text_length"] == 7


def test_metrics_of_models_without_number_are_counted_as_other() -> None:
    metrics = RequestMetrics()
    for number in range(3 * MOST_NAMES):
        record = RequestRecord("r", 0.0, "/", "POST", provider="house", model_answered=f"house/m-{number}", status=200)
        record.seconds = 1.0
        metrics.receive(record)
    page = metrics.render().decode()
    assert page.count("\n") < 60 * MOST_NAMES
    assert 'model="other"' in page
