"""Which gateway a command speaks of: the one that runs, with its state folder, else the one that the configuration describes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Subject:
    """What a command looks at.

    :ivar settings: those of the configuration, with the state folder of the gateway that runs
    :ivar running: whether a gateway answers
    :ivar demo: whether it is the demo
    """

    settings: Settings
    running: bool
    demo: bool


def subject_of(obj: dict[str, Any], *, announce: bool = True) -> Subject:
    """Ask the gateway at the configured address; files are read where it keeps them.

    :param announce: say on standard error whose figures follow, where that is not plain
    """
    from openclaw_oauthrouter.proxy.local_client import ask_gateway

    settings = command_settings(obj, announce=announce).settings
    try:
        told = ask_gateway(settings, "GET", "/debug/gateway")
    except ConfigurationError:
        return Subject(settings, running=False, demo=False)
    home, demo = told.get("home"), bool(told.get("demo"))
    if isinstance(home, str) and Path(home) != settings.home and Path(home).is_dir():
        settings = settings.model_copy(update={"home": Path(home)})
    if demo and announce:
        click.secho("(figures of the demo gateway that runs on this machine)", dim=True, err=True)
    return Subject(settings, running=True, demo=demo)
