"""Brings a JSON Schema into the form that a vendor takes, for tools and for structured output alike.

Each vendor refuses a whole request for one tool whose schema has a root it does not like. What a target does not take is not lost where it
can be said in words: it goes into the description, where the model reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.schema_soundness import MAX_DEPTH, VALUES, Mender, resolve

Profile = Literal["openai", "openai-strict", "anthropic", "anthropic-strict", "gemini"]
"""``openai`` and ``anthropic`` mend the root of a tool's schema, all that these vendors look at; the strict ones are for constrained decoding;
``gemini`` knows a small part of the language and no references."""

EMPTY: JsonObject = {"type": "object", "properties": {}}
"""The schema of a tool without arguments."""

_COMBINED = ("anyOf", "oneOf", "allOf")
_COMBINING = frozenset({"$ref", "not", "if", "then", "else", *_COMBINED})
_DEFINITIONS = ("$defs", "definitions")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A schema as the target takes it.

    :ivar changed: what was done, in words; empty: the schema is the very object that was given
    :ivar fits: constrained decoding takes the schema; only asked of the strict profiles
    """

    schema: FrozenObject
    changed: tuple[str, ...] = ()
    fits: bool = True


@by_identity(2048)
def normalise(schema: FrozenObject | None, profile: Profile, *, root: Literal["object", "any"] = "object") -> Normalised:
    """Write a schema for a target. Nobody may change the schema that was given, or the one that comes out.

    :param schema: ``None`` for a tool without arguments
    :param root: ``object`` for a tool's arguments and for structured output at every vendor known; ``any`` leaves the root's type alone
    """
    given: FrozenObject = EMPTY if schema is None else schema
    changed: list[str] = [] if schema is not None else ["none was given"]
    mended = _object_root(given, changed) if root == "object" else given
    return _PROFILES[profile](mended, changed)


# ----------------------------------------------------------------------------------------------------------------- the root


def _object_root(schema: FrozenObject, changed: list[str]) -> FrozenObject:
    """A root that says ``type: object``, has properties and combines nothing."""
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict) and not _combines(schema):
        return schema
    root = _flattened(schema, schema, changed, depth=0)
    if root.get("type") != "object":
        changed.append("its root became an object")
        root["type"] = "object"
    if not isinstance(root.get("properties"), dict):
        changed.append("its root was given properties")
        root["properties"] = {}
    return root


def _combines(schema: FrozenObject) -> bool:
    return not _COMBINING.isdisjoint(schema)


def _flattened(schema: FrozenObject, whole: FrozenObject, changed: list[str], depth: int) -> JsonObject:
    """One level without combinations: what its branches have is merged into it."""
    root = dict(schema)
    for key in ("not", "if", "then", "else"):
        if root.pop(key, None) is not None:
            changed.append(f"{key!r} at its root was left out")
    reference = root.pop("$ref", None)
    if reference is not None:
        changed.append("the reference at its root was resolved")
        found = resolve(reference, whole)
        if found is not None and depth < MAX_DEPTH:
            _merge(root, _flattened(found, whole, changed, depth + 1), every=True)
    for key in _COMBINED:
        branches = root.pop(key, None)
        if branches is None:
            continue
        changed.append(f"{key!r} at its root was merged")
        _merge_branches(root, branches, whole, changed, depth, every=key == "allOf")
    return root


def _merge_branches(
    root: JsonObject, branches: object, whole: FrozenObject, changed: list[str], depth: int, *, every: bool
) -> None:
    if not isinstance(branches, list) or depth >= MAX_DEPTH:
        return
    flat = [_flattened(branch, whole, changed, depth + 1) for branch in branches if isinstance(branch, dict)]
    objects = [branch for branch in flat if branch.get("type") in ("object", None)]
    merged: JsonObject = {}
    for position, branch in enumerate(objects):
        _merge(merged, branch, every=every or position == 0)
        if not every:
            common = set(_names(merged.get("required"))) & set(_names(branch.get("required")))
            merged["required"] = [name for name in _names(merged.get("required")) if name in common]
    _merge(root, merged, every=True)


