"""What a request holds that a rule of fitting could change: most requests hold next to nothing of it, and most rules need not be asked."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.glance import CALL, FILES, IN_RESULTS, KINDS, REASONING, REFUSAL, WORDS
from openclaw_oauthrouter.canonical.request import ChatRequest, Tool

(
    SEALED,
    LATE_SYSTEM,
    ENDS_WITHOUT_USER,
    HELD,
    LIMIT,
    EFFORT,
    SAMPLING,
    OTHER_FIELDS,
    TOOLS,
    LOADING,
    CLIENT_RUN,
    STRICT,
    CHOICE,
    FORMAT,
    VERBOSITY,
    TIER,
    USER,
) = (1 << place for place in range(KINDS, KINDS + 17))
"""Bits beside those of the kinds of parts (``canonical.glance``): sealed data, a system message behind others, an end that is not the user's
message, state held elsewhere, fields of the request, ``native`` fields, tools; tools that come and go, that only the client runs though a
vendor defined them, that are strict."""

UNLIKELY_PARTS = ((1 << KINDS) - 1) & ~WORDS
"""Kinds of parts that not every model takes."""

PLACED = FILES | REFUSAL | REASONING | CALL
"""Kinds of parts that cannot stand in everybody's turn."""

CALLS = CALL | IN_RESULTS
"""Kinds of parts that have an id."""


def subjects_of(request: ChatRequest) -> int:
    """All of it, as bits; a rule whose bits are not among them leaves the request as it is."""
    overview, messages = request.overview, request.messages
    found = overview.holds
    if overview.opaque or request.foreign_opaque:
        found |= SEALED
    if overview.late_system:
        found |= LATE_SYSTEM
    if not messages or messages[-1].role != "user":
        found |= ENDS_WITHOUT_USER
    if request.max_output_tokens is not None:
        found |= LIMIT
    if request.tools:
        found |= _tools(request.tools)
    if request.native:
        found |= OTHER_FIELDS
    return found | _fields(request)


def _fields(request: ChatRequest) -> int:
    """Fields that few requests have."""
    found = 0
    if request.reasoning is not None:
        found |= EFFORT
    if request.temperature is not None or request.top_p is not None or request.top_k is not None:
        found |= SAMPLING
    if request.stop or request.logprobs:
        found |= SAMPLING
    if request.tool_choice is not None or request.parallel_tool_calls is not None:
        found |= CHOICE
    if request.response_format is not None:
        found |= FORMAT
    if request.verbosity is not None:
        found |= VERBOSITY
    if request.service_tier is not None:
        found |= TIER
    if request.user is not None:
        found |= USER
    if request.held_state is not None:
        found |= HELD
    return found


@by_identity(64)
def _tools(tools: tuple[Tool, ...]) -> int:
    found = TOOLS
    for tool in tools:
        if tool.loading != "now":
            found |= LOADING
        if tool.native is not None and tool.parameters is not None:
            found |= CLIENT_RUN
        if tool.strict:
            found |= STRICT
    return found
