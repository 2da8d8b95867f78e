"""The one reader of client JSON: what counts as what, and the 400 that names the field in the vendor's style."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.json import MAX_INTEGER
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields, PathStyle

NESTED = {"messages": [{"content": "hi"}, {"content": [{"type": "text"}, {"source": {"data": 7}}]}]}


def refused(read: Callable[[], Any]) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize(
    ("value", "integer"),
    [(3, 3), (1.0, 1), (3e2, 300), (MAX_INTEGER, MAX_INTEGER), (None, None)],
)
def test_optional_integer_takes_numbers_without_a_fraction(value: object, integer: int | None) -> None:
    assert JsonFields({"n": value}).optional_integer("n") == integer
    assert not isinstance(JsonFields({"n": value}).optional_integer("n"), float)


@pytest.mark.parametrize("value", [True, "3", 1.5, 1e300, float("nan"), float("inf"), MAX_INTEGER + 1, 0, -1, [], {}])
def test_optional_integer_refuses_everything_else(value: object) -> None:
    error = refused(lambda: JsonFields({"n": value}).optional_integer("n"))
    assert (error.status_code, error.param) == (400, "n")


def test_optional_integer_takes_the_least_it_is_given() -> None:
    assert JsonFields({"n": 0}).optional_integer("n", least=0) == 0


@pytest.mark.parametrize(("value", "number"), [(3, 3), (0.2, 0.2), (1e300, 1e300), (None, None)])
def test_optional_number_takes_any_number(value: object, number: float | None) -> None:
    assert JsonFields({"n": value}).optional_number("n") == number


READERS: list[tuple[str, list[object], str]] = [
    ("optional_string", [1, True, [], {}], "a string"),
    ("optional_boolean", [0, 1, "true", []], "a boolean"),
    ("optional_number", [True, "1", [], {}], "a number"),
    ("optional_mapping", ["x", 1, []], "an object"),
    ("optional_nested", ["x", 1, []], "an object"),
    ("optional_list", ["x", 1, {}], "a list"),
    ("objects", ["x", 1, {}], "a list"),
    ("string_or_objects", [1, True, {}], "a string or a list of objects"),
]


@pytest.mark.parametrize(("method", "value", "wanted"), [(m, v, w) for m, values, w in READERS for v in values])
def test_json_fields_says_what_was_wanted_and_what_came(method: str, value: object, wanted: str) -> None:
    error = refused(lambda: getattr(JsonFields({"f": value}), method)("f"))
    assert error.message.startswith(f"f: expected {wanted}, not a")


@pytest.mark.parametrize("method", ["string", "name", "integer", "mapping", "nested"])
@pytest.mark.parametrize("holder", [{}, {"f": None}])
def test_required_field_is_missed_in_one_phrase(method: str, holder: dict[str, Any]) -> None:
    assert refused(lambda: getattr(JsonFields(holder), method)("f")).message == "f: it is required"


@pytest.mark.parametrize(
    "method", ["optional_string", "optional_boolean", "optional_integer", "optional_mapping", "optional_list"]
)
@pytest.mark.parametrize("holder", [{}, {"f": None}])
def test_absent_and_null_are_the_same(method: str, holder: dict[str, Any]) -> None:
    assert getattr(JsonFields(holder), method)("f") is None
    assert "f" not in JsonFields(holder)


def test_name_may_not_be_empty_and_string_may() -> None:
    assert JsonFields({"f": ""}).string("f") == ""
    assert refused(lambda: JsonFields({"f": ""}).name("f")).param == "f"


@pytest.mark.parametrize(
    ("style", "param"),
    [("brackets", "messages[1].content[1].source.data"), ("dots", "messages.1.content.1.source.data")],
)
def test_json_fields_names_a_field_in_the_style_of_its_vendor(style: PathStyle, param: str) -> None:
    message = list(JsonFields(NESTED, style).objects("messages"))[1]
    content = message.string_or_objects("content")
    assert content is not None
    assert not isinstance(content, str)
    source = list(content)[1].nested("source")
    error = refused(lambda: source.string("data"))
    assert error.param == param
    assert error.message == f"{param}: expected a string, not a number"


@pytest.mark.parametrize(("style", "param"), [("brackets", "messages[1]"), ("dots", "messages.1")])
def test_objects_names_the_entry_that_is_none(style: PathStyle, param: str) -> None:
    assert refused(lambda: list(JsonFields({"messages": [{}, 3]}, style).objects("messages"))).param == param


def test_strings_names_the_entry_that_is_none() -> None:
    assert refused(lambda: JsonFields({"stop": ["a", 3]}).strings("stop")).param == "stop[1]"
    assert JsonFields({"stop": ["a"]}).strings("stop") == ("a",)


def test_choice_lists_the_words_there_are() -> None:
    error = refused(lambda: JsonFields({"role": "owner"}).choice("role", {"user": 1, "system": 2}))
    assert error.message == "role: 'owner' is not one of user, system"


def test_refusal_of_a_whole_body_names_no_field() -> None:
    assert refused(lambda: JsonFields({}).refuse("", "it says nothing")).param is None
