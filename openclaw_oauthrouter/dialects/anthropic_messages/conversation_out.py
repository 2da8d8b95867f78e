"""Lays a conversation out as the Messages API wants it: system apart, turns merged, tool results first, tool calls last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from openclaw_oauthrouter.canonical.content import Part, ReasoningPart, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Message
from openclaw_oauthrouter.dialects.anthropic_messages.blocks_out import PartWriter
from openclaw_oauthrouter.errors import InvalidRequestError

EMPTY_TURN = "(empty message)"
"""Stands in for a user's turn without words, which the API refuses."""

# Thinking opens a turn of the assistant and nothing may follow its calls; a turn of the user opens with the results of those calls.
_RANK: dict[type, int] = {ReasoningPart: -1, ToolCallResponsePart: -1, ToolCallPart: 1}


def lay_out(
    messages: Sequence[Message], writer: PartWriter, *, system_in_place: bool
) -> tuple[list[JsonObject], list[JsonObject]]:
    """The ``system`` blocks and the ``messages`` of a repaired conversation.

    :param system_in_place: leave system messages where they stand in the conversation instead of moving them all to the front
    :raises InvalidRequestError: there is nothing but system messages
    """
    leading = next((at for at, message in enumerate(messages) if message.role != "system"), len(messages))
    if leading == len(messages):
        raise InvalidRequestError("the conversation needs at least one message that is not a system message", param="messages")
    ahead, turns = list(messages[:leading]), list(messages[leading:])
    if not system_in_place:
        ahead += [message for message in turns if message.role == "system"]
        turns = [message for message in turns if message.role != "system"]
    wire: list[JsonObject] = []
    for role, same in groupby(turns, key=lambda message: message.role):
        content = _content(role, same, writer)
        if not content:
            continue
        if wire and wire[-1]["role"] == role:
            wire[-1]["content"] += content
        else:
            wire.append({"role": role, "content": content})
    return _system(ahead, writer), wire


def _content(role: str, messages: Iterable[Message], writer: PartWriter) -> list[JsonObject]:
    parts = [part for message in messages for part in message.parts]
    if role != "system":
        parts.sort(key=_rank)
    blocks = writer.write(parts)
    if any(block.get("type") != "text" or block["text"].strip() for block in blocks):
        return blocks
    return [{"type": "text", "text": EMPTY_TURN}] if role == "user" else []


def _rank(part: Part) -> int:
    return _RANK.get(type(part), 0)


def _system(messages: Iterable[Message], writer: PartWriter) -> list[JsonObject]:
    return writer.write([part for message in messages for part in message.parts if isinstance(part, TextPart)])
