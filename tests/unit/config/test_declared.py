"""Settings read by their own types are what pydantic makes of them, and nothing is taken that pydantic refuses."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import ValidationError
from pydantic.alias_generators import to_camel, to_snake

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.declared import Declared, DoubtfulError, SecretStr, _read
from openclaw_oauthrouter.config.pydantic_model import model_of, read_by_pydantic
from openclaw_oauthrouter.config.server import ClientKeySettings, ServerSettings
from openclaw_oauthrouter.config.spelling import camel, snake


def sections(kind: Any = Settings) -> Iterator[type[Declared]]:
    """Every section there is."""
    if isinstance(kind, type) and issubclass(kind, Declared):
        yield kind
        for inner in kind.declared_types().values():
            yield from sections(inner)
    for inner in get_args(kind):
        yield from sections(inner)


SECTIONS = sorted(set(sections()), key=lambda section: section.__name__)

GIVEN: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 24, 80, 8402, 65_536, 10**12, 10**400, 0.0, 0.3, 0.5, 1.0, 1.5, -0.5, 1e300, float("inf"), float("nan"),
    "", " ", "a", "5", "05", "-5", "+5", " 5", "1_000", "5.0", "٥", "9999999999", "0.5", "true", "no", "a/b", "~", "~/x", "/x", "~nobody/x",
    "day", "Day", "auto", "text", "info", "original", "computed", "SIMPLE", "Europe/Berlin", "europe/berlin", "http://h", "https://h/", "h:80",
    "http://u:p@h", "http://h:x", "http://h?key=1", "ws://h", "https://app.example/", "[::1]:80", "bad host", b"5", b"a",
    [], ["a"], ["a/b", "c"], [1, 2], [1, 25], [0.1, 0.5], [0.5, 2], ["1", "2"], [None], [[]], (), ("a",), (1, 2, 3), (3, 1), [True], {"a"}, range(2),
    {}, {"a": "b"}, {"a": 1}, {1: "a"}, {"a": {}}, {"SIMPLE": {"primary": "a/b"}}, {"simple": {"primary": "a/b"}}, {"id": "m"}, {"port": 1},
    [{"id": "m"}], [{"id": "m", "input_price": 1}], [{"id": "m", "inputPrice": 1, "output_price": 2}], [{"id": "m", "input_price": 1, "inputPrice": 2}],
    [{"requests": 1}], [{"requests": 1, "cost": 1}], [{"cost": 1.5, "period": "week", "model": "m"}], {"a": {"api_base": "http://h/"}}, {"a": {"token": "t"}},
    {"name": "n", "value": "v"}, {"attempts": 3}, {"attempts": 0}, {"enabled": True}, {"enabled": 1}, {"enabled": "yes"}, {"unknown": 1},
    Path("~/x"), Path("x"), SecretStr("s"), ServerSettings(), ServerSettings(port=1), object(),
)  # fmt: skip
"""What may stand for any setting, right or wrong."""

REQUIRED = {"id": "m", "primary": "a/b", "provider": "p", "token": "t", "name": "n", "value": "v"}


def read_both(section: type[Declared], words: Any) -> tuple[Any, Any]:
    """What the types make of it, and what pydantic does, ``None`` when it refuses; twice ``None`` when the types leave it to pydantic."""
    try:
        ours = _read(section, words)
    except DoubtfulError:
        return None, None
    try:
        return ours, read_by_pydantic(section, words)
    except ValidationError:
        return ours, None


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_declared_settings_are_read_as_pydantic_reads_them(section: type[Declared]) -> None:
    needed = {name: REQUIRED[name] for name, setting in section.model_fields.items() if setting.is_required()}
    if section.__name__ == "BudgetSettings":
        needed["requests"] = 1
    taken = 0
    for name in section.model_fields:
        for spelling in {name, camel(name)}:
            for value in GIVEN:
                words = {**{key: kept for key, kept in needed.items() if key != name}, spelling: value}
                ours, theirs = read_both(section, words)
                if ours is not None:
                    taken += 1
                    assert theirs is not None, (spelling, value)
                    assert ours == theirs, (spelling, value)
                    assert repr(ours[0]) == repr(theirs[0]), (spelling, value)
    assert taken >= 2 * len(section.model_fields)  # else nothing would have been compared


@pytest.mark.parametrize(
    "words",
    [
        {"server": {"port": 1, "clientKeys": {"a": {"token": "t", "dailyCostBudget": 2}}}, "providers": {"x": {"models": ["a"]}}},
        {"routing": {"tiers": {"SIMPLE": {"primary": "a/b", "fallback": ["c/d"]}}}, "spendControls": {"budgets": [{"cost": 1}]}},
        {"rate_limit_fallback": {"chain": [{"provider": "p", "modelMap": {"a": "b"}}]}, "home": "~/x"},
    ],
)
def test_usual_files_need_no_pydantic(words: dict[str, Any]) -> None:
    ours, theirs = read_both(Settings, words)
    assert ours is not None
    assert ours == theirs


def test_section_is_a_value() -> None:
    one = ServerSettings(port=1)
    assert one == ServerSettings(port=1) != ServerSettings(port=2)
    assert (one.model_fields_set, one.model_copy(update={"workers": 2}).model_fields_set) == ({"port"}, {"port", "workers"})
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    assert hash(ClientKeySettings(token="a")) == hash(ClientKeySettings(token="a"))
    assert "private" not in repr(ClientKeySettings(token="private"))


def test_section_is_dumped_as_a_model_is() -> None:
    settings = Settings(home="/h", server={"auth_token": "secret", "client_keys": {"a": {"token": "t"}}})
    assert settings.model_dump(include={"home": True, "server": {"port", "auth_token"}}, exclude_unset=True) == {
        "home": Path("/h"),
        "server": {"auth_token": SecretStr("secret")},
    }
    assert settings.model_dump(mode="json", include={"home", "server"}, exclude_unset=True) == {
        "home": "/h",
        "server": {"auth_token": "**********", "client_keys": {"a": {"token": "**********"}}},
    }
    for section in (settings.upstream, settings.spend_controls, settings.telemetry):
        assert section.model_dump(mode="json") == model_of(type(section))().model_dump(mode="json")


def test_what_is_wrong_is_told_all_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({"server": {"port": -1, "worker": 1}, "demo": "perhaps"})
    assert [error["loc"] for error in raised.value.errors()] == [("demo",), ("server", "port"), ("server", "worker")]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_camel_is_what_pydantic_takes_for_it(section: type[Declared]) -> None:
    for name in section.model_fields:
        assert camel(name) == to_camel(name)
        assert snake(camel(name)) == to_snake(to_camel(name))


@given(st.text("abzABZ09_-", max_size=12))
def test_snake_is_what_pydantic_takes_for_it(name: str) -> None:
    assert snake(name) == to_snake(name)
