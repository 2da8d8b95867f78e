"""JSON Schemas as each vendor takes them."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from openclaw_oauthrouter.canonical.json_schema import MAX_STRICT_TOOLS, Profile, beyond_limits, normalise

Schema = dict[str, Any]
PROFILES: tuple[Profile, ...] = ("openai", "openai-strict", "anthropic", "anthropic-strict", "gemini")
TEXT: Schema = {"type": "string"}
NODE: Schema = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}

ODD_ROOTS: dict[str, Schema | None] = {
    "none": None,
    "empty": {},
    "no properties": {"type": "object"},
    "no type": {"properties": {"q": TEXT}},
    "type null": {"type": None, "properties": {"q": TEXT}},
    "properties null": {"type": "object", "properties": None},
    "anyOf": {"anyOf": [{"type": "object", "properties": {"a": TEXT}, "required": ["a"]}, {"properties": {"b": TEXT}}]},
    "oneOf": {"type": "object", "oneOf": [{"properties": {"a": TEXT}}, {"properties": {"a": {"type": "integer"}}}]},
    "allOf": {
        "allOf": [{"properties": {"a": TEXT}, "required": ["a"]}, {"$ref": "#/$defs/x"}],
        "$defs": {"x": {"properties": {"b": TEXT}}},
    },
    "reference": {"$ref": "#/definitions/x", "definitions": {"x": {"type": "object", "properties": {"a": TEXT}}}},
    "lost reference": {"$ref": "#/$defs/nowhere"},
    "foreign reference": {"$ref": "https://example.org/schema.json"},
    "itself": {"$ref": "#"},
    "circle": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "not": {"type": "object", "properties": {"a": TEXT}, "not": {"required": ["a"]}},
    "conditions": {"type": "object", "properties": {"a": TEXT}, "if": {"required": ["a"]}, "then": {}, "else": {}},
    "an array": {"type": "array", "items": TEXT},
    "type list": {"type": ["object", "null"], "properties": {"a": TEXT}},
    "branches that are none": {"anyOf": "x", "oneOf": [1, None], "allOf": {}},
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ODD_ROOTS)
def test_normalise_gives_every_schema_a_root_that_all_vendors_take(name: str, profile: Profile) -> None:
    given = ODD_ROOTS[name]
    before = json.dumps(given)
    found = normalise(given, profile)
    assert found.schema["type"] == "object"
    assert isinstance(found.schema["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "not", "$ref", "if", "then", "else"} & found.schema.keys()
    assert found.changed
    assert json.dumps(given) == before, "the client's schema was changed"


def test_normalise_merges_branches() -> None:
    found = normalise(ODD_ROOTS["anyOf"], "anthropic").schema
    assert found == {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    both = normalise(ODD_ROOTS["allOf"], "openai").schema
    assert both["properties"] == {"a": TEXT, "b": TEXT}
    assert both["required"] == ["a"]
    either = normalise(ODD_ROOTS["oneOf"], "openai").schema
    assert either["properties"] == {"a": {"anyOf": [TEXT, {"type": "integer"}]}}


def test_normalise_requires_what_every_alternative_requires() -> None:
    branches = [{"properties": {"a": TEXT, "b": TEXT}, "required": ["a", "b"]}, {"properties": {"a": TEXT}, "required": ["a"]}]
    found = normalise({"anyOf": branches, "properties": {"c": TEXT}, "required": ["c"]}, "openai").schema
    assert sorted(found["required"]) == ["a", "c"]


@pytest.mark.parametrize("profile", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"anyOf": [TEXT, {"type": "null"}]}}, "$defs": {"node": NODE}, "x-own": 1},
        {"type": "object", "properties": {"type": TEXT, "a": {"enum": [None, "x"], "default": None}, "b": {"const": None}}},
    ],
)
def test_normalise_returns_the_same_object_when_the_root_is_right(schema: Schema, profile: Profile) -> None:
    found = normalise(schema, profile)
    assert found.schema is schema
    assert found.changed == ()


def test_normalise_takes_null_types_out_wherever_they_are() -> None:
    found = normalise({"type": "object", "properties": {"a": {"type": None, "items": [{"type": None}]}}}, "openai").schema
    assert found["properties"]["a"] == {"items": {}}


STRICT = {"type": "object", "properties": {"a": TEXT}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "openai", "anthropic"),
    [
        (STRICT, True, True),
        ({**STRICT, "required": []}, False, True),
        ({**STRICT, "properties": {"a": {"type": "object", "properties": {"b": TEXT}}}}, False, True),
        ({**STRICT, "properties": {"a": {"allOf": [TEXT]}}}, False, True),
        (
            {**STRICT, "$defs": {"node": {**NODE, "additionalProperties": False}}, "properties": {"a": {"$ref": "#/$defs/node"}}},
            True,
            False,
        ),
        ({**STRICT, "properties": {"a": {"type": "array", "items": STRICT}}}, True, True),
    ],
)
def test_normalise_says_whether_constrained_decoding_takes_a_schema(schema: Schema, openai: bool, anthropic: bool) -> None:
    assert normalise(schema, "openai-strict").fits is openai
    assert normalise(schema, "anthropic-strict").fits is anthropic


def test_normalise_tells_anthropic_in_words_what_it_does_not_take() -> None:
    schema = {**STRICT, "properties": {"a": {"type": "string", "minLength": 3, "format": "date", "description": "A day."}}}
    found = normalise(schema, "anthropic-strict").schema["properties"]["a"]
    assert found == {"type": "string", "format": "date", "description": "A day.\n\n{minLength: 3}"}


def test_normalise_writes_references_out_for_gemini() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/colour"},
            "b": {"anyOf": [TEXT, {"type": "null"}]},
            "c": {"type": ["integer", "null"]},
            "d": {"const": "x"},
            "e": {"enum": [1, 2]},
            "f": {"$ref": "#/$defs/node"},
        },
        "required": ["a", "gone"],
        "additionalProperties": False,
        "$defs": {"colour": {"enum": ["red"]}, "node": NODE},
    }
    found = normalise(schema, "gemini").schema
    text = json.dumps(found)
    assert "$ref" not in text
    assert "$defs" not in text
    assert "additionalProperties" not in text
    assert found["required"] == ["a"]
    assert found["properties"]["a"] == {"type": "string", "enum": ["red"]}
    assert found["properties"]["b"] == {"type": "string", "nullable": True}
    assert found["properties"]["c"] == {"type": "integer", "nullable": True}
    assert found["properties"]["d"] == {"type": "string", "enum": ["x"]}
    assert found["properties"]["e"] == {"description": "{enum: [1,2]}"}


def test_normalise_ends_where_definitions_multiply() -> None:
    defs = {f"n{i}": {"type": "object", "properties": {f"p{j}": {"$ref": f"#/$defs/n{j}"} for j in range(8)}} for i in range(8)}
    found = normalise({"type": "object", "properties": {"a": {"$ref": "#/$defs/n0"}}, "$defs": defs}, "gemini")
    assert len(json.dumps(found.schema)) < 100_000


@pytest.mark.parametrize("profile", PROFILES)
def test_normalise_survives_any_depth(profile: Profile) -> None:
    schema: Schema = {"type": None}
    for key in ("anyOf", "properties") * 150:
        schema = {"anyOf": [schema]} if key == "anyOf" else {"type": "object", "properties": {"a": schema}}
    assert normalise(schema, profile).schema["type"] == "object"


def test_beyond_limits_names_the_tools_that_are_too_many() -> None:
    assert list(beyond_limits([STRICT] * (MAX_STRICT_TOOLS + 2))) == [MAX_STRICT_TOOLS, MAX_STRICT_TOOLS + 1]
    wide = {**STRICT, "required": [], "properties": {f"p{number}": TEXT for number in range(25)}}
    assert list(beyond_limits([wide, STRICT])) == [0]


ODD_SCHEMAS: dict[str, Any] = {
    "array of nothing": {"type": "array"},
    "array of arrays of nothing": {"type": "array", "items": {"type": "array"}},
    "nullable array of nothing": {"anyOf": [{"type": "array"}, {"type": "null"}]},
    "tuple": {"type": "array", "items": [TEXT, {"type": "integer"}], "additionalItems": False},
    "empty tuple": {"type": "array", "items": []},
    "true": True,
    "null": None,
    "required null": {"type": "object", "properties": {"a": TEXT}, "required": None},
    "required of draft 3": {"type": "string", "required": True},
    "type any": {"type": "any"},
    "type in capitals": {"type": "STRING"},
    "type of Python": {"type": "dict", "properties": {"a": {"type": "str"}, "b": {"type": "list", "items": {"type": "int"}}}},
    "types, one unknown": {"type": ["string", "File"]},
    "bounds of draft 4": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
    "empty enum": {"type": "string", "enum": []},
    "empty anyOf": {"anyOf": []},
    "lost reference": {"$ref": "#/components/schemas/X"},
    "foreign reference": {"$ref": "https://example.org/x.json", "description": "d"},
    "description null": {"type": "string", "description": None, "default": None},
    "length in words": {"type": "string", "maxLength": "20"},
    "properties as a list": {"type": "object", "properties": [{"name": "a"}]},
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ODD_SCHEMAS)
def test_normalise_mends_what_is_no_schema_below_the_root(name: str, profile: Profile) -> None:
    given = {"type": "object", "properties": {"a": ODD_SCHEMAS[name], "list": {"type": "array", "items": ODD_SCHEMAS[name]}}}
    before = json.dumps(given)
    found = normalise(given, profile)
    assert json.dumps(given) == before
    assert set(found.schema["properties"]) == {"a", "list"}
    if profile != "gemini":  # its schemas are a language of their own
        assert jsonschema_rs.meta.is_valid(found.schema)
    for level in levels(found.schema):
        assert None not in [value for key, value in level.items() if key not in ("default", "const")]
        if profile in ("openai", "openai-strict", "gemini"):
            assert level.get("type") != "array" or isinstance(level.get("items"), dict)
    again = normalise(found.schema, profile)
    assert again.schema == found.schema


def levels(schema: Any) -> list[Schema]:
    held = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    return ([schema] if isinstance(schema, dict) else []) + [level for item in held for level in levels(item)]


def test_normalise_reads_the_words_of_other_languages_for_types() -> None:
    given = {"type": "OBJECT", "properties": {"a": {"type": "str"}, "b": {"type": "List"}, "c": {"type": "any"}}}
    found = normalise(given, "anthropic").schema
    assert found == {"type": "object", "properties": {"a": TEXT, "b": {"type": "array"}, "c": {}}}


def test_normalise_turns_bounds_of_older_drafts_into_numbers() -> None:
    bounds = {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}
    found = normalise({"type": "object", "properties": {"a": bounds}}, "anthropic").schema["properties"]["a"]
    assert found == {"type": "number", "exclusiveMinimum": 0, "maximum": 9}


def test_normalise_tells_arguments_whose_names_anthropic_does_not_take() -> None:
    given = {"type": "object", "properties": {"$schema": TEXT, "a b": TEXT, "c": TEXT}, "required": ["a b", "c"]}
    found = normalise(given, "anthropic").schema
    assert found["properties"] == {"c": TEXT}
    assert found["required"] == ["c"]
    assert "a b" in found["description"]
    assert "$schema" in found["description"]
    assert normalise(given, "openai").schema is given
