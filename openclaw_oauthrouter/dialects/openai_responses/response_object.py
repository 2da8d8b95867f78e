"""The ``response`` object that begins, accompanies and ends an answer."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.events import ResponseFinished
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_responses.usage import encode_usage
from openclaw_oauthrouter.errors import OAuthRouterError

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