def _merge(root: JsonObject, other: FrozenObject, *, every: bool) -> None:
    """Add what another schema of the same object has.

    :param every: what the other one requires is required here too
    """
    theirs = other.get("properties")
    if isinstance(theirs, dict) and theirs:
        ours = root.get("properties")
        merged = dict(ours) if isinstance(ours, dict) else {}
        for name, schema in theirs.items():
            known = merged.get(name)
            merged[name] = schema if known is None or known == schema else {"anyOf": [known, schema]}
        root["properties"] = merged
    if every:
        required = list(dict.fromkeys((*_names(root.get("required")), *_names(other.get("required")))))
        if required:
            root["required"] = required
    if other.get("additionalProperties") is False and "additionalProperties" not in root and every:
        root["additionalProperties"] = False
    for key in _DEFINITIONS:
        if isinstance(other.get(key), dict):
            root[key] = {**other[key], **(root.get(key) or {})}
    for key in ("title", "description", "type"):
        if other.get(key) is not None and root.get(key) is None:
            root[key] = other[key]


def _names(required: object) -> list[str]:
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


# ----------------------------------------------------------------------------------------------------------------- plain


def _plain(schema: FrozenObject, changed: list[str]) -> Normalised:
    """OpenAI's: below the root it takes what JSON Schema allows, if arrays say of what."""
    return _sound(schema, changed, lists_say_of_what=True)


def _sound(schema: FrozenObject, changed: list[str], *, lists_say_of_what: bool) -> Normalised:
    mended = Mender(schema, lists_say_of_what=lists_say_of_what).mend(schema)
    if mended is not schema:
        changed.append("what is no JSON Schema was mended")
    return Normalised(mended, tuple(dict.fromkeys(changed)))


def _anthropic(schema: FrozenObject, changed: list[str]) -> Normalised:
    """Anthropic's: any draft 2020-12, if the names of the arguments are of few letters; others are told."""
    sound = _sound(schema, changed, lists_say_of_what=False)
    held = sound.schema.get("properties")
    properties: FrozenObject = held if isinstance(held, dict) else {}
    odd = {name: schema for name, schema in properties.items() if not _ARGUMENT.fullmatch(name)}
    if not odd:
        return sound
    required = [name for name in _names(sound.schema.get("required")) if name in odd]
    fitted: JsonObject = {**sound.schema, "properties": {name: schema for name, schema in properties.items() if name not in odd}}
    if required:
        fitted["required"] = [name for name in _names(sound.schema.get("required")) if name not in odd]
    told = {"further properties": odd} | ({"required": required} if required else {})
    return Normalised(_told(fitted, told), (*sound.changed, "arguments whose names are not taken went into the description"))


_ARGUMENT = lazily(r"[a-zA-Z0-9_.-]{1,64}")
"""Names of arguments at Anthropic (400 "Property keys should match pattern")."""

# ---------------------------------------------------------------------------------------------------------- OpenAI, strict


def _openai_strict(schema: FrozenObject, changed: list[str]) -> Normalised:
    plain = _plain(schema, changed)
    return Normalised(plain.schema, plain.changed, fits=_is_strict(plain.schema, depth=0))


_NOT_STRICT = frozenset(
    {
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "oneOf",
        "unevaluatedProperties",
    }
)


