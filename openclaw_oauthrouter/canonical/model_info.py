"""What is known of one model at one provider: its limits, its price, and what it takes in a request."""

from __future__ import annotations

from dataclasses import field
from datetime import date
from typing import Literal

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.value import derive, value

ThinkingOff = Literal["disabled", "between_tools", "never"]


@value(frozen=True, slots=True)
class Accepts:
    """What a model takes in a request; ``canonical.fitting.fit`` reads it, and nothing else decides what a model's facts change.

    The defaults are those of a model of which nothing is known: it is asked for everything, and its provider says what it refuses.

    :ivar known: the facts are about this model; ``False``: guessed after its family, so a body that the client wrote for this very
        model in this very dialect is sent as it is
    :ivar temperature: the field is no 400; likewise ``top_p``, ``top_k``, ``penalties`` (frequency and presence), ``stop``, ``verbosity``
    :ivar temperature_limit: the most ``temperature`` may be
    :ivar temperature_with_top_p: both may stand in one request
    :ivar sampling_while_reasoning: sampling fields may stand beside reasoning; ``False``: only where reasoning is switched off
    :ivar reasons: whether it reasons; ``None`` when not known
    :ivar reasons_by_default: it reasons when the request says nothing
    :ivar efforts: names of effort it knows, ``none`` among them if that switches reasoning off; ``()`` when the field is a 400;
        ``None`` when not known: any name is sent
    :ivar budget: it takes reasoning by a number of tokens
    :ivar adaptive: it takes "decide for yourself" (``thinking.type: adaptive``)
    :ivar thinking_off: how a ``thinking`` object switches it off; ``never``: it cannot be
    :ivar strong_effort_without_thinking: efforts above ``high`` may stand beside thinking switched off
    :ivar binds_thinking: it refuses sealed thinking replayed after anything before it has changed
    :ivar thinking_before_calls: it refuses budgeted thinking in a tool loop that began without
    :ivar unsigned_thinking: it takes thinking that nobody sealed (Messages of other makers than Anthropic, which want it back in tool loops)
    :ivar reasoning_in_tool_loops: an assistant turn with calls must carry its reasoning text back
    :ivar prefill: the conversation may end with an assistant message, which it continues; ``prefill_while_reasoning``: also when it
        reasons; ``prefill_ends_in_space``: also one that ends in white space
    :ivar system_messages: it honours a system message within the conversation
    :ivar developer_role: it knows the role ``developer`` (Chat Completions)
    :ivar structured_output: what an answer can be bound to: ``json_object`` (any JSON), ``json_schema``
    :ivar strict_tools: a tool can be marked ``strict``
    :ivar parallel_tool_calls: the field that forbids or allows them is no 400
    :ivar forced_tool_choice: a call can be demanded
    :ivar forced_choice_while_thinking: also while it thinks by a budget
    :ivar custom_tools: tools that take free text
    :ivar tool_changes: tools may come and go within the conversation (Messages: references to deferred tools, additions, removals)
    :ivar cache_marks: the prompt can be marked for the cache
    :ivar cache_breakpoints: it can be marked by OpenAI's ``prompt_cache_breakpoint``
    :ivar web_search: how the provider is asked to search the web: by a ``tool``, or by a field of Chat Completions
        (``web_search_options``, ``plugins``); ``None``: not at all
    :ivar system_role: an item of the role ``system`` may stand in the input (Responses)
    :ivar max_tools: how many tools a request may offer; ``None``: no limit known
    :ivar user_limit: longest ``user`` in characters; likewise ``safety_identifier_limit``, ``item_id_limit``, ``call_id_limit``;
        ``None``: no limit known
    :ivar service_tiers: names it takes (in canonical words); ``None`` when not known
    :ivar max_tokens_field: what the answer's limit is called; ``None``: as the dialect's newest version calls it
    """

    known: bool = True
    temperature: bool = True
    temperature_limit: float = 2.0
    temperature_with_top_p: bool = True
    top_p: bool = True
    top_k: bool = True
    penalties: bool = True
    stop: bool = True
    sampling_while_reasoning: bool = True
    verbosity: bool = True
    reasons: bool | None = None
    reasons_by_default: bool = False
    efforts: tuple[str, ...] | None = None
    budget: bool = True
    adaptive: bool = True
    thinking_off: ThinkingOff = "disabled"
    strong_effort_without_thinking: bool = True
    binds_thinking: bool = False
    thinking_before_calls: bool = False
    reasoning_in_tool_loops: bool = False
    unsigned_thinking: bool = False
    prefill: bool = True
    prefill_while_reasoning: bool = True
    prefill_ends_in_space: bool = True
    system_messages: bool = True
    developer_role: bool = True
    structured_output: tuple[str, ...] = ("json_object", "json_schema")
    strict_tools: bool = True
    parallel_tool_calls: bool = True
    forced_tool_choice: bool = True
    forced_choice_while_thinking: bool = True
    custom_tools: bool = True
    tool_changes: bool = True
    cache_marks: bool = True
    cache_breakpoints: bool = False
    web_search: str | None = "tool"
    system_role: bool = True
    max_tools: int | None = None
    user_limit: int | None = None
    safety_identifier_limit: int | None = None
    item_id_limit: int | None = None
    call_id_limit: int | None = None
    service_tiers: tuple[str, ...] | None = None
    max_tokens_field: str | None = None


