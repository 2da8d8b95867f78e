"""Fits a request to the model that shall answer it: the one place where a model's facts change a request.

``fit`` runs once, before a dialect encodes; encoders only spell what it leaves. Each rule below is a pure function from request to request.
What fitting leaves alone stays the same object, so that the transparent lane can tell what it has to write anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from typing import Any

from openclaw_oauthrouter.canonical import fitting_subjects as about
from openclaw_oauthrouter.canonical.content import (
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
)
from openclaw_oauthrouter.canonical.fitting_facts import Facts
from openclaw_oauthrouter.canonical.fitting_messages import (
    fit_messages,
    is_result,
    place_parts,
    place_system_messages,
    with_parts,
)
from openclaw_oauthrouter.canonical.glance import NATIVE
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.model_names import comparable
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Note, Reasoning, ResponseFormat, Tool, ToolChoice
from openclaw_oauthrouter.errors import InvalidRequestError

GO_ON = "Continue."
"""What the user says where a model will not continue an assistant's text."""

JSON_ONLY = "Reply with one JSON object and nothing else."

NO_SEARCH = (
    "The web cannot be searched and no page can be read here. Say so instead of answering as if you had; what you know yourself "
    "may be told as such, without sources."
)
"""What a model is told whose provider has no search for one that the client asked for."""

MIN_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16_384}
_EFFORTS_OF_BUDGETS = ((2048, "low"), (8192, "medium"))
# What to ask for when a level is missing: the next stronger one, then the next weaker ones.
_SUBSTITUTES = {
    "minimal": ("low", "none"),
    "low": ("minimal", "medium"),
    "medium": ("high", "low"),
    "high": ("medium", "xhigh", "max"),
    "xhigh": ("max", "high"),
    "max": ("xhigh", "high"),
}
_SPEED = "speed"
_STRONG = ("xhigh", "max")
_OTHER_SAMPLING = ("frequency_penalty", "presence_penalty", "logit_bias", "top_logprobs")
_UNSAFE_ID = lazily(r"[^a-zA-Z0-9_-]")
_DIGEST = 8


def fit(request: ChatRequest, info: ModelInfo, dialect: str) -> tuple[ChatRequest, tuple[Note, ...]]:
    """Bring a request within what a model takes.

    :param info: with ``accepts`` filled in (``catalog.accepts.with_accepts``); without, only its limits and modalities count
    :param dialect: the one the model is asked in
    :raises InvalidRequestError: it holds what cannot be said to this provider, or state that this provider does not hold
    :return: the request (the same object when nothing had to change; else with ``decoded`` set) and what was changed
    """
    accepts = info.accepts or Accepts(known=False)
    relayed = request.dialect == dialect
    same = relayed and _bare(request.model) == _bare(info.id)
    facts = Facts(info, accepts, dialect, relayed, same, _adds_tools(request))
    fitted, subjects = request, about.subjects_of(request)
    for rule, its_subjects in _ALWAYS if same and not accepts.known else RULES:
        if subjects & its_subjects:
            before, fitted = fitted, rule(fitted, facts)
            if fitted is not before:
                subjects = about.subjects_of(fitted)
    return (request if fitted is request else replace(fitted, decoded=request)), tuple(facts.notes)


def _bare(model: str) -> str:
    return comparable(model).rpartition("/")[2]


def _limit_output(request: ChatRequest, facts: Facts) -> ChatRequest:
    asked, most = request.max_output_tokens, facts.info.max_output_tokens
    if asked is None or most is None or asked <= most:
        return request
    facts.note("mapped", "max_tokens", f"the model writes at most {most}")
    return replace(request, max_output_tokens=most)


