"""Why an answer ended, both ways."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.events import FinishReason, ResponseFinished
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject

_IN: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "pause_turn": "pause",
}
_OUT: dict[FinishReason, str] = {
    "stop": "end_turn",
    "tool_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
    "pause": "pause_turn",
}


def decode_finish(wire: FrozenObject) -> ResponseFinished:
    """Read ``stop_reason`` and its companions; a reason not known (or none) is an ordinary stop."""
    details = wire.get("stop_details")
    return ResponseFinished(
        _IN.get(str(wire.get("stop_reason")), "stop"),
        stop_sequence=_words(wire.get("stop_sequence")),
        explanation=_words(details.get("explanation")) if isinstance(details, dict) else None,
    )


def _words(value: object) -> str | None:
    # The answer is complete by now: no reason to lose it over what merely goes with its end.
    return value if isinstance(value, str) else None


def encode_finish(reason: FinishReason, stop_sequence: str | None, explanation: str | None) -> JsonObject:
    """Write ``stop_reason`` and its companions."""
    stopped_by_string = reason == "stop" and stop_sequence is not None
    wire: JsonObject = {
        "stop_reason": "stop_sequence" if stopped_by_string else _OUT[reason],
        "stop_sequence": stop_sequence,
    }
    if reason == "content_filter":
        wire["stop_details"] = {"type": "refusal", "category": None, "explanation": explanation}
    return wire