@value(frozen=True, slots=True)
class ModelInfo:
    """What is known of one model at one provider.

    :ivar id: the provider's own id, without our provider prefix
    :ivar context_window: tokens, prompt and answer together; ``None`` when not known
    :ivar max_output_tokens: the most it may write; ``None`` when not known
    :ivar images: it sees images; ``None`` when published tables contradict one another: the gateway then picks it for them only where
        it knows of no other; likewise ``documents``, ``audio``
    :ivar tools: it calls tools
    :ivar price: what the user or a plugin says it costs; ``None`` leaves it to the published prices
    :ivar reasons: it reasons before it answers; ``None`` when not known
    :ivar efforts: names of effort it knows; ``()`` when not known
    :ivar list_price: what puts models in an order: input and output of a usual call when the row was made; never what is charged
    :ivar retires: the day the provider switches it off
    :ivar protocols: names of the dialects it can be asked in at this provider, best first; empty: the provider's own
    :ivar tool_protocols: those in which it takes tools; empty: all of ``protocols``
    :ivar max_input_tokens: the longest prompt, where that is not ``context_window``
    :ivar family: what it shares with its predecessors, e.g. ``claude-opus``
    :ivar generation: its place among them, e.g. ``(4, 8)``; compares
    :ivar ability: rank for tiers, higher is more capable; ``None`` when not known
    :ivar released: the day it came out
    :ivar successor: id of the model that the provider recommends in its place
    :ivar display_name: for people
    :ivar accepts: what it takes in a request; ``None``: ``catalog.accepts`` says it from the id
    :ivar name: ``provider/id``, the name clients use
    """

    provider: str
    id: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    images: bool | None = True
    documents: bool | None = True
    tools: bool = True
    price: Price | None = None
    retires: date | None = None
    protocols: tuple[str, ...] = ()
    tool_protocols: tuple[str, ...] = ()
    max_input_tokens: int | None = None
    audio: bool | None = True
    family: str | None = None
    generation: tuple[int, ...] = ()
    ability: float | None = None
    released: date | None = None
    successor: str | None = None
    display_name: str | None = None
    accepts: Accepts | None = None
    list_price: Price | None = None
    reasons: bool | None = None
    efforts: tuple[str, ...] = ()
    name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made once: a route asks for the names of a dozen models, several times each.
        derive(self, "name", f"{self.provider}/{self.id}")
