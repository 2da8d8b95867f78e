"""Cuts what a record holds of a client's own words: one request must not fill the ring, the trace file or the metrics."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from openclaw_oauthrouter.canonical.trace import RequestRecord

MOST_TEXT = 256
"""Characters of a name that a client or a provider made up."""

MOST_WORDS = 2_000
"""Characters of an error's message."""

MOST_PROMPT = 20_000
"""Characters of a prompt, where ``telemetry.prompts`` is on."""

MOST_ENTRIES = 100
"""Notes, attempts and tool names of one record."""

_NAMES = (
    "path",
    "method",
    "user_agent",
    "session_key",
    "model_requested",
    "model_resolved",
    "model_answered",
    "upstream_url",
    "error_type",
    "finish_reason",
    "traceparent",
)
_names_of = attrgetter(*_NAMES)


def bound(record: RequestRecord) -> None:
    """Cut a finished record to size, in place."""
    for name in _NAMES if len("".join(filter(None, _names_of(record)))) > MOST_TEXT else ():
        value = getattr(record, name)
        if value is not None and len(value) > MOST_TEXT:
            setattr(record, name, value[:MOST_TEXT])
    if record.error_message is not None:
        record.error_message = record.error_message[:MOST_WORDS]
    if record.prompt_text is not None:
        record.prompt_text = record.prompt_text[:MOST_PROMPT]
    if record.notes:
        record.notes = [
            replace(note, subject=note.subject[:MOST_TEXT], reason=note.reason[:MOST_TEXT])
            for note in record.notes[:MOST_ENTRIES]
        ]
    for attempt in record.attempts:
        if attempt.reason is not None:
            attempt.reason = attempt.reason[:MOST_WORDS]
    del record.attempts[MOST_ENTRIES:]
    if record.features is not None:
        record.features = {name: value if type(value) in _SHORT else _bounded(value) for name, value in record.features.items()}


_SHORT = frozenset((bool, int, float, type(None)))
"""Kinds of values that have no length."""


def _bounded(value: object) -> object:
    if isinstance(value, str):
        return value[:MOST_TEXT]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_bounded(entry) for entry in list(value)[:MOST_ENTRIES]]
    return value
