"""A request: canonical -> Gemini. The model's id stands in the body as ``model``; the provider moves it into the path."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note, Reasoning, ResponseFormat
from openclaw_oauthrouter.canonical.tool_names import changed_names
from openclaw_oauthrouter.dialects.gemini_generate_content.content import ContentWriter
from openclaw_oauthrouter.dialects.gemini_generate_content.tools import encode_tools
from openclaw_oauthrouter.dialects.gemini_generate_content.vocabulary import generation_of

_OPTIONS = {"seed": "seed", "presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
"""Fields of Chat Completions that ``ChatRequest`` has no word for -> those of ``generationConfig``."""

_MOST_STOPS = 5


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a request for a model.

    :raises InvalidRequestError: a block has no counterpart in Gemini
    """
    notes: list[Note] = []
    newer = generation_of(info) >= 3
    body: JsonObject = {
        "model": info.id,
        **ContentWriter(notes, signs_calls=newer).write(request),
        **encode_tools(request, notes, mixes=newer),
    }
    config = _generation_config(request, notes, newer=newer, has_tools="tools" in body)
    if config:
        body["generationConfig"] = config
    lost = [key for key in request.native if key not in _OPTIONS]
    notes.extend(Note("dropped", field, "Gemini has no such field") for field in lost)
    return EncodedRequest(body, notes=tuple(notes), tool_names=changed_names(request.tools))


def _generation_config(request: ChatRequest, notes: list[Note], *, newer: bool, has_tools: bool) -> JsonObject:
    stops = list(request.stop[:_MOST_STOPS])
    if len(stops) < len(request.stop):
        notes.append(Note("dropped", "stop", f"Gemini takes {_MOST_STOPS} stop sequences"))
    config: JsonObject = {
        "maxOutputTokens": request.max_output_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": stops or None,
        "thinkingConfig": _thinking(request.reasoning, newer=newer),
        **{name: request.native.get(key) for key, name in _OPTIONS.items()},
    }
    format_ = request.response_format
    if format_ is not None and format_.kind != "text" and has_tools and not newer:
        notes.append(Note("dropped", "response_format", "the model takes no structured output beside tools"))
        format_ = None
    config |= _structure(format_, notes)
    return {key: value for key, value in config.items() if value is not None}


def _thinking(reasoning: Reasoning | None, *, newer: bool) -> JsonObject | None:
    """Levels for Gemini 3 and later, a budget in tokens before; both in one request are refused."""
    if reasoning is None:
        return None
    if reasoning.effort == "none":
        return {"thinkingBudget": 0} if not newer else {"thinkingLevel": "minimal"}
    shown = {"includeThoughts": True}
    if reasoning.effort is not None and newer:
        return {**shown, "thinkingLevel": reasoning.effort}
    if reasoning.budget_tokens is not None:
        return {**shown, "thinkingBudget": reasoning.budget_tokens}
    return shown if newer else {**shown, "thinkingBudget": -1}


def _structure(format_: ResponseFormat | None, notes: list[Note]) -> JsonObject:
    if format_ is None or format_.kind == "text":
        return {}
    config: JsonObject = {"responseMimeType": "application/json"}
    if format_.kind == "json_schema":
        normal = normalise(format_.schema or {}, "gemini")
        notes.extend(Note("mapped", "response_format.schema", words) for words in normal.changed)
        config["responseSchema"] = normal.schema
    return config
