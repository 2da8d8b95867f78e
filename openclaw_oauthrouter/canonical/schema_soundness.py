"""Mends what is no JSON Schema in a JSON Schema: tools of many servers bring such, and a vendor refuses the whole request for one of them.

The words of other languages for types, keywords that are null or of another kind than they must be, the tuples and exclusive bounds of older
drafts, references that lead nowhere, lists that do not say of what. A schema in which nothing is wrong is the very object that was given.
Sources: refusals that users of gateways and clients report (OpenAI "array schema missing items", "object schema missing properties", "'any'
is not valid"; Anthropic "JSON schema is invalid. It must match JSON Schema draft 2020-12", "required: Input should be a valid list").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject

MAX_DEPTH = 64
"""Levels that are followed; deeper ones are left as they are."""

VALUES = frozenset({"const", "enum", "default", "examples", "example", "required"})
"""Keywords whose value is no schema."""

_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_TYPE_NAMES = {
    "str": "string",
    "text": "string",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "none": "null",
}
"""What schemas written by hand call types."""

_BY_NAME = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_ONE = frozenset({"items", "additionalItems", "contains", "not", "if", "then", "else", "propertyNames", "unevaluatedItems"})
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_LENGTHS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"})
_NUMBERS = frozenset({"minimum", "maximum", "multipleOf", *_LENGTHS})
_STRINGS = frozenset({"title", "description", "format", "pattern", "$comment", "$id", "$schema"})
_FLAGS = frozenset({"uniqueItems", "deprecated", "readOnly", "writeOnly"})
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


class Mender:
    """Mends one schema.

    :param whole: what local references are looked up in
    :param lists_say_of_what: the target refuses an array without ``items``, tuples, and schemas that are ``true``
    """

    def __init__(self, whole: FrozenObject, *, lists_say_of_what: bool) -> None:
        self._whole = whole
        self._strict_lists = lists_say_of_what

    def mend(self, schema: FrozenObject) -> FrozenObject:
        """The schema, the same object where nothing is wrong with it."""
        if _is_plain(schema, lists_say_of_what=self._strict_lists):
            return schema
        found: FrozenObject = self._level(schema, 0)
        return found

    def _level(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict):
            return self._no_object(schema)
        if depth > MAX_DEPTH:
            return schema
        changes: JsonObject = {}
        for key, value in schema.items():
            kept = self._keyword(key, value, depth)
            if kept is not value:
                changes[key] = kept
        if changes:
            schema = {key: value for key, value in {**schema, **changes}.items() if value is not _NOTHING}
        schema = _with_newer_bounds(schema)
        return self._with_items(schema) if schema.get("type") == "array" or "items" in schema else schema

    def _no_object(self, schema: Any) -> Any:
        if isinstance(schema, bool):
            return {} if schema and self._strict_lists else schema
        return {}

    def _keyword(self, key: str, value: Any, depth: int) -> Any:
        """What a keyword's value should be: itself where it can stay, ``_NOTHING`` where the keyword cannot."""
        if key == "required" and isinstance(value, list):
            names = list(dict.fromkeys(name for name in value if isinstance(name, str)))
            return value if len(names) == len(value) else names
        if key in VALUES:
            check = _CHECKED_VALUES.get(key)
            return value if check is None or check(value) else _NOTHING
        if value is None:
            return _NOTHING
        if key == "type":
            return _type(value)
        if key in _BY_NAME:
            return self._by_name(value, depth)
        if key in _MANY:
            return self._many(value, depth)
        if key in _ONE:
            is_tuple = key == "items" and isinstance(value, list)
            return [self._level(item, depth + 1) for item in value] if is_tuple else self._level(value, depth + 1)
        if key == "additionalProperties":
            return self._level(value, depth + 1) if isinstance(value, dict) else value if isinstance(value, bool) else _NOTHING
        if key == "$ref":
            return value if self._leads_somewhere(value) else _NOTHING
        return value if _is_of_its_kind(key, value) else _NOTHING

    def _by_name(self, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            return _NOTHING
        held = {name: self._level(item, depth + 1) for name, item in value.items()}
        return value if all(held[name] is value[name] for name in held) else held

    def _many(self, value: Any, depth: int) -> Any:
        if not isinstance(value, list) or not value:
            return _NOTHING
        held = [self._level(item, depth + 1) for item in value]
        return value if all(new is old for new, old in zip(held, value, strict=True)) else held

    def _with_items(self, schema: JsonObject) -> JsonObject:
        items = schema.get("items")
        if isinstance(items, list):
            rest = {key: value for key, value in schema.items() if key not in ("items", "additionalItems")}
            if not self._strict_lists:
                return {**rest, "prefixItems": items} if items else rest
            return {**rest, "items": {"anyOf": items} if len(items) > 1 else items[0] if items else {}}
        if not self._strict_lists or isinstance(items, dict) or schema.get("type") != "array":
            return schema
        return {**schema, "items": {}}

    def _leads_somewhere(self, reference: Any) -> bool:
        if reference == "#" or (isinstance(reference, str) and not reference.startswith("#/") and reference.startswith("#")):
            return True  # an anchor's name
        return resolve(reference, self._whole) is not None


_NOTHING: Any = object()

_PLAIN_KEYS = frozenset(
    {
        "type",
        "properties",
        "description",
        "title",
        "required",
        "items",
        "enum",
        "additionalProperties",
        "default",
        "$schema",
        "anyOf",
    }
    | {"const", "format", "pattern"}
    | _NUMBERS
)


def _is_plain(whole: FrozenObject, *, lists_say_of_what: bool) -> bool:
    """Whether a schema is beyond doubt, by one quick look: a request may bring a hundred of them, and nearly all are."""
    open_: list[Any] = [whole]
    while open_:
        schema = open_.pop()
        if type(schema) is not dict or None in schema.values() or not schema.keys() <= _PLAIN_KEYS:
            return False
        kind = schema.get("type", "object")
        items = schema.get("items")
        if type(kind) is not str or kind not in _TYPES or (kind == "array" and lists_say_of_what and type(items) is not dict):
            return False
        if not _has_plain_keywords(schema):
            return False
        for held in (items, schema.get("additionalProperties")):
            if held is not None and type(held) is not bool:
                open_.append(held)
        open_ += schema.get("properties", {}).values()
        open_ += schema.get("anyOf", ())
    return True


def _has_plain_keywords(schema: JsonObject) -> bool:
    for key, value in schema.items():
        wanted = _KINDS.get(key)
        if wanted is not None and type(value) not in wanted:
            return False
    required = schema.get("required")
    if required and (any(type(name) is not str for name in required) or len(set(required)) < len(required)):
        return False
    if not schema.keys().isdisjoint(_NUMBERS) and not all(_is_of_its_kind(key, schema[key]) for key in schema.keys() & _NUMBERS):
        return False
    return bool(schema.get("enum", True)) and bool(schema.get("anyOf", True))


_KINDS: dict[str, tuple[type, ...]] = {
    "properties": (dict,),
    "required": (list,),
    "enum": (list,),
    "anyOf": (list,),
    "items": (dict,),
    "additionalProperties": (dict, bool),
    **dict.fromkeys(_STRINGS, (str,)),
    **dict.fromkeys(_NUMBERS, (int, float)),
}


def resolve(reference: object, whole: FrozenObject) -> FrozenObject | None:
    """What a local reference points to; ``None`` for any other, and for one that leads nowhere."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found: object = whole
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _type(value: Any) -> Any:
    """The name or names of types that JSON Schema knows."""
    if isinstance(value, str):
        return value if value in _TYPES else _type_named(value)
    if not isinstance(value, list):
        return _NOTHING
    if value and all(isinstance(name, str) and name in _TYPES for name in value):
        return value
    named = [_type_named(name) for name in value if isinstance(name, str)]
    known = list(dict.fromkeys(name for name in named if name is not _NOTHING))
    # One that means anything makes all of them mean that.
    return known if known and len(named) == len([name for name in named if name is not _NOTHING]) else _NOTHING


def _type_named(value: str) -> Any:
    name = value.strip().lower()
    return name if name in _TYPES else _TYPE_NAMES.get(name, _NOTHING)


def _is_of_its_kind(key: str, value: Any) -> bool:
    if key in _NUMBERS:
        return (
            _is_number(value)
            and (key not in _LENGTHS or (value >= 0 and value == int(value)))
            and (key != "multipleOf" or value > 0)
        )
    if key in _FLAGS:
        return isinstance(value, bool)
    if key in ("dependentRequired", "dependencies"):
        return isinstance(value, dict) and all(map(_is_names, value.values()))
    if key in ("$anchor", "$dynamicAnchor", "$dynamicRef", "$vocabulary"):
        return False  # nothing that a tool's schema needs, and easily wrong
    return isinstance(value, str) if key in _STRINGS else True


def _with_newer_bounds(schema: JsonObject) -> JsonObject:
    """Exclusive bounds as numbers: in older drafts they are a flag beside the bound."""
    flags = [key for key in _BOUNDS if key in schema and not _is_number(schema[key])]
    if not flags:
        return schema
    mended = dict(schema)
    for key in flags:
        flag = mended.pop(key)
        if flag is True and _is_number(mended.get(_BOUNDS[key])):
            mended[key] = mended.pop(_BOUNDS[key])
    return mended


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_CHECKED_VALUES: dict[str, Callable[[object], bool]] = {
    "required": _is_names,
    "enum": lambda value: isinstance(value, list) and bool(value),
}
