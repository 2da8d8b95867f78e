"""What spending is counted in, and what a limit on it is; shared by the spend guard and budgets of third parties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo

Period = Literal["day", "month"]
Quantity = Literal["requests", "input_tokens", "output_tokens", "microdollars"]

EVERYBODY = ""
"""The scope all calls are booked to."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one call uses, or many used together; whole numbers, so that sums are exact."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    microdollars: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """No more than ``most`` of a quantity in a UTC day or month.

    :ivar scope: ``EVERYBODY``, ``model:<provider/id>`` or ``client:<name>``
    """

    period: Period
    quantity: Quantity
    most: int
    scope: str = EVERYBODY


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that is about to be made.

    :ivar client: name of the client key; ``None`` when the caller has none
    """

    info: ModelInfo
    estimate: Estimate
    client: str | None = None


def model_scope(info: ModelInfo) -> str:
    """The scope of one model's calls."""
    return f"model:{info.name}"


def client_scope(client: str) -> str:
    """The scope of one client key's calls."""
    return f"client:{client}"
