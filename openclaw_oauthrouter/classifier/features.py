"""What a classifier may look at, drawn from a request once: above all the user's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from openclaw_oauthrouter.canonical.content import BlobPart, FilePart, Part, TextPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import RequestFeatures, Tier
from openclaw_oauthrouter.classifier.conversation import is_short
from openclaw_oauthrouter.classifier.excerpt import STRIPPED_HEAD, STRIPPED_TAIL, ends_of, excerpt_of
from openclaw_oauthrouter.interfaces import PromptWrapper

EXAMINED_TURNS = 48
"""User messages looked at from the end; older ones count as turns by holding any text."""

SYSTEM_HEAD = 4096


@dataclass(frozen=True, slots=True)
class _Turn:
    """One user message without its wrapping; ``words`` is empty when it was nothing else."""

    message: Message
    words: str
    length: int


def features_of(
    request: ChatRequest,
    *,
    prompt_wrappers: Sequence[PromptWrapper],
    conversation: str | None = None,
    previous_tier: Tier | None = None,
    input_tokens: int = 0,
) -> RequestFeatures:
    """Prepare a request for classifiers.

    The text is that of the last user message that still holds words once the hosts' wrapping is off. System prompt and tool
    definitions are carried beside it and do not count as words of the user.

    :param prompt_wrappers: wrappings to look through, all of them in order
    :param conversation: the conversation's key, if it has one
    :param previous_tier: tier of the conversation's last answer, if it is remembered
    :param input_tokens: estimate of the whole request
    """
    users = [message for message in request.messages if message.role == "user"]
    older, recent = users[:-EXAMINED_TURNS], users[-EXAMINED_TURNS:]
    turns = [_turn(message, prompt_wrappers) for message in reversed(recent)]
    spoken = [turn for turn in turns if turn.words]
    tools_images = _tools_images(turns)
    images, files = _attachments(request.messages)
    raw = next((message for message in reversed(users) if not _only_tool_results(message)), None)
    return RequestFeatures(
        text=excerpt_of(spoken[0].words) if spoken else "",
        text_length=spoken[0].length if spoken else 0,
        system_text=_system_text(request.messages),
        turn_count=len(spoken) + sum(bool(_raw_text(message)) for message in older),
        is_tool_result_turn=_ends_in_tool_results(turns),
        has_assistant_turn=any(message.role == "assistant" for message in request.messages),
        tool_names=tuple(tool.name for tool in request.tools),
        image_count=images - sum(map(_own_images, tools_images)),
        file_count=files,
        structured_output=request.response_format is not None and request.response_format.kind != "text",
        reasoning_effort=request.reasoning.effort if request.reasoning else None,
        max_output_tokens=request.max_output_tokens,
        input_tokens=input_tokens,
        previous_tier=previous_tier,
        conversation=conversation,
        task_text=_task_text(spoken[1:]),
        turn_image_count=_turn_images(turns, tools_images),
        raw_last_user_text=_raw_text(raw) if raw else "",
        raw_last_user_images=_own_images(raw) if raw else 0,
    )


def _turn(message: Message, prompt_wrappers: Sequence[PromptWrapper]) -> _Turn:
    """A message's own words, bounded, and how many characters they had before."""
    texts = []
    length = 0
    for part in message.parts:
        if isinstance(part, TextPart):
            bounded = ends_of(part.text, STRIPPED_HEAD, STRIPPED_TAIL)
            stripped = bounded
            for wrapper in prompt_wrappers:
                stripped = wrapper.strip(stripped)
            stripped = stripped.strip()
            if stripped:
                texts.append(stripped)
                length += len(stripped) + len(part.text) - len(bounded)
    return _Turn(message, "\n".join(texts), length)


def _task_text(earlier: Sequence[_Turn]) -> str:
    """The latest earlier words that are more than a short reply; failing that, the longest of them."""
    if not earlier:
        return ""
    substantial = next((turn for turn in earlier if not is_short(turn.words)), None)
    return excerpt_of((substantial or max(earlier, key=lambda turn: turn.length)).words)


def _ends_in_tool_results(turns: Sequence[_Turn]) -> bool:
    """Whether, wrapping aside, what the client sent last is a tool's answer."""
    for turn in turns:
        if turn.words:
            return False
        if _has_tool_results(turn.message):
            return True
    return False


def _tools_images(turns: Sequence[_Turn]) -> list[Message]:
    """Messages without words that follow a tool's answer: where a protocol has no pictures in answers, hosts send them so.

    :param turns: the latest first
    """
    found = []
    for turn, before in pairwise(turns):
        if not turn.words and not _has_tool_results(turn.message) and _has_tool_results(before.message):
            found.append(turn.message)
    return found


def _has_tool_results(message: Message) -> bool:
    return any(isinstance(part, ToolCallResponsePart) for part in message.parts)


def _turn_images(turns: Sequence[_Turn], tools_images: Sequence[Message]) -> int:
    """Images that came with the latest words or after them; a tool's are not the user's."""
    count = 0
    for turn in turns:
        if not any(turn.message is message for message in tools_images):
            count += _own_images(turn.message)
        if turn.words:
            break
    return count


def _only_tool_results(message: Message) -> bool:
    return bool(message.parts) and all(isinstance(part, ToolCallResponsePart) for part in message.parts)


def _raw_text(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, TextPart))


def _own_images(message: Message) -> int:
    return sum(isinstance(part, BlobPart | UriPart | FilePart) and part.modality == "image" for part in message.parts)


def _system_text(messages: Sequence[Message]) -> str:
    texts = [
        part.text[:SYSTEM_HEAD]
        for message in messages
        if message.role == "system"
        for part in message.parts
        if isinstance(part, TextPart)
    ]
    return "\n".join(texts)


def _attachments(messages: Sequence[Message]) -> tuple[int, int]:
    """Images of the user's own, and other files, those in tools' answers included.

    A tool's picture is no reason to leave the model that asked for it; whether a model sees pictures at all is a requirement.
    """
    images = files = 0
    for message in messages:
        images += _own_images(message)
        for part in message.parts:
            for item in _flat(part):
                files += isinstance(item, BlobPart | UriPart | FilePart) and item.modality != "image"
    return images, files


def _flat(part: Part) -> Sequence[Part]:
    return part.content if isinstance(part, ToolCallResponsePart) else (part,)
