"""Fits a JSON Schema to what Anthropic's constrained decoding takes.

What it does not take (bounds, patterns, lengths, defaults) is not lost: it goes into the description, where the model reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject

MAX_STRICT_TOOLS = 20
MAX_OPTIONAL_PARAMETERS = 24
MAX_UNIONS = 16

_KEPT = frozenset({"type", "enum", "const", "required", "$ref", "title", "description"})
_STRING_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})


def fit_schema(schema: Any) -> Any:
    """A schema that constrained decoding takes, as close to the given one as it can be."""
    if not isinstance(schema, dict):
        return schema
    fitted: JsonObject = {}
    told: JsonObject = {}
    for key, value in schema.items():
        name = "anyOf" if key == "oneOf" else key
        step = _STEPS.get(name)
        if step is not None:
            fitted[name] = step(value)
        elif name in _KEPT or _is_taken(name, value):
            fitted[name] = value
        elif _is_told(name, value):
            told[name] = value
    if "object" in _types(fitted) or "properties" in fitted:
        fitted["additionalProperties"] = False
    if told:
        words = ", ".join(f"{key}: {orjson.dumps(value).decode()}" for key, value in told.items())
        fitted["description"] = f"{fitted['description']}\n\n{{{words}}}" if fitted.get("description") else f"{{{words}}}"
    return fitted


def _types(schema: FrozenObject) -> Sequence[str]:
    types = schema.get("type")
    if isinstance(types, str):
        return (types,)
    return types if isinstance(types, list) else ()


def is_fit(schema: FrozenObject) -> bool:
    """Whether constrained decoding takes the schema exactly as it is."""
    return bool(fit_schema(dict(schema)) == schema)


def beyond_limits(strict_tools: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """The tools, in order, that do not fit into one request's limits for strict tools."""
    count = optional = unions = 0
    for tool in strict_tools:
        more_optional, more_unions = _complexity(tool["input_schema"])
        within = optional + more_optional <= MAX_OPTIONAL_PARAMETERS and unions + more_unions <= MAX_UNIONS
        if count == MAX_STRICT_TOOLS or not within:
            yield tool
        else:
            count, optional, unions = count + 1, optional + more_optional, unions + more_unions


def _complexity(schema: object) -> tuple[int, int]:
    """How many optional parameters and how many unions a schema holds."""
    if isinstance(schema, list):
        inner = [_complexity(item) for item in schema]
    elif isinstance(schema, dict):
        inner = [_complexity(value) for value in schema.values()]
    else:
        return 0, 0
    optional, unions = sum(pair[0] for pair in inner), sum(pair[1] for pair in inner)
    if isinstance(schema, dict):
        optional += _optional(schema)
        unions += isinstance(schema.get("type"), list) or isinstance(schema.get("anyOf"), list)
    return optional, unions


def _optional(schema: FrozenObject) -> int:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return 0
    named = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    return len(properties.keys() - named)


def _is_taken(key: str, value: object) -> bool:
    if key == "format":
        return isinstance(value, str) and value in _STRING_FORMATS
    return key == "minItems" and value in (0, 1)


def _is_told(key: str, value: object) -> bool:
    if key == "additionalProperties":
        # What a field without a name may hold is told; that there may be one says nothing the model could go by.
        return isinstance(value, dict) and bool(value)
    return key not in ("$schema", "$id")


def _each_value(value: Any) -> Any:
    return {name: fit_schema(item) for name, item in value.items()} if isinstance(value, dict) else value


def _each_item(value: Any) -> Any:
    return [fit_schema(item) for item in value] if isinstance(value, list) else value


_STEPS: dict[str, Callable[[Any], Any]] = {
    "properties": _each_value,
    "$defs": _each_value,
    "definitions": _each_value,
    "items": fit_schema,
    "anyOf": _each_item,
    "allOf": _each_item,
}
