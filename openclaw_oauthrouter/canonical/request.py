"""One request, whatever dialect it came in."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from openclaw_oauthrouter.canonical.content import CacheMark, Part
from openclaw_oauthrouter.canonical.glance import Glance, Overview, glance
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.value import derive, value

Role = Literal["system", "user", "assistant"]


@value(frozen=True, slots=True)
class Message:
    """One turn. A tool's answer is a ``user`` message that holds a ``ToolCallResponsePart``."""

    role: Role
    parts: tuple[Part, ...]
    seen: Glance | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def glance(self) -> Glance:
        """What it is made of; looked at once, and ``seen`` from then on."""
        seen = self.seen
        if seen is None:
            seen = glance(self.parts)
            derive(self, "seen", seen)
        return seen


Loading = Literal["now", "deferred", "found", "removed"]


@value(frozen=True, slots=True)
class WebSearchOptions:
    """How a provider shall search the web.

    :ivar user_location: ``city``, ``region``, ``country``, ``timezone``, as both vendors have them
    :ivar max_uses: how often in one answer
    """

    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    user_location: FrozenObject | None = None
    max_uses: int | None = None


@value(frozen=True, slots=True)
class HeldState:
    """State that the client believes the provider holds, so that the request is not the whole conversation without it.

    :ivar param: the field, as the client spelt it
    :ivar details: what the client's own code reads in the refusal
    :ivar any_model: it belongs to the account, whichever of the provider's models is asked
    """

    param: str
    details: FrozenObject = field(default_factory=dict)
    any_model: bool = False


@value(frozen=True, slots=True)
class Tool:
    """A tool the model may call.

    :ivar parameters: JSON Schema of the arguments; ``None`` for a tool without arguments
    :ivar custom: takes free text; ``format`` then holds its grammar, if any
    :ivar native: a tool of one dialect (web search, computer use): ``(dialect, definition)``; the rest is then empty
    :ivar search: what a native tool is, where the provider searches the web by it or reads pages of it
    :ivar finds_tools: a native tool by which the provider itself finds deferred ones
    :ivar loading: ``now``; ``deferred`` until the conversation finds it; ``found`` by the conversation since; ``removed`` by it.
        Fitting leaves only tools that are offered ``now`` to a provider that does not know the difference
    """

    name: str
    description: str | None = None
    parameters: FrozenObject | None = None
    strict: bool | None = None
    custom: bool = False
    format: FrozenObject | None = None
    cache: CacheMark | None = None
    native: tuple[str, FrozenObject] | None = None
    search: WebSearchOptions | None = None
    finds_tools: bool = False
    loading: Loading = "now"


@value(frozen=True, slots=True)
class ToolChoice:
    """Which tools the model may or must call.

    :ivar mode: ``auto``, ``none``, ``required`` (some tool), ``tool`` (the one named)
    :ivar allowed: restricts the choice to these names
    """

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None
    allowed: tuple[str, ...] | None = None


@value(frozen=True, slots=True)
class ResponseFormat:
    """The shape the answer's text must have."""

    kind: Literal["text", "json_object", "json_schema"]
    schema: FrozenObject | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@value(frozen=True, slots=True)
class Reasoning:
    """How much to think, and how much of it to show.

    :ivar effort: none, minimal, low, medium, high, xhigh, max
    :ivar budget_tokens: the older way of saying it, in tokens
    :ivar summary: auto, concise, detailed; ``None`` leaves it to the provider
    :ivar adaptive: the client asked the model to decide for itself
    :ivar between_tools: with effort ``none``: switched off but for the time between tool calls
    :ivar answer_effort: with effort ``none``: how much to spend on the answer itself, at models whose effort is not about reasoning alone
    """

    effort: str | None = None
    budget_tokens: int | None = None
    summary: str | None = None
    adaptive: bool = False
    between_tools: bool = False
    answer_effort: str | None = None


@value(frozen=True, slots=True)
class Note:
    """Something the translation changed that the user may want to know.

    :ivar action: ``dropped``, ``repaired`` or ``mapped``
    :ivar subject: the field or block, as the client spelt it
    """

    action: Literal["dropped", "repaired", "mapped"]
    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.action} {self.subject}: {self.reason}"


@value(frozen=True, slots=True)
class ChatRequest:
    """A request in canonical form, with the body it was decoded from.

    :ivar dialect: the dialect the client speaks
    :ivar model: as the client sent it
    :ivar body: the decoded JSON body, unchanged; the transparent lane forwards it
    :ivar headers: the client's headers, lower-case names, already free of hop-by-hop and local-auth ones
    :ivar include_usage: the client wants usage in the stream (always true where the dialect always sends it)
    :ivar user: an opaque end-user id
    :ivar native: fields that only the client's dialect knows
    :ivar foreign_opaque: ``Opaque.data`` strings made by another origin than the one this request now goes to; never sent there
    :ivar held_state: state that only the provider of the client's own dialect can hold
    :ivar notes: what decoding dropped
    :ivar decoded: the request before it was fitted to a model; ``None`` when fitting changed nothing. The transparent lane writes anew
        what differs (messages that are not the same objects, fields that are not equal) and leaves the rest of ``body`` as it came
    """

    dialect: str
    model: str
    messages: tuple[Message, ...]
    body: FrozenObject = field(default_factory=dict)
    headers: FrozenObject = field(default_factory=dict)
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None
    verbosity: str | None = None
    user: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    logprobs: bool = False
    native: FrozenObject = field(default_factory=dict)
    foreign_opaque: frozenset[str] = frozenset()
    held_state: HeldState | None = None
    notes: tuple[Note, ...] = ()
    decoded: ChatRequest | None = None
    _overview: Overview | None = field(default=None, compare=False, repr=False)

    @property
    def overview(self) -> Overview:
        """What the conversation is made of; looked at once, whatever else of the request is replaced."""
        seen = self._overview
        if seen is None or seen.messages is not self.messages:
            seen = Overview(self.messages)
            derive(self, "_overview", seen)
        return seen


@value(frozen=True, slots=True)
class EncodedRequest:
    """A body in one dialect's own words.

    :ivar body: ready for ``orjson.dumps``; belongs to the caller, who may change its fields and put others into its lists; what these hold
        may be shared with other requests of the conversation, so it is copied before a plugin from outside this package gets it
    :ivar notes: what encoding dropped, mapped or repaired
    :ivar tool_names: name on the wire -> name the client used, where they differ
    :ivar translated: written anew although client and provider speak one dialect, so the answer has to be translated as well
    :ivar dialect: whose words they are, for a provider that speaks several; ``""``: those of its ``dialect``
    """

    body: dict[str, object]
    notes: tuple[Note, ...] = ()
    tool_names: FrozenObject = field(default_factory=dict)
    translated: bool = False
    dialect: str = ""
