"""Notices: what is worth one, that each is told once, and how it reaches the desktop."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.notices import NoticeSettings
from openclaw_oauthrouter.errors import CredentialExpired
from openclaw_oauthrouter.proxy.notice_watch import NoticeWatch, desktop_command
from openclaw_oauthrouter.proxy.notices import NewNotices, Notice, notices_of

NOW = 1_795_910_400.0  # 2026-11-29 in UTC


class Source:
    """Holds one key; asked after another provider, or once it is broken, it says so."""

    name = "store"

    def __init__(self, problem: str | None = None) -> None:
        self.problem = problem

    def find(self, provider: str) -> list[Credential]:
        if provider != "groq":
            return []
        if self.problem:
            raise CredentialExpired(self.problem)
        return [Credential("groq:key", "groq", "api_key", Secret("x"), "store")]


def runtime(
    *, windows: Any = (), cooldowns: Any = (), retires: date | None = None, notices: Any = None, source: Any = None
) -> Any:
    settings = Settings.model_validate({"notices": notices or {}, "routing": {"aliases": {"old": "groq/old"}}})
    infos = {"groq/old": ModelInfo("groq", "old", retires=retires, successor="groq/new"), "groq/new": ModelInfo("groq", "new")}
    choosing = SimpleNamespace(chains={tier: ["groq/new"] for tier in Tier}, model_info=infos.get)

    async def spend() -> dict[str, Any]:
        return {"budgets": []}

    return SimpleNamespace(
        settings=settings,
        health=SimpleNamespace(snapshot=lambda: {"windows": list(windows), "cooldowns": list(cooldowns)}),
        spend=SimpleNamespace(snapshot=spend),
        credentials=SimpleNamespace(sources=[source or Source()]),
        pipeline=SimpleNamespace(router=SimpleNamespace(choosing=choosing, settings=settings.routing)),
    )


def window(used: float, *, exhausted: bool = False, **more: Any) -> dict[str, Any]:
    whose = {"provider": "anthropic", "credential": "max", "model": None, "window": "5h"}
    return {**whose, "used": used, "exhausted": exhausted, "resets_at": "2026-11-29T05:00:00+00:00", **more}


def budget(used: int, warning: float | None) -> dict[str, Any]:
    return {
        "period": "day",
        "quantity": "microdollars",
        "scope": "",
        "used": used,
        "most": 5_000_000,
        "warning": warning,
        "resetsAt": NOW + 60,
    }


def cooldown(reason: str, scope: str = "credential") -> dict[str, Any]:
    return {"scope": scope, "provider": "groq", "name": "groq:key", "reason": reason}


@pytest.mark.parametrize(
    ("world", "spend", "level", "words"),
    [
        ({"windows": [window(0.84)]}, [], "warn", "84% of the 5h window of anthropic max is used"),
        ({"windows": [window(1.0, exhausted=True)]}, [], "bad", "the 5h window of anthropic max is used up"),
        ({}, [budget(4_200_000, 0.8)], "warn", "84% of the budget of 5.00 dollars a day is used"),
        ({}, [budget(5_000_000, 0.95)], "bad", "the budget of 5.00 dollars a day is used up"),
        ({"cooldowns": [cooldown("authentication failed (401)")]}, [], "bad", "groq refuses 'groq:key'"),
        ({"retires": date(2026, 12, 9)}, [], "warn", "groq/old (alias old) retires on 2026-12-09; groq/new takes its place"),
        ({"retires": date(2026, 11, 1)}, [], "bad", "groq/old (alias old) was retired on 2026-11-01"),
    ],
)  # fmt: skip
def test_notices_of_tells_what_is_worth_knowing(world: Any, spend: Any, level: str, words: str) -> None:
    [notice] = notices_of(runtime(**world), {"budgets": spend}, NOW)
    assert (notice.level, notice.words.startswith(words)) == (level, True), notice.words


@pytest.mark.parametrize(
    ("world", "spend"),
    [
        ({"windows": [window(0.5)]}, []),
        ({"windows": [window(0.95, resets_at="2026-11-28T23:59:59+00:00")]}, []),
        ({"windows": [window(0.99, model="claude")]}, []),
        ({"windows": [window(0.84)], "notices": {"window_at": 0.9}}, []),
        ({}, [budget(1_000_000, None)]),
        ({"cooldowns": [cooldown("rate limited")]}, []),
        ({"cooldowns": [cooldown("authentication failed", scope="model")]}, []),
        ({"retires": date(2027, 6, 1)}, []),
        ({"retires": date(2026, 12, 9), "notices": {"retires_within_days": 0}}, []),
    ],
)
def test_notices_of_leaves_the_usual_alone(world: Any, spend: Any) -> None:
    assert notices_of(runtime(**world), {"budgets": spend}, NOW) == []


def test_notices_of_puts_what_does_not_work_first() -> None:
    world = runtime(windows=[window(0.9), window(1.0, exhausted=True, window="7d")])
    assert [notice.level for notice in notices_of(world, {}, NOW)] == ["bad", "warn"]


def notice(name: str) -> Notice:
    return Notice(name, "key", "bad", "words")


def test_new_notices_tells_each_once_and_again_when_it_comes_back() -> None:
    told: list[str] = []
    new = NewNotices(lambda one: told.append(one.id))
    for names in ("ab", "ab", "b", "ab"):
        new.see([notice(name) for name in names])
    assert told == ["a", "b", "a"]


async def test_watch_runs_the_users_command_with_the_notice_as_json() -> None:
    ran: list[tuple[Any, ...]] = []
    world = runtime(windows=[window(0.9)], notices={"command": ["tell-me", "--loud"]})
    watch = NoticeWatch(lambda: world, lambda: NOW, lambda *said: ran.append(said))
    await watch.look()
    await watch.look()
    [(command, text, setting)] = ran
    assert (command, setting) == (("tell-me", "--loud"), "notices.command")
    assert b'"words":"90% of the 5h window' in text


async def test_watch_does_nothing_unless_asked_for() -> None:
    ran: list[object] = []
    await NoticeWatch(lambda: runtime(windows=[window(0.9)]), lambda: NOW, lambda *said: ran.append(said)).look()
    assert ran == []


def test_desktop_command_never_makes_words_part_of_a_script() -> None:
    words = 'a "quoted" & $(nasty) -- --option'
    wanted = NoticeSettings(desktop=True)
    mac = desktop_command(wanted, words, "darwin")
    assert mac is not None
    assert mac[-1] == words
    assert words not in mac[2]
    assert desktop_command(NoticeSettings(), words, "darwin") is None


def test_desktop_command_is_left_out_where_there_is_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert desktop_command(NoticeSettings(desktop=True), "words", "linux") is None
