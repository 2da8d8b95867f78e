"""Plugins that do not fit are refused at start, naming plugin and hook; any pluggy host can load ours."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pluggy
import pytest

from openclaw_oauthrouter import hookimpl, hookspecs
from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.canonical.routing import Classification, Tier
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.plugins import BUILTIN_PLUGINS, create_plugin_manager, describe


class Misspelt:
    @hookimpl
    def oauthrouter_clasify(self, features: object) -> None: ...


class WrongArguments:
    @hookimpl
    def oauthrouter_classify(self, prompt: str) -> None: ...


class NoSuchTier:
    @hookimpl
    def oauthrouter_register_tiers(self) -> dict[str, list[str]]:
        return {"HUGE": ["a/b"]}


@pytest.mark.parametrize(("plugin", "hook"), [(Misspelt(), "oauthrouter_clasify"), (WrongArguments(), "oauthrouter_classify")])
def test_manager_plugin_that_does_not_fit_is_named_with_its_hook(plugin: object, hook: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_plugin_manager(extra=[plugin], load_entry_points=False)
    assert hook in caught.value.message
    assert type(plugin).__name__ in caught.value.message


def test_manager_built_in_plugins_are_these() -> None:
    rows = describe(create_plugin_manager(load_entry_points=False))
    assert {row["plugin"] for row in rows} == set(BUILTIN_PLUGINS)
    assert all(row["hooks"] for row in rows), "a built-in plugin without hooks would be dead weight"


def test_manager_any_host_finds_us_in_the_entry_point_group() -> None:
    manager = pluggy.PluginManager("openclaw")
    manager.add_hookspecs(hookspecs)
    manager.load_setuptools_entrypoints("openclaw")
    entries = manager.hook.openclaw_register_provider(settings=load_settings(environ={}).settings)
    assert [entry.id for entry in entries] == ["oauthrouter"]
    assert "auto" in {model["id"] for model in entries[0].models}


async def test_lifecycle_hooks_run_and_their_awaitables_are_awaited(tmp_path: Any) -> None:
    from openclaw_oauthrouter import start_proxy

    happened: list[str] = []

    class Watcher:
        @hookimpl
        async def openclaw_gateway_start(self, base_url: str) -> None:
            happened.append(base_url)

        @hookimpl
        def openclaw_gateway_stop(self) -> None:
            happened.append("stop")

    async with await start_proxy(port=0, home=tmp_path, plugins=[Watcher()]) as handle:
        assert happened == [handle.base_url]
    assert happened[-1] == "stop"


async def test_manager_plugin_that_fails_at_start_leaves_no_gateway_behind(tmp_path: Any) -> None:
    from openclaw_oauthrouter import start_proxy

    address = ""

    class Fragile:
        @hookimpl
        async def openclaw_gateway_start(self, base_url: str) -> None:
            nonlocal address
            address = base_url
            raise RuntimeError("cannot start")

    with pytest.raises(RuntimeError, match="cannot start"):
        await start_proxy(port=0, home=tmp_path, plugins=[Fragile()])
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health", trust_env=False)


def test_manager_tier_that_does_not_exist_is_refused(tmp_path: Any) -> None:
    settings = load_settings(environ={}, overrides={"home": tmp_path}).settings
    with pytest.raises(ConfigurationError, match="HUGE"):
        assemble(settings, create_plugin_manager(extra=[NoSuchTier()], load_entry_points=False))


@pytest.mark.parametrize(
    "tiers",
    [
        "SIMPLE",
        ["SIMPLE"],
        {"simple": ["a/b"]},
        {"SIMPLE": "anthropic/claude-haiku-5-5"},
        {"SIMPLE": []},
        {"SIMPLE": None},
        {"SIMPLE": [5]},
        {"SIMPLE": ["a/b", ""]},
        {5: ["a/b"]},
    ],
)
def test_manager_tiers_that_are_none_are_refused_in_words(tiers: Any, tmp_path: Any) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_register_tiers(self) -> Any:
            return tiers

    settings = load_settings(environ={}, overrides={"home": tmp_path}).settings
    with pytest.raises(ConfigurationError, match="a plugin's tier"):
        assemble(settings, create_plugin_manager(extra=[Theirs()], load_entry_points=False))


@pytest.mark.parametrize("fault", ["raises", "slow", "slow to say nothing"])
def test_manager_faulty_classifier_is_passed_over_and_counted(fault: str) -> None:
    from openclaw_oauthrouter.canonical.content import TextPart
    from openclaw_oauthrouter.canonical.request import ChatRequest, Message
    from openclaw_oauthrouter.classifier.request_classifier import RequestClassifier

    ticks = iter((0.0, 1.0))
    built_in = SimpleNamespace(name="x", classify=lambda features: Classification(Tier.SIMPLE, 0.0, 1.0, "x", "built in"))

    def ask(features: object) -> Classification | None:
        if fault == "slow to say nothing":
            return None
        if fault == "raises":
            raise RuntimeError("broken")
        return Classification(Tier.REASONING, 1.0, 1.0, "third party", "slow")

    request_classifier = RequestClassifier(
        prompt_wrappers=(),
        classifiers={"economy": built_in, "balanced": built_in, "quality": built_in},
        ask_plugins=ask,
        budget_seconds=0.005,
        clock=lambda: next(ticks),
    )
    _, classified = request_classifier(ChatRequest("x", "auto", (Message("user", (TextPart("hi"),)),)), None, "balanced", 1)
    assert classified.reasoning == "built in"
    assert list(request_classifier.faults.values()) == [1]


async def test_faults_of_a_classifier_are_shown_by_doctor(tmp_path: Any) -> None:
    from click.testing import CliRunner

    from openclaw_oauthrouter import start_proxy
    from openclaw_oauthrouter.cli.root import root

    class Broken:
        @hookimpl
        def oauthrouter_classify(self) -> None:
            raise RuntimeError("broken")

    token, provider = "the-local-token", {"anthropic": {"api_key": "sk-ant-api03-x"}}
    async with await start_proxy(port=0, home=tmp_path, auth_token=token, providers=provider, plugins=[Broken()]) as handle:
        async with httpx.AsyncClient(base_url=handle.base_url, headers={"x-api-key": token}, trust_env=False) as http:
            for _ in range(2):
                assert (await http.post("/v1/route/explain", json={"prompt": "hi"})).status_code == 200
            health = (await http.get("/debug/provider-health")).json()
        assert health["classifierFaults"] == {"oauthrouter_classify raised RuntimeError": 2}
        environ = {
            "HOME": str(tmp_path),
            "OAUTHROUTER_HOME": str(tmp_path),
            "OAUTHROUTER_PORT": str(handle.port),
            "OAUTHROUTER_LOCAL_TOKEN": token,
        }
        doctor = await asyncio.to_thread(CliRunner(env=environ).invoke, root, ["doctor", "--json"])
    row = next(row for row in json.loads(doctor.stdout) if row["name"] == "classifier")
    assert row["state"] == "warning"
    assert "oauthrouter_classify raised RuntimeError: 2 times" in row["detail"]
