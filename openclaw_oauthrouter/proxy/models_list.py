"""``GET /v1/models`` in both vendors' shapes, with what clients of OpenRouter read besides, so that a client can set itself up from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime
from typing import Any

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.model_names import comparable
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.errors import InvalidRequestError, NotFoundError
from openclaw_oauthrouter.routing.model_ids import PROFILES
from openclaw_oauthrouter.routing.tier_report import primary_of, smallest_window
from openclaw_oauthrouter.runtime import Runtime

OWNER = "oauthrouter"
MOST_AT_ONCE = 1000
AUTO_EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""What ``auto`` takes: fitting finds the nearest that the chosen model has."""

AUTO_OUTPUT = 32_000
"""Tokens that every model of the shipped tiers writes."""

_EFFORTS = ("low", "medium", "high", "xhigh", "max")


@value(frozen=True, slots=True)
class ModelEntry:
    """One model a client may ask for.

    :ivar owner: its provider
    :ivar dialect: what its provider is asked in
    :ivar price: US dollars per million tokens; ``None`` when not known
    :ivar approximate: the price is no model's own but a mean of the tiers'
    """

    name: str
    owner: str
    display_name: str
    context_window: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    inputs: tuple[str, ...] = ("text", "image", "file")
    efforts: tuple[str, ...] = ()
    tools: bool = True
    structured_output: bool = True
    thinking: Mapping[str, bool] = field(default_factory=dict)
    released: date | None = None
    retires: date | None = None
    price: Price | None = None
    approximate: bool = False
    dialect: str | None = None

    def openai(self) -> JsonObject:
        """The OpenAI shape; the rest as OpenRouter's clients read it, and limits once more under our own names."""
        return {
            "id": self.name,
            "object": "model",
            "created": _seconds(self.released),
            "owned_by": self.owner,
            "name": self.display_name,
            "context_length": self.context_window,
            "context_window": self.context_window,
            "max_output_tokens": self.max_output_tokens,
            "architecture": {
                "modality": f"{'+'.join(self.inputs)}->text",
                "input_modalities": list(self.inputs),
                "output_modalities": ["text"],
            },
            "pricing": _per_token(self.price),
            "supported_parameters": self._parameters(),
            "top_provider": {
                "context_length": self.context_window,
                "max_completion_tokens": self.max_output_tokens,
                "is_moderated": False,
            },
            "reasoning_efforts": list(self.efforts),
            "retires_at": self.retires.isoformat() if self.retires else None,
            OWNER: {"dialect": self.dialect, "price_is_approximate": self.approximate},
        }

    def _parameters(self) -> list[str]:
        names = ["max_tokens", "max_completion_tokens", "temperature", "top_p", "stop"]
        names += ["tools", "tool_choice", "parallel_tool_calls"] if self.tools else []
        names += ["response_format", "structured_outputs"] if self.structured_output else []
        return names + (["reasoning", "reasoning_effort", "include_reasoning"] if self.efforts else [])

    def anthropic(self, today: date) -> JsonObject:
        """The Anthropic shape.

        :param today: in UTC
        """
        retired = self.retires is not None and self.retires <= today
        return {
            "type": "model",
            "id": self.name,
            "display_name": self.display_name,
            "created_at": _moment(self.released or date(1970, 1, 1)),
            "lifecycle": "retired" if retired else "deprecated" if self.retires else "active",
            "deprecated_at": None,
            "retires_at": _moment(self.retires) if self.retires else None,
            "line": None,
            "max_input_tokens": self.max_input_tokens or self.context_window,
            "max_tokens": self.max_output_tokens,
            "capabilities": self._capabilities(),
        }

    def _capabilities(self) -> JsonObject:
        efforts = {name: _supported(name in self.efforts) for name in _EFFORTS}
        thinking = {name: _supported(value) for name, value in self.thinking.items()}
        nothing = _supported(False)
        return {
            "batch": nothing,
            "citations": nothing,
            "code_execution": nothing,
            "context_management": nothing,
            "effort": {**_supported(bool(self.efforts)), **efforts},
            "image_input": _supported("image" in self.inputs),
            "pdf_input": _supported("file" in self.inputs),
            "server_tools": {**nothing, "web_search": nothing, "code_execution": nothing},
            "structured_outputs": _supported(self.structured_output),
            "thinking": {**_supported(any(self.thinking.values())), "types": thinking},
        }


_OLLAMAS_TAG = ":latest"
"""What Ollama's clients put behind a name that has no tag."""


def model_entries(runtime: Runtime) -> list[ModelEntry]:
    """The automatic models, aliases, then every listed model of a provider that can be used, but for those that are retired."""
    router = runtime.pipeline.router
    auto = _automatic(runtime)
    entries = [auto("auto", "OAuthRouter auto"), *(auto(f"auto-{name}", f"OAuthRouter auto, {name}") for name in PROFILES)]
    entries += [auto(alias, alias) for alias in router.settings.aliases]
    today = router.eligibility.day()
    for name in runtime.usable_providers():
        provider = router.providers[name]
        listed = (info for info in provider.models() if today is None or info.retires is None or info.retires > today)
        entries += [_entry(info, provider.dialect, router.prices.price(info)) for info in listed]
    return entries


def named_entry(entries: Iterable[ModelEntry], name: str) -> ModelEntry | None:
    """The model of a name in any spelling that a request may use, with or without its provider; ``None`` when none is listed so."""
    asked = comparable(name.strip().removesuffix(_OLLAMAS_TAG))
    if not asked:
        return None
    return next((entry for entry in entries if asked in (comparable(entry.name), comparable(entry.name.partition("/")[2]))), None)


