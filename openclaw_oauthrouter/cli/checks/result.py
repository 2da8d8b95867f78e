"""What a check found, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config import Settings

State = Literal["ok", "warning", "failure"]


@value(frozen=True, slots=True)
class Result:
    """One line of the report.

    :ivar name: what was looked at
    :ivar state: ``failure`` means requests will fail; ``warning`` that they may
    :ivar remedy: what to do, as an instruction; empty when there is nothing to do
    """

    name: str
    state: State
    detail: str
    remedy: str = ""


@value(frozen=True, slots=True)
class Surroundings:
    """What the checks are about."""

    settings: Settings
    environ: Mapping[str, str]
    clock: Clock


def ok(name: str, detail: str) -> Result:
    """Nothing to do."""
    return Result(name, "ok", detail)


def warning(name: str, detail: str, remedy: str) -> Result:
    """Something to look at."""
    return Result(name, "warning", detail, remedy)


def failure(name: str, detail: str, remedy: str) -> Result:
    """Something that keeps requests from being answered."""
    return Result(name, "failure", detail, remedy)