def _is_strict(schema: object, depth: int) -> bool:
    """Whether OpenAI's strict mode takes a schema: every object closed, all of its properties required."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(schema, list):
        return all(_is_strict(item, depth + 1) for item in schema)
    if not isinstance(schema, dict):
        return True
    if _NOT_STRICT & schema.keys():
        return False
    properties = schema.get("properties")
    if ("object" in types_of(schema) or isinstance(properties, dict)) and not _is_closed(schema, properties):
        return False
    named = {key: value for key in ("properties", *_DEFINITIONS) if isinstance(value := schema.get(key), dict)}
    if not all(_is_strict(item, depth + 1) for values in named.values() for item in values.values()):
        return False
    return all(_is_strict(value, depth + 1) for key, value in schema.items() if key in ("items", "anyOf", "prefixItems"))


def _is_closed(schema: FrozenObject, properties: object) -> bool:
    names = properties.keys() if isinstance(properties, dict) else set()
    return schema.get("additionalProperties") is False and set(_names(schema.get("required"))) == set(names)


# ------------------------------------------------------------------------------------------------------- Anthropic, strict

MAX_STRICT_TOOLS = 20
MAX_OPTIONAL_PARAMETERS = 24
MAX_UNIONS = 16
"""Anthropic's limits on constrained decoding in one request."""

_KEPT = frozenset({"type", "enum", "const", "required", "$ref", "title", "description"})
_HOLDERS_BY_NAME = frozenset({"properties", *_DEFINITIONS})
_HOLDERS = frozenset({"anyOf", "allOf"})
_STRING_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})


def _anthropic_strict(schema: FrozenObject, changed: list[str]) -> Normalised:
    given, schema = schema, Mender(schema, lists_say_of_what=False).mend(schema)
    if schema is not given:
        changed.append("what is no JSON Schema was mended")
    recursive = _is_recursive(schema)
    fitted = schema if recursive else _anthropic_level(schema)
    same = fitted == schema
    words = changed if same else [*changed, "what constrained decoding does not take went into descriptions"]
    return Normalised(schema if same else fitted, tuple(dict.fromkeys(words)), fits=not recursive)


def _anthropic_level(schema: Any, depth: int = 0) -> Any:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return schema
    fitted: JsonObject = {}
    told: JsonObject = {}
    for key, value in schema.items():
        name = "anyOf" if key == "oneOf" else key
        if name in _HOLDERS_BY_NAME and isinstance(value, dict):
            fitted[name] = {named: _anthropic_level(item, depth + 1) for named, item in value.items()}
        elif name in _HOLDERS and isinstance(value, list):
            fitted[name] = [_anthropic_level(item, depth + 1) for item in value]
        elif name == "items":
            fitted[name] = _anthropic_level(value, depth + 1)
        elif (name in _KEPT and value is not None) or _is_taken(name, value):
            fitted[name] = value
        elif _is_told(name, value):
            told[name] = value
    if "object" in types_of(fitted) or "properties" in fitted:
        fitted["additionalProperties"] = False
    return _told(fitted, told)


def _told(schema: JsonObject, told: JsonObject) -> JsonObject:
    """What the target does not take, said in the description."""
    if told:
        words = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}" for key, value in told.items())
        schema["description"] = f"{schema['description']}\n\n{{{words}}}" if schema.get("description") else f"{{{words}}}"
    return schema


def _is_taken(key: str, value: object) -> bool:
    if key == "format":
        return isinstance(value, str) and value in _STRING_FORMATS
    return key == "minItems" and value in (0, 1)


def _is_told(key: str, value: object) -> bool:
    if key == "additionalProperties":
        # What a field without a name may hold is told; that there may be one says nothing the model could go by.
        return isinstance(value, dict) and bool(value)
    return key not in ("$schema", "$id") and value is not None


def beyond_limits(schemas: Sequence[FrozenObject]) -> Iterator[int]:
    """Positions of the strict schemas that do not fit into one request's limits at Anthropic, in order."""
    count = optional = unions = 0
    for position, schema in enumerate(schemas):
        more_optional, more_unions = _complexity(schema, depth=0)
        within = optional + more_optional <= MAX_OPTIONAL_PARAMETERS and unions + more_unions <= MAX_UNIONS
        if count == MAX_STRICT_TOOLS or not within:
            yield position
        else:
            count, optional, unions = count + 1, optional + more_optional, unions + more_unions


