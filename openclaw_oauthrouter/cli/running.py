"""Which gateway a command speaks of: the one that runs, with its state folder, else the one that the configuration describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError


@value(frozen=True, slots=True)
class Subject:
    """What a command looks at.

    :ivar settings: those of the configuration, with the state folder of the gateway that runs
    :ivar running: whether a gateway answers
    :ivar demo: whether it is the demo
    :ivar config: the configuration file that it was started from
    :ivar problem: why none is asked, in words
    """

    settings: Settings
    running: bool
    demo: bool
    config: str | None = None
    problem: str | None = None


def subject_of(obj: dict[str, Any], *, announce: bool = True) -> Subject:
    """Ask the gateway at the configured address; files are read where it keeps them.

    Where the configuration names a state folder, that folder is meant, even if a gateway with another one answers.

    :param announce: say on standard error whose figures follow, where that is not plain
    """
    from openclaw_oauthrouter.proxy.local_client import ask_gateway

    loaded = command_settings(obj, announce=announce)
    settings = loaded.settings
    try:
        told = ask_gateway(settings, "GET", "/debug/gateway")
    except ConfigurationError as error:
        if announce and any(words in error.message for words in ("what listens at", "refuses our local token")):
            _note(f"{error.message}; the figures below come from the files in {settings.home}")
        return Subject(settings, running=False, demo=False, problem=error.message)
    home, demo = told.get("home"), bool(told.get("demo"))
    if demo and announce:
        _note("figures of the demo gateway running on this machine")
    elsewhere = other_home(settings, told)
    if elsewhere is not None and "home" in loaded.sources:
        _note(
            f"the gateway at {_address(settings)} keeps its files in {elsewhere}; the figures below come from {settings.home}, "
            f"which {loaded.sources['home']} names"
        )
        problem = f"the gateway at {_address(settings)} keeps its files in {elsewhere}"
        return Subject(settings, running=False, demo=False, problem=problem)
    if elsewhere is not None and announce:
        _note(f"figures of the gateway running on this machine, which keeps its files in {elsewhere}")
    if isinstance(home, str) and Path(home) != settings.home and Path(home).is_dir():
        settings = settings.model_copy(update={"home": Path(home)})
    return Subject(settings, running=True, demo=demo, config=told.get("config"))


def other_home(settings: Settings, told: JsonObject) -> str | None:
    """The state folder of the gateway that answers, when it is not the configured one; the demo's does not count.

    :param told: what ``/debug/gateway`` said
    """
    home = told.get("home")
    if told.get("demo") or not isinstance(home, str) or Path(home).expanduser().resolve() == settings.home.resolve():
        return None
    return home


def _address(settings: Settings) -> str:
    from openclaw_oauthrouter.config.server import local_address

    return local_address(settings.server.listen_host, settings.server.port)


def _note(words: str) -> None:
    click.secho(f"({words})", dim=True, err=True)
