"""The words of the Messages API, both ways: names, ids, reasons to stop, token counts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from typing import Any

from openclaw_oauthrouter.canonical.content import CacheMark
from openclaw_oauthrouter.canonical.events import FinishReason, ResponseFinished
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.usage import Usage, token_count
from openclaw_oauthrouter.wire.json_fields import JsonFields

DIALECT = "anthropic_messages"
CONTENT_TYPE = "text/event-stream"

# ---------------------------------------------------------------------------------------------------------- names and ids

MAX_TOOL_NAME = 128
MAX_CALL_ID = 64
_FORBIDDEN = lazily(r"[^a-zA-Z0-9_-]")


class WireNames:
    """Names as the provider takes them (letters, digits, ``_`` and ``-``), all different, the same each time, found again afterwards.

    :param limit: longest wire form
    :ivar known: name -> wire form, of all that have one; for readers only
    """

    __slots__ = ("_limit", "_taken", "known")

    def __init__(self, limit: int = MAX_TOOL_NAME) -> None:
        self._limit = limit
        self.known: dict[str, str] = {}
        self._taken: set[str] = set()

    def add(self, name: str) -> str:
        """The wire form of a name."""
        wire = self.known.get(name)
        if wire is None:
            wire = _spelt(name[: self._limit]) or "_"
            if wire in self._taken:
                wire = self._free(wire)
            self.known[name] = wire
            self._taken.add(wire)
        return wire

    def take(self, known: Mapping[str, str]) -> None:
        """Give names the wire forms that they got elsewhere, before any is given here."""
        self.known.update(known)
        self._taken.update(known.values())

    def changed(self) -> dict[str, str]:
        """Wire form -> name, where they differ."""
        return {wire: name for name, wire in self.known.items() if wire != name} if self.known else {}

    def _free(self, wanted: str) -> str:
        suffixed = (wanted[: self._limit - len(suffix)] + suffix for suffix in (f"_{number}" for number in count(2)))
        return next(candidate for candidate in suffixed if candidate not in self._taken)


@lru_cache(maxsize=2048)
def _spelt(name: str) -> str:
    return _FORBIDDEN.sub("_", name)


@lru_cache(maxsize=1024)
def model_id(model: str) -> str:
    """A model id without provider prefix, version dots written as dashes: ``anthropic/claude-opus-4.6`` -> ``claude-opus-4-6``."""
    bare = model.rpartition("/")[2]
    return bare.replace(".", "-") if bare.startswith("claude-") else bare


def message_id(id_: str) -> str:
    """An id as clients of this dialect expect it."""
    return id_ if id_.startswith("msg_") else f"msg_{id_}"


# ------------------------------------------------------------------------------------------------------- reasons to stop

_FINISH_IN: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "pause_turn": "pause",
}
_FINISH_OUT: dict[FinishReason, str] = {
    "stop": "end_turn",
    "tool_call": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
    "pause": "pause_turn",
}


def decode_finish(wire: FrozenObject, *, called: bool) -> ResponseFinished:
    """Read ``stop_reason`` and its companions; a reason not known (or none) is an ordinary stop.

    :param called: the answer holds a call, without which there is nothing to stop for
    """
    details = wire.get("stop_details")
    reason = _FINISH_IN.get(str(wire.get("stop_reason")), "stop")
    return ResponseFinished(
        "stop" if reason == "tool_call" and not called else reason,
        stop_sequence=_words(wire.get("stop_sequence")),
        explanation=_words(details.get("explanation")) if isinstance(details, dict) else None,
    )


def _words(value: object) -> str | None:
    # The answer is complete by now: no reason to lose it over what merely goes with its end.
    return value if isinstance(value, str) else None


def encode_finish(event: ResponseFinished, *, called: bool, refused: bool) -> JsonObject:
    """Write ``stop_reason`` and its companions.

    :param called: the answer holds a call
    :param refused: it holds a refusal in words, whatever the provider gave as its reason
    """
    reason = event.finish_reason
    if reason == "tool_call" and not called:
        reason = "stop"
    if reason == "stop" and refused:
        reason = "content_filter"
    stopped_by_string = reason == "stop" and event.stop_sequence is not None
    wire: JsonObject = {
        "stop_reason": "stop_sequence" if stopped_by_string else _FINISH_OUT[reason],
        "stop_sequence": event.stop_sequence,
    }
    if reason == "content_filter":
        wire["stop_details"] = {"type": "refusal", "category": None, "explanation": event.explanation}
    return wire


# ----------------------------------------------------------------------------------------------------------- token counts

# Anthropic counts cached tokens beside ``input_tokens``, the canonical vocabulary inside.
_TIER_IN = {"standard": "default", "priority": "priority", "batch": "batch"}
_TIER_OUT = {canonical: wire for wire, canonical in _TIER_IN.items()}


def decode_usage(wire: FrozenObject) -> Usage:
    """Read a ``usage`` object; anything missing or null counts as zero."""
    created = token_count(wire, "cache_creation_input_tokens")
    read = token_count(wire, "cache_read_input_tokens")
    return Usage(
        token_count(wire, "input_tokens") + created + read,
        token_count(wire, "output_tokens"),
        read,
        created,
        **({} if _MORE_USAGE.isdisjoint(wire) else _more_usage(wire)),
    )


_MORE_USAGE = frozenset({"cache_creation", "output_tokens_details", "service_tier", "speed", "inference_geo", "server_tool_use"})


def _more_usage(wire: FrozenObject) -> dict[str, Any]:
    return {
        "cache_creation_1h_input_tokens": token_count(wire.get("cache_creation"), "ephemeral_1h_input_tokens"),
        "reasoning_output_tokens": token_count(wire.get("output_tokens_details"), "thinking_tokens"),
        "service_tier": _TIER_IN.get(str(wire.get("service_tier"))),
        "speed": _words(wire.get("speed")),
        "inference_geo": _words(wire.get("inference_geo")),
        "web_search_requests": token_count(wire.get("server_tool_use"), "web_search_requests"),
    }


def encode_usage(usage: Usage) -> JsonObject:
    """Write a ``usage`` object."""
    created = usage.cache_creation_input_tokens
    wire: JsonObject = {
        "input_tokens": max(0, usage.input_tokens - created - usage.cache_read_input_tokens),
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
    }
    if usage.cache_creation_1h_input_tokens:
        hour = usage.cache_creation_1h_input_tokens
        wire["cache_creation"] = {"ephemeral_5m_input_tokens": max(0, created - hour), "ephemeral_1h_input_tokens": hour}
    if usage.web_search_requests:
        wire["server_tool_use"] = {"web_search_requests": usage.web_search_requests}
    if usage.reasoning_output_tokens:
        wire["output_tokens_details"] = {"thinking_tokens": usage.reasoning_output_tokens}
    tier = _TIER_OUT.get(str(usage.service_tier))
    if tier is not None:
        wire["service_tier"] = tier
    return wire


# ------------------------------------------------------------------------------------------------------------ cache marks


def read_cache(block: JsonFields) -> CacheMark | None:
    """Read the ``cache_control`` of a block or tool."""
    mark = block.optional_nested("cache_control")
    return CacheMark(mark.optional_string("ttl") or "5m") if mark is not None else None


def cache_control(mark: CacheMark) -> JsonObject:
    """A cache mark in this dialect's words."""
    return {"type": "ephemeral"} if mark.ttl == "5m" else {"type": "ephemeral", "ttl": mark.ttl}