def _entry(info: ModelInfo, dialect: str, price: Price | None) -> ModelEntry:
    known = with_accepts(info, dialect)
    accepts = known.accepts
    inputs = ("text", *(("image",) if info.images is not False else ()), *(("file",) if info.documents is not False else ()))
    reasons = accepts is not None and accepts.reasons is not False and (accepts.reasons or accepts.efforts or accepts.budget)
    efforts = _known_efforts(accepts.efforts if accepts else None) if reasons else ()
    thinking = (
        {
            "adaptive": accepts.adaptive,
            "enabled": accepts.budget,
            "disabled": accepts.thinking_off != "never",
            "between_tools": False,
        }
        if accepts and reasons
        else dict.fromkeys(("adaptive", "enabled", "between_tools"), False) | {"disabled": True}
    )
    return ModelEntry(
        info.name,
        info.provider,
        info.display_name or readable(info.id),
        context_window=info.context_window,
        max_input_tokens=info.max_input_tokens,
        max_output_tokens=known.max_output_tokens,
        inputs=inputs,
        efforts=efforts,
        tools=info.tools,
        structured_output="json_schema" in accepts.structured_output if accepts else True,
        thinking=thinking,
        released=info.released,
        retires=info.retires,
        price=price,
        dialect=dialect,
    )


def _known_efforts(efforts: Sequence[str] | None) -> tuple[str, ...]:
    """Without the word that switches reasoning off; one that takes a budget only is reached by the usual three."""
    return tuple(name for name in efforts if name != "none") if efforts else ("low", "medium", "high")


def _automatic(runtime: Runtime) -> Any:
    """Makes the entries of what the gateway chooses for: its least window, and the mean of its tiers' prices."""
    router = runtime.pipeline.router
    primaries = [info for tier in Tier if (info := primary_of(router, tier)) is not None]
    window, price = (
        smallest_window(router),
        _mean(price for info in primaries if (price := router.prices.price(info)) is not None),
    )
    output = min((most for info in primaries if (most := info.max_output_tokens)), default=AUTO_OUTPUT)

    def entry(name: str, display_name: str) -> ModelEntry:
        return ModelEntry(
            name,
            OWNER,
            display_name,
            context_window=window,
            max_output_tokens=output,
            efforts=AUTO_EFFORTS,
            thinking={"adaptive": True, "enabled": True, "disabled": True, "between_tools": False},
            price=price,
            approximate=True,
        )

    return entry


def _mean(prices: Iterable[Price]) -> Price | None:
    known = list(prices)
    if not known:
        return None

    def of(name: str) -> float:
        return sum(getattr(price, name) if getattr(price, name) is not None else price.input for price in known) / len(known)

    return Price(of("input"), sum(price.output for price in known) / len(known), of("cache_read"), of("cache_write"))


def readable(model: str) -> str:
    """A model's id as people write its name: ``claude-haiku-4-5`` is Claude Haiku 4.5."""
    words = model.rpartition("/")[2].split("-")
    shown: list[str] = []
    for word in words:
        if word.isdigit() and len(word) <= 2 and shown and shown[-1].replace(".", "").isdigit():
            shown[-1] += f".{word}"
        else:
            shown.append(word.upper() if word in ("gpt", "glm", "ai") else word[:1].upper() + word[1:])
    return " ".join(shown).replace("GPT ", "GPT-", 1)


def openai_models(entries: Sequence[ModelEntry]) -> JsonObject:
    """The whole list, OpenAI."""
    return {"object": "list", "data": [entry.openai() for entry in entries]}


def anthropic_models(entries: Sequence[ModelEntry], words: Mapping[str, str], today: date) -> JsonObject:
    """A page of the list, Anthropic.

    :param words: of the query: ``limit``, ``after_id``, ``before_id``
    :raises InvalidRequestError: a limit that is none
    :raises NotFoundError: an id that the list does not hold
    """
    limit = _limit(words.get("limit"))
    names = [entry.name for entry in entries]
    start, end = 0, len(entries)
    if "after_id" in words:
        start = _place(names, words["after_id"]) + 1
    if "before_id" in words:
        end = _place(names, words["before_id"])
        start = max(start, end - limit)
    page = entries[start : min(end, start + limit)]
    more = start > 0 if "before_id" in words else start + len(page) < end
    data = [entry.anthropic(today) for entry in page]
    return {
        "data": data,
        "has_more": more,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


def _limit(word: str | None) -> int:
    if word is None:
        return MOST_AT_ONCE
    if not word.isdigit() or not 1 <= int(word) <= MOST_AT_ONCE:
        raise InvalidRequestError(f"limit must be a number from 1 to {MOST_AT_ONCE}, not {word[:20]!r}", param="limit")
    return int(word)


def _place(names: Sequence[str], name: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise NotFoundError(f"the list of models holds no {name[:80]!r}") from None


def _supported(value: bool) -> JsonObject:
    return {"supported": value}


def _per_token(price: Price | None) -> JsonObject | None:
    """As OpenRouter writes prices: US dollars per token, as text."""
    if price is None:
        return None
    figures = {
        "prompt": price.input,
        "completion": price.output,
        "input_cache_read": price.cache_read,
        "input_cache_write": price.cache_write,
    }
    return {
        name: f"{figure / 1_000_000:.10f}".rstrip("0").rstrip(".") or "0"
        for name, figure in figures.items()
        if figure is not None
    }


def _seconds(day: date | None) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) if day else 0


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
