"""Vendors that refuse what the real ones refuse: tools on Chat Completions, models that are gone, parameters that nobody knows."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.answers import Answer, play
from tests.support.conversations import CHAT, MESSAGES, PATHS, RESPONSES, Call, Json
from tests.support.upstream import Play, ScriptedUpstream, Seen

WEATHER = Call("call_1", "get_weather", '{"city":"Oslo"}')

_FIELDS: Mapping[str, frozenset[str]] = {
    CHAT: frozenset(
        [
            "model",
            "messages",
            "stream",
            "stream_options",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "max_tokens",
            "max_completion_tokens",
            "reasoning_effort",
            "response_format",
            "user",
            "prompt_cache_key",
            "store",
        ]
    ),
    RESPONSES: frozenset(
        [
            "model",
            "input",
            "instructions",
            "stream",
            "store",
            "include",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "max_output_tokens",
            "reasoning",
            "text",
            "user",
            "prompt_cache_key",
            "prompt_cache_retention",
            "truncation",
        ]
    ),
    MESSAGES: frozenset(
        ["model", "messages", "system", "stream", "tools", "tool_choice", "max_tokens", "thinking", "output_config", "metadata"]
    ),
}


@dataclass(frozen=True)
class Vendor:
    """What one vendor serves.

    :ivar models: ids that exist
    :ivar paths: path -> the dialect spoken there
    :ivar no_tools: models that refuse tools, by dialect
    :ivar gone: the answer to an id that does not exist: status and message
    :ivar fields: body fields that it knows, by dialect
    """

    models: Collection[str]
    paths: Mapping[str, str]
    no_tools: Mapping[str, Collection[str]] = field(default_factory=dict)
    gone: tuple[int, str] = (404, "The model does not exist")
    fields: Mapping[str, frozenset[str]] = field(default_factory=lambda: _FIELDS)


OPENAI = Vendor(
    models={
        "gpt-6-luna",
        "gpt-6.1-terra",
        "gpt-6.1-sol",
        "gpt-6.2-sol",
        "gpt-6-astra",
        "gpt-5.4-mini",
        "gpt-5.3-codex",
        "gpt-4.1",
    },
    paths={PATHS[CHAT]: CHAT, PATHS[RESPONSES]: RESPONSES},
    no_tools={
        CHAT: {"gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol", "gpt-6.2-sol", "gpt-6-astra", "gpt-5.4-mini", "gpt-5.3-codex"}
    },
)
DEEPSEEK = Vendor(
    models={"deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"},
    paths={PATHS[CHAT]: CHAT},
    gone=(400, "Model Not Exist"),
    fields={
        CHAT: frozenset(
            [
                "model",
                "messages",
                "stream",
                "stream_options",
                "tools",
                "tool_choice",
                "max_tokens",
                "response_format",
                "thinking",
                "reasoning_effort",
            ]
        )
    },
)
CHATGPT = Vendor(models={"gpt-6-luna", "gpt-6.1-terra", "gpt-6.2-sol"}, paths={PATHS[RESPONSES]: RESPONSES})
ANTHROPIC = Vendor(models={"claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"}, paths={PATHS[MESSAGES]: MESSAGES})
GEMINI_COMPATIBLE = Vendor(
    models={"gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-4-argon"},
    paths={"/v1beta/openai/chat/completions": CHAT},
)


class StrictVendor(ScriptedUpstream):
    """Answers as a vendor would.

    :ivar refused: what it refused, in words
    """

    def __init__(self, vendor: Vendor, *, lists_models: bool = True) -> None:
        super().__init__()
        self.vendor = vendor
        self.refused: list[str] = []
        if lists_models:
            raw = json.dumps(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in sorted(vendor.models)]}
            ).encode()
            self.models = (
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
                % (len(raw), raw)
            )

    def choose(self, seen: Seen) -> Play:
        """What the vendor says to a request."""
        problem = self._problem(seen)
        if problem is not None:
            status, words = problem
            self.refused.append(f"{seen.path} {seen.body and seen.body.get('model')}: {words}")
            return Play.json({"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}}, status)
        dialect = self.vendor.paths[seen.path]
        answer = Answer(calls=(WEATHER,), finish="tool_call") if seen.body.get("tools") else Answer("Hello.")
        return play(dialect, answer, stream=bool(seen.body.get("stream")))

    def _problem(self, seen: Seen) -> tuple[int, str] | None:
        dialect = self.vendor.paths.get(seen.path)
        if dialect is None:
            return 404, f"Invalid URL (POST {seen.path})"
        body: Json = seen.body
        if body["model"] not in self.vendor.models:
            return self.vendor.gone
        unknown = sorted(body.keys() - self.vendor.fields[dialect])
        if unknown:
            return 400, f"Unknown parameter: '{unknown[0]}'."
        if _uses_tools(body) and body["model"] in self.vendor.no_tools.get(dialect, ()):
            return 400, (
                f"Function tools with reasoning_effort are not supported for {body['model']} in /v1/chat/completions. "
                "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
            )
        return None


def _uses_tools(body: Json) -> bool:
    messages: list[Any] = body.get("messages", [])
    return bool(body.get("tools")) or any(isinstance(item, dict) and item.get("role") == "tool" for item in messages)
