"""What a client means by ``model``."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.model_names import comparable, normalise
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.errors import InvalidRequestError, ModelNotFoundError
from openclaw_oauthrouter.routing.model_ids import Auto, resolve, shown_model
from tests.unit.routing.world import FakeProvider, providers

HAIKU = ModelInfo("anthropic", "claude-haiku-4-5")
PROVIDERS = providers(
    FakeProvider("anthropic", (HAIKU,), any_model=True),
    FakeProvider("openai-codex", any_model=True),
    FakeProvider("openai", any_model=True),
    FakeProvider(
        "mine", tuple(ModelInfo("mine", name) for name in ("meta/llama-4", "claude-haiku-4-5", "anthropic/claude-haiku-4.5"))
    ),
)
ALIASES = {"cheap": "anthropic/claude-haiku-4-5", "best": "auto-quality", "Old.Name-1.5": "mine/meta/llama-4"}


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("auto", None),
        ("oauthrouter/auto", None),
        ("  auto ", None),
        ("auto-economy", "economy"),
        ("auto-balanced", "balanced"),
        ("oauthrouter/auto-quality", "quality"),
        ("best", "quality"),
        ("autopilot", None),
    ],
)
def test_model_ids_router_shall_choose(model: str, profile: str | None) -> None:
    assert resolve(model, PROVIDERS, ALIASES, ()) == Auto(profile)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("oauthrouter/anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("anthropic/claude-opus-9", "anthropic/claude-opus-9"),
        ("claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("mine/anthropic/claude-haiku-4.5", "mine/anthropic/claude-haiku-4.5"),
        ("mine/claude-haiku-4-5", "mine/claude-haiku-4-5"),
        ("mine/meta/llama-4", "mine/meta/llama-4"),
        ("meta/llama-4", "mine/meta/llama-4"),
        ("small", "alpha/small"),
        ("cheap", "anthropic/claude-haiku-4-5"),
        ("Old.Name-1.5", "mine/meta/llama-4"),
        ("gpt-5.4", "openai-codex/gpt-5.4"),
        ("o3-mini", "openai/o3-mini"),
    ],
)
def test_model_ids_model_is_found(model: str, name: str) -> None:
    found = resolve(model, PROVIDERS, ALIASES, ())
    assert isinstance(found, ModelInfo)
    assert found.name == name


@pytest.mark.parametrize(
    ("model", "usable", "provider"),
    [
        ("gpt-5.4", ["openai"], "openai"),
        ("gpt-5.4", ["openai-codex", "openai"], "openai-codex"),
        ("claude-haiku-4-5", ["mine"], "mine"),
        ("claude-haiku-4-5", ["mine", "anthropic"], "anthropic"),
    ],
)
def test_model_ids_bare_id_goes_to_a_provider_with_a_credential(model: str, usable: list[str], provider: str) -> None:
    found = resolve(model, PROVIDERS, {}, usable)
    assert isinstance(found, ModelInfo)
    assert found.provider == provider


@pytest.mark.parametrize("model", ["", "   ", "oauthrouter/"])
def test_model_ids_empty_id_is_refused(model: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        resolve(model, PROVIDERS, {}, ())
    assert refused.value.param == "model"


@pytest.mark.parametrize(
    ("model", "hint"),
    [("alpha/smal", "alpha/small"), ("midle", "middle"), ("nobody/xyzzy", "GET /v1/models")],
)
def test_model_ids_unknown_id_names_what_comes_close(model: str, hint: str) -> None:
    with pytest.raises(ModelNotFoundError, match="no configured provider serves") as missing:
        resolve(model, providers(), {}, ())
    assert hint in missing.value.message


@pytest.mark.parametrize(
    ("requested", "shown"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("oauthrouter/anthropic/claude-haiku-4.5", "oauthrouter/anthropic/claude-haiku-4.5"),
        ("auto", "anthropic/claude-haiku-4-5"),
        ("claude-opus-4-6", "anthropic/claude-haiku-4-5"),
    ],
)
def test_model_ids_answer_carries_the_clients_own_spelling_of_its_model(requested: str, shown: str) -> None:
    assert shown_model(requested, HAIKU) == shown


def test_model_ids_id_keeps_its_spelling() -> None:
    assert normalise(" oauthrouter/openai/gpt-5.4 ") == "openai/gpt-5.4"
    assert normalise("openrouter/anthropic/claude-haiku-4.5") == "openrouter/anthropic/claude-haiku-4.5"


def test_comparable_ids_are_those_of_one_model() -> None:
    assert comparable("claude-opus-4.6-20260101") == comparable("oauthrouter/Claude-Opus-4-6-20260101")
    assert comparable("gpt-5.4") != comparable("gpt-5-4")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("openai/gpt-5.4-mni", "openai/gpt-5.4-mini"), ("anthropic/claude-hiaku-4-5", "anthropic/claude-haiku-4-5")],
)
def test_model_ids_slip_of_the_fingers_is_refused_and_named(asked: str, meant: str) -> None:
    vendors: dict[str, Any] = {
        "openai": FakeProvider("openai", (ModelInfo("openai", "gpt-5.4-mini"), ModelInfo("openai", "gpt-4.1")), any_model=True),
        "anthropic": FakeProvider("anthropic", (HAIKU,), any_model=True),
    }
    with pytest.raises(ModelNotFoundError, match=meant):
        resolve(asked, vendors, {}, ())


@pytest.mark.parametrize(
    "asked", ["openai/gpt-6.9-sol", "openai/gpt-5.4-mini-2026-03-17", "openai/gpt-4o-audio-preview", "openai/ft:gpt-4.1:me"]
)
def test_model_ids_model_that_may_be_new_is_the_vendors_to_judge(asked: str) -> None:
    vendors: dict[str, Any] = {
        "openai": FakeProvider("openai", (ModelInfo("openai", "gpt-5.4-mini"), ModelInfo("openai", "gpt-4.1")), any_model=True)
    }
    found = resolve(asked, vendors, {}, ())
    assert isinstance(found, ModelInfo)
    assert found.name == asked


def test_model_ids_name_too_long_to_be_one_is_refused_before_it_is_compared() -> None:
    with pytest.raises(InvalidRequestError, match="256") as refused:
        resolve("x" * 1_000_000, PROVIDERS, {}, ())
    assert len(refused.value.message) < 200
