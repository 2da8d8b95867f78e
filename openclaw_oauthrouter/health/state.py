"""What a health book knows, as bytes: for its file and for other gateways."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

import msgspec

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.health.cooldowns import Cooling, Subject
from openclaw_oauthrouter.health.plan_windows import Holder
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.health.windows import Reading


@value(frozen=True, slots=True)
class HealthState:
    """Cooldowns and windows, each with the moment it was last known to be so."""

    version: Literal[1] = 1
    cooldowns: list[tuple[Subject, Cooling]] = field(default_factory=list)
    windows: list[tuple[Holder, Reading]] = field(default_factory=list)


def state_of(registry: HealthRegistry) -> HealthState:
    """Everything a book knows."""
    return HealthState(cooldowns=list(registry.cooldowns.items()), windows=list(registry.windows.items()))


def absorb(registry: HealthRegistry, state: HealthState) -> None:
    """Teach a book whatever is newer than what it knows."""
    for subject, cooling in state.cooldowns:
        registry.cooldowns.merge(subject, cooling)
    for holder, reading in state.windows:
        registry.windows.merge(holder, reading)


def encode(state: HealthState) -> bytes:
    """As JSON."""
    return msgspec.json.encode(state)


def decode(data: bytes | str) -> HealthState | None:
    """The reverse; ``None`` if it is not one."""
    try:
        return msgspec.json.decode(data, type=HealthState)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
