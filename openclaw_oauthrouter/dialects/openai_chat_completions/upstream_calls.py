"""Tool calls of an upstream stream: which of the open calls a fragment belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from openclaw_oauthrouter.canonical.events import PartDelta, PartStarted, StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject, string


@dataclass(slots=True)
class UpstreamCall:
    """One call.

    :ivar held: argument text that came before the tool's name
    """

    index: int
    id: str
    custom: bool
    name: str = ""
    started: bool = False
    held: list[str] = field(default_factory=list)

    def receive(self, fragment: FrozenObject) -> Iterator[StreamEvent]:
        """Take the next fragment; the call opens as soon as its name is known."""
        spec = fragment.get("function") or fragment.get("custom") or {}
        text = argument_text(spec.get("arguments", spec.get("input")))
        if not self.started:
            self.name = string(spec.get("name") or "")
            if not self.name:
                self.held.append(text)
                return
            self.started = True
            yield PartStarted(self.index, "tool_call", id=self.id, name=self.name, custom=self.custom)
            text = "".join((*self.held, text))
        if text:
            yield PartDelta(self.index, text)


def argument_text(arguments: object) -> str:
    """Arguments as text; some servers send them as the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else orjson.dumps(arguments).decode()


class UpstreamCalls:
    """The calls of one answer, found by whatever the upstream tells them apart by."""

    def __init__(self) -> None:
        self._calls: dict[object, UpstreamCall] = {}
        self._last: object = None

    def __iter__(self) -> Iterator[UpstreamCall]:
        return iter(self._calls.values())

    def nameless(self) -> bool:
        """Whether there are arguments for a tool that nobody has named."""
        return any(not call.started and any(call.held) for call in self)

    def find(self, fragment: FrozenObject) -> UpstreamCall | None:
        """The open call a fragment continues; ``None`` if it begins a new one."""
        key = self._key(fragment)
        call = self._calls.get(key)
        # Some servers number every parallel call 0; a new id together with a name is a new call all the same.
        if call is not None and _begins_another(fragment, call):
            return None
        return call

    def add(self, fragment: FrozenObject, index: int, default_id: str) -> UpstreamCall:
        """Open a call.

        :param index: of its canonical part
        :param default_id: its id if the upstream gives none
        """
        key = self._key(fragment)
        if key in self._calls:
            self._calls[("replaced", index)] = self._calls.pop(key)
        call = UpstreamCall(index, str(fragment.get("id") or default_id), custom=fragment.get("custom") is not None)
        self._calls[key] = call
        self._last = key
        return call

    def _key(self, fragment: FrozenObject) -> object:
        index = fragment.get("index")
        if index is not None:
            return index
        return fragment.get("id") or self._last


def _begins_another(fragment: FrozenObject, call: UpstreamCall) -> bool:
    spec = fragment.get("function") or fragment.get("custom") or {}
    if not call.started or not spec.get("name"):
        return False
    id_ = fragment.get("id")
    return id_ != call.id if id_ else fragment.get("index") is None
