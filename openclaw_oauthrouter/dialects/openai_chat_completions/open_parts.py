"""How each kind of part looks while it streams to a Chat Completions client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import orjson

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import PartKind, PartStarted
from openclaw_oauthrouter.canonical.free_text import custom_names, unwrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.dialects.openai_chat_completions.chunks import ChunkTemplate
from openclaw_oauthrouter.dialects.openai_chat_completions.reasoning import encode_block
from openclaw_oauthrouter.dialects.openai_chat_completions.requests_in import answers_by_function_call


class OpenPart(Protocol):
    """A part that has begun."""

    def start(self) -> bytes:
        """Chunks due at its beginning."""

    def delta(self, text: str) -> bytes:
        """Chunks for more of it."""

    def finish(self, opaque: Opaque | None) -> bytes:
        """Chunks due at its end."""


class Tools:
    """What the encoder must know of the client's tools, and the numbers its calls and thinking blocks get."""

    def __init__(self, request: ChatRequest) -> None:
        self.custom = custom_names(request)
        self.legacy = answers_by_function_call(request)
        self.calls = 0
        self.blocks = 0

    def next_call(self) -> int:
        """The index of the next tool call: dense, from 0."""
        self.calls += 1
        return self.calls - 1

    def next_block(self) -> int:
        """The index of the next thinking block."""
        self.blocks += 1
        return self.blocks - 1

    def finish_reason(self, word: str) -> str:
        """The word for the end, in the deprecated spelling where the client uses that."""
        return "function_call" if self.legacy and word == "tool_calls" else word


def open_part(event: PartStarted, template: ChunkTemplate, tools: Tools) -> OpenPart:
    """The encoder of one part."""
    return _KINDS[event.kind](event, template, tools)


class _Prose:
    """Text or refusal: each delta is a chunk."""

    def __init__(self, template: ChunkTemplate, field: bytes) -> None:
        self._before, self._after = template.around(field)

    def start(self) -> bytes:
        return b""

    def delta(self, text: str) -> bytes:
        return self._before + orjson.dumps(text) + self._after

    def finish(self, opaque: Opaque | None) -> bytes:
        return b""


class _Reasoning(_Prose):
    """Reasoning: words as they come, then, if its maker sealed it, the whole block for the client to send back."""

    def __init__(self, template: ChunkTemplate, tools: Tools) -> None:
        super().__init__(template, b'{"reasoning_content":')
        self._template, self._tools = template, tools
        self._words: list[str] = []

    def delta(self, text: str) -> bytes:
        self._words.append(text)
        return super().delta(text)

    def finish(self, opaque: Opaque | None) -> bytes:
        if opaque is None:
            return b""
        # SDKs join lists of deltas by the entries' index and fail on entries without one.
        block = {"index": self._tools.next_block(), **encode_block("".join(self._words), opaque)}
        return self._template.delta({"thinking_blocks": [block]})


class _Call:
    """A tool call with JSON arguments."""

    def __init__(self, event: PartStarted, template: ChunkTemplate, tools: Tools) -> None:
        self._template = template
        self._legacy = tools.legacy
        self._index = tools.next_call()
        self._id, self._name = event.id or "", event.name or ""
        self._empty = True
        field = b'{"function_call":{"arguments":'
        if not tools.legacy:
            field = b'{"tool_calls":[{"index":%d,"function":{"arguments":' % self._index
        self._before, self._after = template.around(field)

    def start(self) -> bytes:
        function = {"name": self._name, "arguments": ""}
        if self._legacy:
            return self._template.delta({"function_call": function})
        head = {"index": self._index, "id": self._id, "type": "function", "function": function}
        return self._template.delta({"tool_calls": [head]})

    def delta(self, text: str) -> bytes:
        self._empty = False
        return self._before + orjson.dumps(text) + self._after

    def finish(self, opaque: Opaque | None) -> bytes:
        # A call without arguments may stream none at all; "" is not JSON.
        return self.delta("{}") if self._empty else b""


class _CustomCall:
    """A call of a tool that takes free text.

    :param wrapped: the upstream only knows JSON arguments, so the text is held back until it can be taken out of them
    """

    def __init__(self, event: PartStarted, template: ChunkTemplate, tools: Tools, *, wrapped: bool) -> None:
        self._template, self._wrapped = template, wrapped
        self._index = tools.next_call()
        self._id, self._name = event.id or "", event.name or ""
        self._held: list[str] = []
        self._before, self._after = template.around(b'{"tool_calls":[{"index":%d,"custom":{"input":' % self._index)

    def start(self) -> bytes:
        head: JsonObject = {"index": self._index, "id": self._id, "type": "custom", "custom": {"name": self._name, "input": ""}}
        return self._template.delta({"tool_calls": [head]})

    def delta(self, text: str) -> bytes:
        if self._wrapped:
            self._held.append(text)
            return b""
        return self._before + orjson.dumps(text) + self._after

    def finish(self, opaque: Opaque | None) -> bytes:
        if not self._held:
            return b""
        return self._before + orjson.dumps(unwrap_input("".join(self._held))) + self._after


class _Silent:
    """A block only the upstream's own dialect has a word for."""

    def start(self) -> bytes:
        return b""

    def delta(self, text: str) -> bytes:
        return b""

    def finish(self, opaque: Opaque | None) -> bytes:
        return b""


def _tool_call(event: PartStarted, template: ChunkTemplate, tools: Tools) -> OpenPart:
    if tools.legacy and tools.calls:
        return _Silent()  # ``function_call`` has room for one
    if event.custom or event.name in tools.custom:
        return _CustomCall(event, template, tools, wrapped=not event.custom)
    return _Call(event, template, tools)


_KINDS: dict[PartKind, Callable[[PartStarted, ChunkTemplate, Tools], OpenPart]] = {
    "text": lambda _, template, __: _Prose(template, b'{"content":'),
    "refusal": lambda _, template, __: _Prose(template, b'{"refusal":'),
    "reasoning": lambda _, template, tools: _Reasoning(template, tools),
    "tool_call": _tool_call,
    "native": lambda _, __, ___: _Silent(),
}