def _limit_identifiers(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Names of end users: a digest says as much as a long name does, and fits."""
    user = _digest_of(request.user, facts.accepts.user_limit)
    if user != request.user:
        facts.note("mapped", "user", f"longer than {facts.accepts.user_limit} characters; sent as a digest")
        request = replace(request, user=user)
    identifier = request.native.get("safety_identifier")
    shortened = _digest_of(identifier if isinstance(identifier, str) else None, facts.accepts.safety_identifier_limit)
    if isinstance(identifier, str) and shortened != identifier:
        facts.note("mapped", "safety_identifier", f"longer than {facts.accepts.safety_identifier_limit} characters; a digest")
        request = replace(request, native={**request.native, "safety_identifier": shortened})
    return request


def _digest_of(value: str | None, limit: int | None) -> str | None:
    if value is None or limit is None or len(value) <= limit:
        return value
    return hashlib.sha256(value.encode()).hexdigest()[:limit]


def _limit_service_tier(request: ChatRequest, facts: Facts) -> ChatRequest:
    known, wanted = facts.accepts.service_tiers, request.service_tier
    if known is None or wanted is None or wanted in known:
        return request
    if wanted == "fast" and "priority" in known:
        facts.note("mapped", "service_tier", "'priority' is what it is called here")
        return replace(request, service_tier="priority")
    facts.note("dropped", "service_tier", f"the model is not served as {wanted!r}")
    return replace(request, service_tier=None)


def _limit_speed(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Anthropic's fast mode belongs to the model it was asked of; a plan that serves by priority has the same."""
    speed = request.native.get(_SPEED)
    if speed is None or facts.same:
        return request
    request = replace(request, native={name: value for name, value in request.native.items() if name != _SPEED})
    if speed == "fast" and "priority" in (facts.accepts.service_tiers or ()):
        facts.note("mapped", _SPEED, "'priority' is what it is called here")
        return replace(request, service_tier="priority")
    facts.note("dropped", _SPEED, f"it is not known of {facts.info.id}")
    return request


def _limit_verbosity(request: ChatRequest, facts: Facts) -> ChatRequest:
    if request.verbosity is None or facts.accepts.verbosity:
        return request
    facts.note("dropped", "verbosity", "the model has no counterpart")
    return replace(request, verbosity=None)


def _fit_reasoning(request: ChatRequest, facts: Facts) -> ChatRequest:
    wanted = request.reasoning
    if wanted is None or wanted == Reasoning():
        return request
    fitted = _off(wanted, facts) if wanted.effort == "none" else _on(wanted, facts)
    if fitted is not None:
        fitted = _with_known_efforts(fitted, facts)
    if fitted is not None and fitted.budget_tokens is not None:
        fitted = _with_fitting_budget(fitted, request, facts)
    return request if fitted == wanted else replace(request, reasoning=fitted)


def _off(wanted: Reasoning, facts: Facts) -> Reasoning | None:
    accepts = facts.accepts
    if accepts.reasons is False:
        return None
    if "none" in (accepts.efforts or ()):
        return wanted
    if accepts.thinking_off == "never":
        if not accepts.reasons_by_default or not accepts.efforts:
            return None
        facts.note("mapped", "thinking", f"the model always reasons; effort {accepts.efforts[0]!r} instead")
        return Reasoning(effort=accepts.efforts[0])
    if accepts.thinking_off == "between_tools":
        return replace(wanted, between_tools=True)
    off = replace(wanted, between_tools=False) if wanted.between_tools else wanted
    if accepts.reasons_by_default or facts.same:
        return off
    # Several models refuse the word, and those that do not reason by themselves need none.
    return Reasoning(effort=None, answer_effort=wanted.answer_effort) if wanted.answer_effort else None


def _on(wanted: Reasoning, facts: Facts) -> Reasoning | None:
    accepts = facts.accepts
    if accepts.reasons is False:
        facts.note("dropped", "reasoning", f"{facts.info.id} does not reason")
        return None
    if wanted.budget_tokens is not None and not accepts.budget:
        return _budget_as_effort(wanted, facts)
    asks = wanted.adaptive or (not facts.relayed and wanted.effort is not None)
    if not asks or wanted.budget_tokens is not None:
        return wanted
    if accepts.adaptive:
        return wanted if wanted.adaptive else replace(wanted, adaptive=True)
    if accepts.budget:
        budget = _BUDGETS.get(wanted.effort or "high", _BUDGETS["high"])
        facts.note("mapped", "thinking", f"the model has no adaptive thinking; a budget of {budget} tokens instead")
        return replace(wanted, adaptive=False, budget_tokens=budget)
    return replace(wanted, adaptive=False) if wanted.adaptive else wanted


def _budget_as_effort(wanted: Reasoning, facts: Facts) -> Reasoning:
    budget = wanted.budget_tokens or MIN_BUDGET
    if facts.accepts.adaptive:
        effort = next((level for level, tokens in _BUDGETS.items() if level != "minimal" and budget <= tokens), "max")
    else:
        effort = next((level for limit, level in _EFFORTS_OF_BUDGETS if budget < limit), "high")
    effort = wanted.effort or effort
    facts.note("mapped", "thinking", f"the model takes no budget; effort {effort!r} instead")
    return replace(wanted, budget_tokens=None, adaptive=facts.accepts.adaptive, effort=effort)


def _with_known_efforts(wanted: Reasoning, facts: Facts) -> Reasoning | None:
    """The effort, and the effort of the answer beside reasoning switched off, in the names that the model knows."""
    known = facts.accepts.efforts
    if known is None:
        return wanted
    if wanted.effort not in (None, "none"):
        wanted = replace(wanted, effort=_known_effort(str(wanted.effort), known, facts, quiet=wanted.budget_tokens is not None))
    if wanted.answer_effort is not None:
        weak = tuple(level for level in known if level not in _STRONG or facts.accepts.strong_effort_without_thinking)
        wanted = replace(wanted, answer_effort=_known_effort(wanted.answer_effort, weak, facts, quiet=False))
    return None if wanted == Reasoning() else wanted


def _known_effort(effort: str, known: tuple[str, ...], facts: Facts, *, quiet: bool) -> str | None:
    if effort in known:
        return effort
    substitute = next((level for level in _SUBSTITUTES.get(effort, ()) if level in known), None)
    if substitute is not None:
        facts.note("mapped", "effort", f"the model has no {effort!r}; {substitute!r} instead")
    elif not quiet:
        facts.note("dropped", "effort", "the model has no such effort level")
    return substitute


def _with_fitting_budget(wanted: Reasoning, request: ChatRequest, facts: Facts) -> Reasoning | None:
    budget, limit = wanted.budget_tokens or MIN_BUDGET, request.max_output_tokens or facts.info.max_output_tokens
    without = replace(wanted, budget_tokens=None) if wanted.effort is not None else None
    if limit is not None and limit - 1 < MIN_BUDGET:
        facts.note("dropped", "thinking", f"an answer of at most {limit} tokens leaves no room for it")
        return without
    if facts.accepts.thinking_before_calls and _loop_began_without_reasoning(request.messages):
        facts.note("dropped", "thinking", "the running tool loop began without it")
        return without
    fitting = max(budget, MIN_BUDGET) if limit is None else min(max(budget, MIN_BUDGET), limit - 1)
    if fitting == budget:
        return wanted
    facts.note("mapped", "thinking", "the budget must lie between 1024 and the answer's own limit")
    return replace(wanted, budget_tokens=fitting)


def _loop_began_without_reasoning(messages: tuple[Message, ...]) -> bool:
    """Whether the last assistant turn calls tools without having thought: budgeted thinking cannot start in the middle."""
    if not messages or not is_result(messages[-1]):
        return False
    last = next((message for message in reversed(messages) if message.role == "assistant"), None)
    parts = last.parts if last is not None else ()
    return any(isinstance(part, ToolCallPart) for part in parts) and not any(isinstance(part, ReasoningPart) for part in parts)


def is_reasoning(request: ChatRequest, accepts: Accepts) -> bool:
    """Whether a fitted request makes the model reason."""
    wanted = request.reasoning
    if wanted is None:
        return accepts.reasons_by_default
    if wanted.effort == "none":
        return False
    by_effort = wanted.effort is not None and not accepts.adaptive and not accepts.budget
    return wanted.budget_tokens is not None or wanted.adaptive or by_effort or accepts.reasons_by_default


def _limit_sampling(request: ChatRequest, facts: Facts) -> ChatRequest:
    accepts = facts.accepts
    refused = {
        "temperature": not accepts.temperature,
        "top_p": not accepts.top_p,
        "top_k": not accepts.top_k,
    }
    if not accepts.sampling_while_reasoning and is_reasoning(request, accepts):
        refused = dict.fromkeys(refused, True)
    elif not accepts.temperature_with_top_p and request.temperature is not None:
        refused["top_p"] = True
    # What the model does anyway may be said to it by who knows it by name.
    refused["temperature"] = refused["temperature"] and not (facts.same and request.temperature == 1)
    dropped = [name for name, refuses in refused.items() if refuses and getattr(request, name) is not None]
    for name in dropped:
        facts.note("dropped", name, "the model does not take it, or not together with the rest of the request")
    nothing: dict[str, Any] = dict.fromkeys(dropped)
    request = replace(request, **nothing) if dropped else request
    return _limit_other_sampling(_limit_temperature(request, facts), facts)


def _limit_temperature(request: ChatRequest, facts: Facts) -> ChatRequest:
    most = facts.accepts.temperature_limit
    if request.temperature is None or 0 <= request.temperature <= most:
        return request
    facts.note("mapped", "temperature", f"the model takes 0 to {most:g}")
    return replace(request, temperature=min(max(request.temperature, 0), most))


def _limit_other_sampling(request: ChatRequest, facts: Facts) -> ChatRequest:
    if request.stop and not facts.accepts.stop:
        facts.note("dropped", "stop", "the model takes no stop words")
        request = replace(request, stop=())
    if facts.accepts.penalties:
        return request
    dropped = [name for name in _OTHER_SAMPLING if request.native.get(name) is not None]
    for name in dropped:
        facts.note("dropped", name, "the model does not take it")
    if dropped:
        request = replace(request, native={name: value for name, value in request.native.items() if name not in dropped})
    if request.logprobs:
        facts.note("dropped", "logprobs", "the model does not report probabilities")
        request = replace(request, logprobs=False)
    return request


def _limit_tools(request: ChatRequest, facts: Facts) -> ChatRequest:
    accepts, choice = facts.accepts, request.tool_choice
    by_budget = request.reasoning is not None and request.reasoning.budget_tokens is not None
    can_force = accepts.forced_tool_choice and (accepts.forced_choice_while_thinking or not by_budget)
    if choice is not None and choice.mode in ("required", "tool") and not can_force:
        facts.note("mapped", "tool_choice", "the model cannot be forced to call a tool here; it is left to decide")
        request = replace(request, tool_choice=ToolChoice("auto", allowed=choice.allowed))
    if request.parallel_tool_calls is not None and not accepts.parallel_tool_calls:
        facts.note("dropped", "parallel_tool_calls", "the model has no such switch")
        request = replace(request, parallel_tool_calls=None)
    if not accepts.strict_tools and any(tool.strict for tool in request.tools):
        facts.note("dropped", "strict", "the model does not bind tools to their schema")
        tools = tuple(replace(tool, strict=None) if tool.strict else tool for tool in request.tools)
        request = replace(request, tools=tools)
    return request


def _limit_number_of_tools(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Those that the conversation has called, or that are demanded, stay; of the others the first. A client of the dialect knows its limits."""
    most, tools = facts.accepts.max_tools, request.tools
    if most is None or len(tools) <= most or facts.relayed:
        return request
    called = {part.name for message in request.messages for part in message.parts if isinstance(part, ToolCallPart)}
    choice = request.tool_choice
    if choice is not None:
        called |= {*(choice.allowed or ()), choice.name or ""}
    ranked = sorted(range(len(tools)), key=lambda at: (tools[at].name not in called, at))
    kept = sorted(ranked[:most])
    facts.note("dropped", "tools", f"{len(tools) - most} of {len(tools)}: the provider takes {most} in one request")
    return replace(request, tools=tuple(tools[at] for at in kept))


def _tell_of_searching(request: ChatRequest, facts: Facts) -> ChatRequest:
    """A search of the web that is demanded, or all there is to do, where nothing can search: the model shall not make one up."""
    if facts.accepts.web_search is not None or facts.relayed:
        return request
    lost = [tool for tool in request.tools if tool.search is not None]
    choice = request.tool_choice
    demanded = choice is not None and (choice.mode == "required" or choice.name in {tool.name for tool in lost})
    if not lost or not (demanded or len(lost) == len(request.tools)):
        return request
    facts.note("mapped", "tools", "nothing can search the web here; the model is told")
    leading = sum(1 for _ in takewhile(lambda message: message.role == "system", request.messages))
    told = Message("system", (TextPart(NO_SEARCH),))
    return replace(request, messages=(*request.messages[:leading], told, *request.messages[leading:]))


def _limit_structure(request: ChatRequest, facts: Facts) -> ChatRequest:
    wanted, able = request.response_format, facts.accepts.structured_output
    if wanted is None or wanted.kind == "text" or wanted.kind in able:
        return request
    facts.note("mapped", "response_format", "the model cannot be bound to it; it is told in words")
    words = JSON_ONLY if wanted.schema is None else f"{JSON_ONLY} It must follow this JSON Schema:\n{json.dumps(wanted.schema)}"
    format_ = ResponseFormat("json_object") if "json_object" in able else None
    leading = sum(1 for _ in takewhile(lambda message: message.role == "system", request.messages))
    told = Message("system", (TextPart(words),))
    messages = (*request.messages[:leading], told, *request.messages[leading:])
    return replace(request, response_format=format_, messages=messages)


def _load_tools(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Tools that come and go within the conversation, for a provider that only knows those it is given now."""
    if facts.can_change_tools or all([tool.loading == "now" for tool in request.tools]):  # noqa: C419 - each step of a generator is a call
        return request
    searched_by_provider = any(tool.finds_tools for tool in request.tools)
    tools: list[Tool] = []
    for tool in request.tools:
        if tool.loading == "removed" or (tool.loading == "deferred" and not searched_by_provider):
            continue
        if not tool.finds_tools:
            tools.append(tool if tool.loading == "now" else replace(tool, loading="now"))
    facts.note("mapped", "tools", "those found in the conversation so far are offered, those removed or not found are not")
    return replace(request, tools=tuple(tools))


def _write_out_tools(request: ChatRequest, facts: Facts) -> ChatRequest:
    """A vendor's tools that the client runs, as functions for models that do not know them by heart."""
    if facts.relayed or not any([tool.native is not None and tool.parameters is not None for tool in request.tools]):  # noqa: C419 - each step of a generator is a call
        return request
    facts.note("mapped", "tools", "tools of the client's provider that the client runs became functions")
    tools = tuple(replace(tool, native=None) if tool.parameters is not None else tool for tool in request.tools)
    return replace(request, tools=tools)


def _adds_tools(request: ChatRequest) -> bool:
    return bool(request.overview.system & NATIVE) and any(
        isinstance(part, NativePart) and part.type in ("tool_addition", "tool_removal")
        for message in request.messages
        if message.role == "system"
        for part in message.parts
    )


def _refuse_held_state(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Without the state that only its provider holds, the request is not the conversation that the client means."""
    held = request.held_state
    if held is None or facts.same or (facts.relayed and held.any_model):
        return request
    error = InvalidRequestError(
        f"{held.param} refers to state that only the provider itself holds, for the model named; send the whole conversation",
        param=held.param,
    )
    error.details = held.details
    raise error


def _limit_call_ids(request: ChatRequest, facts: Facts) -> ChatRequest:
    limit = facts.accepts.call_id_limit
    if limit is None or request.overview.longest_id <= limit:
        return request
    messages = tuple(with_parts(message, tuple(_short_id(part, limit) for part in message.parts)) for message in request.messages)
    facts.note("repaired", "tool call ids", f"longer than {limit} characters")
    return replace(request, messages=messages)


def _short_id(part: Part, limit: int) -> Part:
    if not isinstance(part, (ToolCallPart, ToolCallResponsePart)) or len(part.id) <= limit:
        return part
    return replace(part, id=short_id(part.id, limit))


def short_id(id_: str, limit: int) -> str:
    """An id within a limit; ids that differ stay different, and the same id becomes the same."""
    if len(id_) <= limit:
        return id_
    return f"{_UNSAFE_ID.sub('_', id_)[: limit - _DIGEST - 1]}_{hashlib.sha256(id_.encode()).hexdigest()[:_DIGEST]}"


def _end_with_user(request: ChatRequest, facts: Facts) -> ChatRequest:
    """A text of the assistant at the end asks to be continued, which only some models do; thoughts none of these continues."""
    accepts, last = facts.accepts, next(filter(_says_something, reversed(request.messages)), None)
    if last is None or last.role != "assistant" or not last.parts or (accepts.prefill and accepts.prefill_while_reasoning):
        return request
    end = last.parts[-1]
    # A call of the vendor's own tools is not among these: its turn, paused, is resumed by sending it back as it is.
    if not isinstance(end, (TextPart, ReasoningPart, RefusalPart)):
        return request
    if not isinstance(end, TextPart) or not accepts.prefill or is_reasoning(request, accepts):
        facts.note("repaired", "messages", "the model wants the conversation to end with a user message here")
        return replace(request, messages=(*request.messages, Message("user", (TextPart(GO_ON),))))
    if accepts.prefill_ends_in_space or end.text == end.text.rstrip():
        return request
    facts.note("repaired", "messages", "the beginning of an answer may not end in white space")
    trimmed = replace(last, parts=(*last.parts[:-1], replace(end, text=end.text.rstrip())))
    return replace(request, messages=tuple(trimmed if message is last else message for message in request.messages))


def _says_something(message: Message) -> bool:
    """Whether a message is more than a turn without parts or a system message without words, neither of which is sent."""
    if message.role == "system":
        return any(not isinstance(part, TextPart) or part.text.strip() for part in message.parts)
    return bool(message.parts) or message.role == "user"


Rule = Callable[[ChatRequest, Facts], ChatRequest]
Rules = tuple[tuple[Rule, int], ...]
_ALWAYS: Rules = (
    (_limit_output, about.LIMIT),
    (_load_tools, about.LOADING),
    (fit_messages, about.UNLIKELY_PARTS | about.SEALED),
)
"""What holds also where the client wrote the body for this very model and little is known of it."""
RULES: Rules = (
    (_refuse_held_state, about.HELD),
    (_limit_output, about.LIMIT),
    (_fit_reasoning, about.EFFORT),
    (_limit_sampling, about.SAMPLING | about.OTHER_FIELDS),
    (_load_tools, about.LOADING),
    (_write_out_tools, about.CLIENT_RUN),
    (_limit_number_of_tools, about.TOOLS),
    (_tell_of_searching, about.TOOLS),
    (_limit_tools, about.CHOICE | about.STRICT),
    (_limit_structure, about.FORMAT),
    (_limit_verbosity, about.VERBOSITY),
    (_limit_service_tier, about.TIER),
    (_limit_speed, about.OTHER_FIELDS),
    (_limit_identifiers, about.USER | about.OTHER_FIELDS),
    (fit_messages, about.UNLIKELY_PARTS | about.SEALED),
    (place_parts, about.PLACED),
    (place_system_messages, about.LATE_SYSTEM),
    (_limit_call_ids, about.CALLS),
    (_end_with_user, about.ENDS_WITHOUT_USER),
)
"""The rules in their order, each with its subjects: it leaves a request that holds none of them as it is."""
