"""Brings finished records to the panels, and their state to the page; a failing panel harms only itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import Gathering
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel
from openclaw_oauthrouter.interfaces import Panel

log = logging.getLogger(__name__)

_MOST_UNTOLD = 500
"""Requests that wait for somebody to look before the panels that count are told of them."""


class StatePanel(Protocol):
    """A panel that shows what another part of the gateway knows. May have ``update`` as other panels do.

    :ivar source: ``health`` or ``spend``: which snapshot it shows
    """

    name: str
    title: str
    source: str

    def show(self, snapshot: JsonObject) -> JsonObject:
        """The snapshot as a view."""


class PanelFeed:
    """A ``TraceSink`` over panels.

    :param panels: in the order they are shown; a later one of the same ``name`` takes the place of an earlier one
    :param state_panels: shown after those
    """

    name = "panels"

    def __init__(self, panels: Iterable[Panel], state_panels: Iterable[StatePanel] = ()) -> None:
        self._panels = {panel.name: panel for panel in panels}
        self._state_panels = {panel.name: panel for panel in state_panels if panel.name not in self._panels}
        shown: list[Any] = [*self._panels.values(), *self._state_panels.values()]
        self._counting: list[CountingPanel] = [panel for panel in shown if _takes_sums(panel)]
        self._updated: list[tuple[str, Callable[[RequestRecord], None]]] = [
            (panel.name, panel.update) for panel in shown if hasattr(panel, "update") and not _takes_sums(panel)
        ]
        self._untold = Gathering()
        self._broken: set[str] = set()

    def receive(self, record: RequestRecord) -> None:
        """Show a record to every panel; those that count are shown sums, when somebody looks."""
        self._untold.add(record)
        if self._untold.count >= _MOST_UNTOLD:
            self._tell()
        for name, update in self._updated:
            try:
                update(record)
            except Exception as error:  # noqa: BLE001 - a third party's panel must not take the others with it
                self._complain(name, error)

    def _tell(self) -> None:
        told = self._untold.take()
        for panel in self._counting:
            try:
                for sums in told:
                    panel.count(sums)
            except Exception as error:  # noqa: BLE001 - as above
                self._complain(panel.name, error)

    def render(self, snapshots: Mapping[str, JsonObject], sums: JsonObject | None = None) -> list[JsonObject]:
        """Every panel's present state, with its ``name`` and ``title``; ``error`` in place of a state that cannot be had.

        :param snapshots: by the ``source`` that state panels name
        :param sums: of the span that is looked at (``telemetry.history_sums``), for panels that can show any: those with ``of_span``
        """
        self._tell()
        counted = [self._rendered(panel.name, panel.title, _render(panel, sums)) for panel in self._panels.values()]
        shown = [
            self._rendered(panel.name, panel.title, partial(panel.show, snapshots.get(panel.source, {})))
            for panel in self._state_panels.values()
        ]
        return counted + shown

    def _rendered(self, name: str, title: str, render: Callable[[], JsonObject]) -> JsonObject:
        try:
            state = render()
        except Exception as error:  # noqa: BLE001 - as above
            self._complain(name, error)
            state = {"view": "error", "error": f"{type(error).__name__}: {error}"}
        return {"name": name, "title": title, **state}

    def _complain(self, name: str, error: Exception) -> None:
        if name not in self._broken:
            self._broken.add(name)
            log.warning("dashboard panel %r fails (said once): %r", name, error)


def _takes_sums(panel: object) -> bool:
    """Whether a panel counts; one made from a built-in one may want every record."""
    return isinstance(panel, CountingPanel) and type(panel).update is CountingPanel.update


def _render(panel: Panel, sums: JsonObject | None) -> Callable[[], JsonObject]:
    of_span = getattr(panel, "of_span", None)
    return panel.render if sums is None or of_span is None else partial(of_span, sums)
