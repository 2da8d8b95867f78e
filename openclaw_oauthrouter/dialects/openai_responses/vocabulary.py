"""The dialect's name, its limits, its token counts, and the ``response`` object that begins, accompanies and ends an answer."""

from __future__ import annotations

import hashlib

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.events import ResponseFinished
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, token_count
from openclaw_oauthrouter.errors import OAuthRouterError

DIALECT = "openai_responses"

MAX_CALL_ID = 64
"""Longest call id the API takes."""


def wire_call_id(call_id: str) -> str:
    """A call id the API accepts; the same id always becomes the same, so calls and answers still meet."""
    return call_id if 0 < len(call_id) <= MAX_CALL_ID else f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def flat_name(namespace: str, name: str) -> str:
    """The name under which other dialects see a tool of a ``namespace`` group."""
    return f"{namespace}__{name}"


def decode_usage(usage: FrozenObject, service_tier: str | None = None) -> Usage:
    """Read ``response.usage``; what is missing counts as nothing."""
    prompt = usage.get("input_tokens_details")
    answer = usage.get("output_tokens_details")
    return Usage(
        input_tokens=token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_input_tokens=token_count(prompt, "cached_tokens"),
        cache_creation_input_tokens=token_count(prompt, "cache_write_tokens"),
        reasoning_output_tokens=token_count(answer, "reasoning_tokens"),
        service_tier=service_tier,
    )


def encode_usage(usage: Usage) -> JsonObject:
    """Write ``response.usage``."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_input_tokens,
            "cache_write_tokens": usage.cache_creation_input_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_output_tokens},
        "total_tokens": usage.total_tokens,
    }


_ECHOED: dict[str, object] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "reasoning": None,
    "service_tier": None,
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""Request fields the API repeats in every response object, with what it says where the client said nothing."""

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

_CODES = {
    "rate_limit_error": "rate_limit_exceeded",
    "insufficient_quota": "insufficient_quota",
    "invalid_request_error": "invalid_prompt",
    "server_error": "server_error",
    "context_length_exceeded": "context_length_exceeded",
}
"""Type of an error -> the code a client knows it by: Codex CLI decides by it whether to try again."""

_KNOWN_CODES = frozenset({*_CODES.values(), "server_is_overloaded", "slow_down", "usage_not_included"})
"""Codes of OpenAI's own backends that are passed on as they are."""


class ResponseObject:
    """Written anew for each stage of the answer."""

    def __init__(self, body: FrozenObject, model: str, clock: Clock, new_id: NewId) -> None:
        self._id = f"resp_{new_id()}"
        self._model = model
        self._clock = clock
        self._created_at = int(clock())
        echoed = {name: default if body.get(name) is None else body[name] for name, default in _ECHOED.items()}
        self._fixed: JsonObject = {**echoed, "background": False, "previous_response_id": None, "store": False}

    def identify(self, id: str) -> None:
        """Take over the provider's id."""
        self._id = id

    def in_progress(self) -> JsonObject:
        """While the answer is being written."""
        return self._write("in_progress")

    def finished(self, finished: ResponseFinished, output: list[JsonObject], usage: Usage) -> JsonObject:
        """At the end: ``completed``, or ``incomplete`` with the reason."""
        reason = _INCOMPLETE.get(finished.finish_reason)
        return {
            **self._write("completed" if reason is None else "incomplete"),
            "completed_at": int(self._clock()) if reason is None else None,
            "incomplete_details": None if reason is None else {"reason": reason},
            "output": output,
            "usage": encode_usage(usage),
            "service_tier": usage.service_tier or self._fixed["service_tier"],
        }

    def failed(self, error: OAuthRouterError) -> JsonObject:
        """When the answer breaks off."""
        code = error.code if error.code in _KNOWN_CODES else _CODES.get(error.error_type, "server_error")
        return {**self._write("failed"), "error": {"code": code, "message": error.message}}

    def _write(self, status: str) -> JsonObject:
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created_at,
            "status": status,
            "model": self._model,
            "output": [],
            "error": None,
            "incomplete_details": None,
            "usage": None,
            **self._fixed,
        }
