"""Reads the lists of models that providers give: whatever their shape, and whatever is wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.value import value

MAX_BYTES = 4 * 1024 * 1024
"""OpenRouter's list, the longest known, has less than one megabyte."""

MAX_MODELS = 5000
LONGEST_ID = 256
_PER_MILLION = 1_000_000
_FIRST_DAY = date(2020, 1, 1)
# Whoever says that a model went before there were any has said nothing.

_NO_CHAT = lazily(
    r"embed|moderation|whisper|transcri|tts|text-to-speech|audio|realtime|image|dall-e|sora|video|veo|imagen|lyria|rerank|guard|ocr|"
    r"speech|voice|live|translate|davinci|babbage|aqa|search-api|computer-use|banana|music|clip|bge-|stable-diffusion|flux|wan-?\d",
    re.IGNORECASE,
)
"""Ids of what answers no chat request; where a list says itself what a model is for, that counts."""


class ListingError(Exception):
    """What was received is no list of models; says why, without quoting it.

    :ivar status: the HTTP status, where that is why
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class EmptyListingError(ListingError):
    """Who answers is what was looked for, and serves no model (yet)."""


@value(frozen=True, slots=True)
class ListedModel:
    """One model as its provider lists it; ``None`` where the list says nothing.

    :ivar retires: the day the provider switches it off
    """

    id: str
    context_window: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    images: bool | None = None
    documents: bool | None = None
    audio: bool | None = None
    tools: bool | None = None
    display_name: str | None = None
    retires: date | None = None
    price: Price | None = None

    def as_json(self) -> dict[str, Any]:
        """What it says, for the state folder."""
        said = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        if self.retires is not None:
            said["retires"] = self.retires.isoformat()
        if self.price is not None:
            said["price"] = [self.price.input, self.price.output]
        return said

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> ListedModel:
        """The opposite.

        :raises ListingError: the file was damaged
        """
        fields = {name: value for name, value in said.items() if name in cls.__slots__}
        try:
            if "retires" in fields:
                fields["retires"] = date.fromisoformat(fields["retires"])
            if "price" in fields:
                given, taken = fields["price"]
                fields["price"] = Price(float(given), float(taken))
            found = cls(**fields)
        except (TypeError, ValueError) as error:
            raise ListingError(f"a kept list is damaged: {error}") from None
        if not isinstance(found.id, str):
            raise ListingError("a kept list is damaged: an id is no text")
        return found


def read_listing(body: bytes) -> list[ListedModel]:
    """The chat models of a list, in its order.

    Understood are the shapes of OpenAI (``data``), Anthropic, OpenRouter, Google (``models[].name``), Codex (``models[].slug``), Ollama
    (``models[].model``), LM Studio (``data[].max_context_length``), vLLM (``data[].max_model_len``), GitHub (a bare array).

    :raises EmptyListingError: it holds no chat model
    :raises ListingError: it is none of these
    """
    if len(body) > MAX_BYTES:
        raise ListingError(f"the list has more than {MAX_BYTES // 1024 // 1024} MB")
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ListingError("the answer is not JSON" + (", but a web page" if body[:512].lstrip()[:1] == b"<" else "")) from None
    rows = _rows(tree)
    if len(rows) > MAX_MODELS:
        raise ListingError(f"the list has more than {MAX_MODELS} entries")
    found: dict[str, ListedModel] = {}
    for row in rows:
        model = _model(row)
        if model is not None:
            found.setdefault(model.id, model)
    if not found:
        raise EmptyListingError("the list is empty" if not rows else "the list holds no chat model")
    return list(found.values())


def read_details(body: bytes) -> dict[str, Any] | None:
    """What Ollama's ``/api/show`` says of one model: window and abilities; ``None`` for a model that does not chat.

    :raises ListingError: it is no such answer
    """
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ListingError("the answer is not JSON") from None
    facts = _mapping(said).get("model_info")
    if not isinstance(facts, dict):
        raise ListingError("the answer says nothing of the model")
    abilities = _names(said.get("capabilities"))
    if abilities and "completion" not in abilities:
        return None
    window = next((value for name, value in facts.items() if name.endswith(".context_length")), None)
    return {
        "context_window": _number({"n": window}, "n"),
        "images": ("vision" in abilities) if abilities else None,
        "documents": False,
        "audio": ("audio" in abilities) if abilities else None,
        "tools": ("tools" in abilities) if abilities else None,
    }


def _rows(tree: object) -> list[Mapping[str, Any]]:
    if isinstance(tree, dict):
        for key in ("data", "models"):
            if isinstance(tree.get(key), list) or (key in tree and tree[key] is None):  # null: an Ollama without models
                tree = tree[key] or []
                break
    if not isinstance(tree, list):
        raise ListingError("the answer holds no list of models")
    rows: list[Mapping[str, Any]] = [row for row in tree if isinstance(row, dict) and _id(row) is not None]
    if tree and not rows:
        raise ListingError("the entries of the list have no id")
    return rows


def _id(row: Mapping[str, Any]) -> str | None:
    for key in ("slug", "id", "model", "name"):
        value = row.get(key)
        if isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_ID and value.isprintable():
            return value.strip().removeprefix("models/")
    return None


def _model(row: Mapping[str, Any]) -> ListedModel | None:
    name = _id(row)
    if name is None or not _serves_chat(row, name):
        return None
    modalities = _modalities(row)
    features = _names(row.get("supported_parameters")) | _names(row.get("capabilities"))
    return ListedModel(
        name,
        context_window=_number(row, "context_length", "context_window", "max_model_len", "max_context_length", "inputTokenLimit")
        or _number(_mapping(row.get("limits")), "max_context_window_tokens", "max_input_tokens")
        or _number(_mapping(row.get("meta")), "n_ctx_train"),
        max_input_tokens=_number(row, "max_input_tokens"),
        max_output_tokens=_number(row, "max_output_tokens", "outputTokenLimit", "max_completion_tokens", "max_tokens")
        or _number(_mapping(row.get("top_provider")), "max_completion_tokens")
        or _number(_mapping(row.get("limits")), "max_output_tokens"),
        images=("image" in modalities) if modalities else _vision(row, features),
        documents=("file" in modalities or "pdf" in modalities) if modalities & {"file", "pdf"} else None,
        audio=("audio" in modalities) if modalities else None,
        tools=_tools(row, features),
        display_name=_text(row, "display_name", "displayName", "title"),
        retires=_day(row, "shutdown_date", "deprecation_date", "retires", "expiration_date"),
        price=_price(row.get("pricing")),
    )


def _serves_chat(row: Mapping[str, Any], name: str) -> bool:
    methods = row.get("supportedGenerationMethods")
    if isinstance(methods, list):
        return "generateContent" in methods and not _NO_CHAT.search(name)
    kind = row.get("type")
    if isinstance(kind, str) and kind.lower() in (
        "embedding",
        "embeddings",
        "image",
        "audio",
        "rerank",
        "moderation",
        "transcribe",
        "video",
    ):
        return False
    output = _names(_mapping(row.get("architecture")).get("output_modalities")) | _names(row.get("supported_output_modalities"))
    if output and "text" not in output:
        return False
    if row.get("visibility") in ("hide", "none") or row.get("supported_in_api") is False:
        return False
    return not _NO_CHAT.search(name)


def _modalities(row: Mapping[str, Any]) -> set[str]:
    architecture = _mapping(row.get("architecture"))
    return (
        _names(architecture.get("input_modalities"))
        | _names(row.get("input_modalities"))
        | _names(row.get("supported_input_modalities"))
    )


def _vision(row: Mapping[str, Any], features: set[str]) -> bool | None:
    if row.get("type") == "vlm" or "vision" in features:
        return True
    return False if row.get("type") == "llm" or "completion" in features else None


def _tools(row: Mapping[str, Any], features: set[str]) -> bool | None:
    if features & {"tools", "tool_use", "tool-calling", "function-calling"}:
        return True
    # Where abilities are listed, one that is missing is not there.
    return False if isinstance(row.get("supported_parameters"), list) or "completion" in features else None


def _number(row: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9:
            return value
    return None


def _text(row: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip() and value.isprintable():
            return value.strip()[:LONGEST_ID]
    return None


def _day(row: Mapping[str, Any], *names: str) -> date | None:
    for name in names:
        found = _as_day(row.get(name))
        if found is not None and found >= _FIRST_DAY:
            return found
    return None


def _as_day(value: object) -> date | None:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return date.fromordinal(date(1970, 1, 1).toordinal() + int(value // 86400))
    except (ValueError, OverflowError):
        return None
    return None


def _price(said: object) -> Price | None:
    """OpenRouter's shape: dollars a token, as text; a negative price stands for one that varies."""
    table = _mapping(said)
    try:
        given, taken = float(table["prompt"]), float(table["completion"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (0 <= given < 1 and 0 <= taken < 1):
        return None
    return Price(round(given * _PER_MILLION, 6), round(taken * _PER_MILLION, 6))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> set[str]:
    if isinstance(value, dict):
        return {str(name) for name, said in value.items() if said not in (False, None)}
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()