def _complexity(schema: object, depth: int) -> tuple[int, int]:
    """How many optional parameters and how many unions a schema holds."""
    if depth > MAX_DEPTH:
        return MAX_OPTIONAL_PARAMETERS + 1, 0
    values = schema if isinstance(schema, list) else schema.values() if isinstance(schema, dict) else ()
    inner = [_complexity(value, depth + 1) for value in values]
    optional, unions = sum(pair[0] for pair in inner), sum(pair[1] for pair in inner)
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            optional += len(properties.keys() - set(_names(schema.get("required"))))
        unions += isinstance(schema.get("type"), list) or isinstance(schema.get("anyOf"), list)
    return optional, unions


def types_of(schema: FrozenObject) -> Sequence[str]:
    """The types a schema allows by name."""
    types = schema.get("type")
    if isinstance(types, str):
        return (types,)
    return [name for name in types if isinstance(name, str)] if isinstance(types, list) else ()


def _is_recursive(schema: FrozenObject) -> bool:
    """Whether a definition leads back to itself."""
    names: dict[str, object] = {"#": schema}
    for key in _DEFINITIONS:
        held = schema.get(key)
        names |= {f"#/{key}/{name}": value for name, value in held.items()} if isinstance(held, dict) else {}
    edges = {name: set(_references(value, 0)) & names.keys() for name, value in names.items()}
    edges["#"] = set(_references({key: value for key, value in schema.items() if key not in _DEFINITIONS}, 0)) & names.keys()
    return any(name in _reachable(name, edges) for name in edges)


def _reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    open_ = list(edges[start])
    while open_:
        name = open_.pop()
        if name not in seen:
            seen.add(name)
            open_.extend(edges[name])
    return seen


def _references(schema: object, depth: int) -> Iterator[str]:
    if depth > 2 * MAX_DEPTH:
        return
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item, depth + 1)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key not in VALUES:
                yield from _references(value, depth + 1)


# ---------------------------------------------------------------------------------------------------------------- Gemini

_GEMINI_KEPT = frozenset(
    {
        "title",
        "description",
        "nullable",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "maximum",
        "propertyOrdering",
        "example",
        "default",
    }
)
_GEMINI_FORMATS = frozenset({"enum", "date-time", "int32", "int64", "float", "double"})
_MAX_UNROLLED = 2
"""How often a definition is written out within itself before it is left open."""
_MAX_RESOLVED = 200
"""References that are written out in one schema."""


def _gemini(schema: FrozenObject, changed: list[str]) -> Normalised:
    sound = Mender(schema, lists_say_of_what=True).mend(schema)
    fitted = _Gemini(sound).level(sound, ())
    if fitted == schema:
        return Normalised(schema, tuple(dict.fromkeys(changed)))
    return Normalised(fitted, tuple(dict.fromkeys((*changed, "what the target does not know went into descriptions"))))


