"""The dialect's name and limits, flat names of grouped tools, token counts, and the ``response`` object around an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.events import ResponseFinished
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, reported_cost, token_count

DIALECT = "openai_responses"

MAX_ID = 64
"""Longest id of an item, and of a call, that the API takes."""


COMPACTIONS = ("compaction", "compaction_summary", "context_compaction")
"""Types of the item that stands for what a conversation was before it was compacted; by clients' ages."""


def is_compaction(body: FrozenObject) -> bool:
    """Whether the client asks for a compaction of the conversation instead of an answer (Codex CLI: ``compaction_trigger`` at its end)."""
    items = body.get("input")
    last = items[-1] if isinstance(items, list) and items else None
    return isinstance(last, dict) and last.get("type") == "compaction_trigger"


def wire_call_id(call_id: str) -> str:
    """A call id the API accepts; the same id always becomes the same, so calls and answers still meet."""
    return call_id if 0 < len(call_id) <= MAX_ID else f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def flat_name(namespace: str, name: str) -> str:
    """The name under which other dialects see a tool of a ``namespace`` group."""
    return f"{namespace}__{name}"


BILLED_TOOLS = ("web_search_call", "file_search_call", "code_interpreter_call")
"""Output items of tools that OpenAI runs and bills by the use; ``response.usage`` does not count them."""


def decode_usage(usage: FrozenObject, service_tier: str | None = None, tools: Mapping[str, int] | None = None) -> Usage:
    """Read ``response.usage``; what is missing counts as nothing.

    :param tools: how many output items there were of each of ``BILLED_TOOLS``
    """
    uses = tools or {}
    prompt = usage.get("input_tokens_details")
    answer = usage.get("output_tokens_details")
    return Usage(
        input_tokens=token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_input_tokens=token_count(prompt, "cached_tokens"),
        cache_creation_input_tokens=token_count(prompt, "cache_write_tokens"),
        reasoning_output_tokens=token_count(answer, "reasoning_tokens"),
        service_tier=service_tier,
        web_search_requests=uses.get("web_search_call", 0),
        file_search_requests=uses.get("file_search_call", 0),
        code_execution_requests=uses.get("code_interpreter_call", 0),
        provider_cost=reported_cost(usage),
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

    def failed(self, fault: JsonObject) -> JsonObject:
        """When the answer breaks off.

        :param fault: see ``errors.encode_fault``
        """
        return {**self._write("failed"), "error": fault}

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
