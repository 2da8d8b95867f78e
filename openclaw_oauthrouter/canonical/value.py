"""``@value``: frozen dataclasses that are made by the thousand, at a third of the price."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen, slots):
        """A dataclass that compares and hashes as a frozen one does.

        That nothing assigns to it is for the type checker to see, to whom this is ``dataclass`` itself: refusing it at runtime would
        have every field of every new object set through ``object.__setattr__``, for each token and each part of a conversation.
        """
        return dataclasses.dataclass(slots=slots, unsafe_hash=frozen)
