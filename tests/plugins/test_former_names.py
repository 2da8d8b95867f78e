"""Hooks and their arguments keep working under their former names for one release, with a warning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.canonical import routing
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.canonical.routing import ModelInfo, Price
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.health.failures import FailureTable
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible


class Former:
    """A plugin written for the first edition."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def oauthrouter_register_model_cards(self) -> Sequence[ModelInfo]:
        return [ModelInfo("openai", "house-model", context_window=1234)]

    @hookimpl
    def oauthrouter_register_envelopes(self) -> Sequence[Any]:
        self.seen.append("envelopes")
        return []

    @hookimpl
    def oauthrouter_register_providers(self, cards: Sequence[ModelInfo]) -> Sequence[OpenAICompatible]:
        self.seen += [info.id for info in cards if info.id == "house-model"]
        return []

    @hookimpl
    def oauthrouter_price_model(self, card: ModelInfo) -> Price | None:
        return Price(1.0, 2.0) if card.id == "house-model" else None


async def test_former_hook_names_work_and_warn(tmp_path: Path) -> None:
    plugin = Former()
    with pytest.warns(DeprecationWarning, match="is now") as warned:
        manager = create_plugin_manager(extra=[plugin], load_entry_points=False)
    said = " ".join(str(warning.message) for warning in warned)
    for name in ("oauthrouter_register_model_cards", "oauthrouter_register_envelopes", "'cards'", "'card'"):
        assert name in said
    runtime = assemble(load_settings(environ={}, overrides={"home": tmp_path}).settings, manager)
    try:
        assert plugin.seen == ["house-model", "envelopes"]
        info = runtime.pipeline.router.providers["openai"].model_info("house-model")
        assert info is not None
        assert info.context_window == 1234
        assert runtime.pipeline.router.prices.price(info) == Price(1.0, 2.0)
    finally:
        await runtime.aclose()


@pytest.mark.parametrize(("former", "present"), [("ModelCard", "ModelInfo"), ("Hop", "Candidate")])
def test_former_class_names_work_and_warn(former: str, present: str) -> None:
    with pytest.warns(DeprecationWarning, match=present):
        assert getattr(routing, former) is getattr(routing, present)


def test_failure_table_takes_actions_under_their_former_names_and_warns() -> None:
    rule = FailureRule("teapot", "it is one", "provider", ("retry", "next_hop", "larger_hop"), None, "418")  # type: ignore[arg-type]
    with pytest.warns(DeprecationWarning, match="next_candidate"):
        table = FailureTable([rule])
    assert table.rules[0].actions == ("retry", "next_candidate", "larger_candidate")