class _Gemini:
    """Writes one schema as Gemini's ``Schema`` has it: no references, one type a level, enums of strings only."""

    def __init__(self, whole: FrozenObject) -> None:
        self._whole = whole
        self._resolved = 0

    def level(self, schema: Any, path: tuple[str, ...]) -> JsonObject:
        """One level.

        :param path: the references that led here
        """
        if not isinstance(schema, dict) or len(path) > MAX_DEPTH:
            return {"type": "object"}
        reference = schema.get("$ref")
        if reference is not None:
            return self._referred(str(reference), {key: value for key, value in schema.items() if key != "$ref"}, path)
        fitted: JsonObject = {}
        told: JsonObject = {}
        for key, value in schema.items():
            if value is None or key in (*_DEFINITIONS, "required", "additionalProperties"):
                continue
            step = _GEMINI_STEPS.get(key)
            if step is not None:
                for name, held in step(self, value, path).items():
                    (told if name.startswith(_TOLD) else fitted).setdefault(name.removeprefix(_TOLD), held)
            elif key in _GEMINI_KEPT:
                fitted[key] = value
            elif _is_told(key, value):
                told[key] = value
        self._require(fitted, schema)
        return _told(fitted, told)

    def _referred(self, reference: str, rest: JsonObject, path: tuple[str, ...]) -> JsonObject:
        found = resolve(reference, self._whole)
        self._resolved += 1
        if found is None or path.count(reference) >= _MAX_UNROLLED or self._resolved > _MAX_RESOLVED:
            return self.level({"type": "object", **rest}, (*path, reference))
        return self.level({**found, **rest}, (*path, reference))

    def _require(self, fitted: JsonObject, schema: FrozenObject) -> None:
        known = fitted.get("properties")
        required = [name for name in _names(schema.get("required")) if isinstance(known, dict) and name in known]
        if required:
            fitted["required"] = required

    def types(self, value: Any, _path: tuple[str, ...]) -> JsonObject:
        """``type``, which names one here."""
        names = types_of({"type": value})
        real = [name for name in names if name != "null"] or list(names)
        found: JsonObject = {"nullable": True} if len(real) < len(names) else {}
        if len(real) == 1:
            found["type"] = real[0]
        elif real:
            found["anyOf"] = [{"type": name} for name in real]
        return found

    def enum(self, value: Any, _path: tuple[str, ...]) -> JsonObject:
        """``enum``, which holds strings here."""
        if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            return {"type": "string", "enum": value}
        return {f"{_TOLD}enum": value}

    def const(self, value: Any, path: tuple[str, ...]) -> JsonObject:
        """``const``, an ``enum`` of one."""
        return self.enum([value], path)

    def format(self, value: Any, _path: tuple[str, ...]) -> JsonObject:
        """``format``, of which few are known."""
        return {"format": value} if isinstance(value, str) and value in _GEMINI_FORMATS else {f"{_TOLD}format": value}

    def properties(self, value: Any, path: tuple[str, ...]) -> JsonObject:
        """``properties``."""
        return (
            {"properties": {name: self.level(item, (*path, "")) for name, item in value.items()}}
            if isinstance(value, dict)
            else {}
        )

    def items(self, value: Any, path: tuple[str, ...]) -> JsonObject:
        """``items``, which must say a type here (400 "items: missing field")."""
        return {"items": self.level(value, (*path, "")) or {"type": "string"}}

    def union(self, value: Any, path: tuple[str, ...]) -> JsonObject:
        """``anyOf`` and ``oneOf``; the type "null" among them is a flag here."""
        branches = [branch for branch in value if isinstance(branch, dict)] if isinstance(value, list) else []
        real = [branch for branch in branches if branch.get("type") != "null"]
        found: JsonObject = {"nullable": True} if len(real) < len(branches) else {}
        if len(real) == 1:
            return {**self.level(real[0], (*path, "")), **found}
        return {"anyOf": [self.level(branch, (*path, "")) for branch in real], **found} if real else found

    def all_of(self, value: Any, path: tuple[str, ...]) -> JsonObject:
        """``allOf``, merged."""
        merged: JsonObject = {}
        _merge_branches(merged, value, self._whole, [], len(path), every=True)
        return self.level(merged, (*path, ""))


_TOLD = "told "
"""Before the names of what a step could only say in words."""

_GEMINI_STEPS: dict[str, Callable[[_Gemini, Any, tuple[str, ...]], JsonObject]] = {
    "type": _Gemini.types,
    "enum": _Gemini.enum,
    "const": _Gemini.const,
    "format": _Gemini.format,
    "properties": _Gemini.properties,
    "items": _Gemini.items,
    "anyOf": _Gemini.union,
    "oneOf": _Gemini.union,
    "allOf": _Gemini.all_of,
}

_PROFILES: dict[Profile, Callable[[FrozenObject, list[str]], Normalised]] = {
    "openai": _plain,
    "openai-strict": _openai_strict,
    "anthropic": _anthropic,
    "anthropic-strict": _anthropic_strict,
    "gemini": _gemini,
}
