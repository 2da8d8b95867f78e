"""The original's paragraph that urges a model to call its tools; off unless ``toolPreamble`` is on."""

from __future__ import annotations

from dataclasses import replace

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Note

PREAMBLE = (
    "IMPORTANT: You have tools available. When a user's request can be fulfilled by calling a tool, "
    "you MUST call the tool directly. Do NOT describe what you would do, ask for confirmation, or "
    "explain that you will use a tool. Just call it."
)
"""A wire fact of the original: users who migrate may have prompts that count on these words."""


def with_tool_preamble(request: ChatRequest) -> ChatRequest:
    """Append the paragraph to the last system message, or put one in front.

    A request without tools, or one that forbids calling them, is left alone: the paragraph must not contradict ``tool_choice``.
    """
    if not request.tools or (request.tool_choice is not None and request.tool_choice.mode == "none"):
        return request
    messages = list(request.messages)
    last = max((index for index, message in enumerate(messages) if message.role == "system"), default=None)
    if last is None:
        messages.insert(0, Message("system", (TextPart(PREAMBLE),)))
    else:
        messages[last] = _with_paragraph(messages[last])
    note = Note("mapped", "system", "the tool preamble was added (toolPreamble)")
    return replace(request, messages=tuple(messages), notes=(*request.notes, note))


def _with_paragraph(message: Message) -> Message:
    *before, last = message.parts or (TextPart(""),)
    if isinstance(last, TextPart) and last.text:
        return replace(message, parts=(*before, replace(last, text=f"{last.text}\n\n{PREAMBLE}")))
    return replace(message, parts=(*message.parts, TextPart(PREAMBLE)))
