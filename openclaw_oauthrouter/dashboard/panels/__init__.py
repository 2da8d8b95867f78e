"""The dashboard's own panels: one file each.

What ``render`` returns says by its ``view`` how the page draws it, so a panel needs no script of its own:

=============  =====================================================================================================
``figures``    ``items``: ``{"label", "value", "unit", "note"?}``
``series``     ``unit``, ``ranges`` (see ``timeline``), ``stacked``, ``tones``: one per series
``shares``     ``unit``, ``items``: ``{"label", "value", "note"?, "tone"?}``
``gauges``     ``items``: ``{"label", "used" (0 to 1), "note"?, "resetsAt"? (Unix seconds), "state"?, "lasts"? (seconds)}``
``states``     ``items``: ``{"label", "state" (ok, warn, bad, idle), "note"?, "until"? (Unix seconds)}``
``table``      ``columns``: ``{"label", "unit"?}``, ``rows``: lists of values
=============  =====================================================================================================

Units: ``count``, ``tokens``, ``dollars``, ``percent`` (0 to 1), ``ms``, ``text``. Tones: ``accent``, ``good``, ``warn``, ``bad``,
``quiet``, ``simple``, ``medium``, ``complex``, ``reasoning``. Any view takes ``empty``, words shown while there is nothing to show, and
``wide`` to take the whole row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openclaw_oauthrouter.dashboard.feed import StatePanel


def state_panels() -> list[StatePanel]:
    """The panels over the health book and the ledger, in the order they are shown."""
    from openclaw_oauthrouter.dashboard.panels.budgets import Budgets
    from openclaw_oauthrouter.dashboard.panels.providers import Providers
    from openclaw_oauthrouter.dashboard.panels.windows import Windows

    return [Providers(), Windows(), Budgets()]
