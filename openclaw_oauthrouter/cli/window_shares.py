"""What recorded requests would take of plans' windows under another configuration, from what a dollar of list price took of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from openclaw_oauthrouter.cli.recorded_routing import Replayed

Window = tuple[str, str]
"""A plan and the name of one of its windows."""


class _Call(NamedTuple):
    """A call that a plan pays."""

    plan: str
    model: str
    cost: float


def window_shares(replayed: Iterable[Replayed]) -> dict[Window, tuple[float, float]]:
    """Share of each window that requests took then and would take now; 1 is a whole window. Requests without a known cost do not count.

    A window that did not count a model then does not now; one that no request of a model was recorded with counts it.
    """
    known = [one for one in replayed if one.cost_then is not None and one.cost_now is not None]
    then = [(one, _Call(one.plan_then, str(one.answered_then), one.cost_then or 0.0)) for one in known if one.plan_then]
    now = [_Call(one.plan_now, str(one.answered_now), one.cost_now or 0.0) for one in known if one.plan_now]
    counted: defaultdict[str, set[str]] = defaultdict(set)
    for one, call in then:
        counted[call.model].update(window for window, _ in _told(one))
    rates = _rates(then)
    carried_then = _carried([call for _, call in then], rates, counted)
    carried_now = _carried(now, rates, counted)
    return {window: (carried_then[window] * rate, carried_now[window] * rate) for window, rate in rates.items()}


def _told(one: Replayed) -> Iterator[tuple[str, float | None]]:
    for window in one.event.get("windows") or ():
        yield window["window"], window.get("estimatedShare")


def _rates(calls: Iterable[tuple[Replayed, _Call]]) -> dict[Window, float]:
    """What a dollar of list price took of each window, on average."""
    shares: defaultdict[Window, float] = defaultdict(float)
    costs: defaultdict[Window, float] = defaultdict(float)
    for one, call in calls:
        for window, share in _told(one):
            if share is not None and call.cost:
                shares[call.plan, window] += share
                costs[call.plan, window] += call.cost
    return {window: share / costs[window] for window, share in shares.items()}


def _carried(calls: Sequence[_Call], windows: Iterable[Window], counted: Mapping[str, set[str]]) -> dict[Window, float]:
    """US dollars of list price that fall into each window."""
    return {
        (plan, name): sum(call.cost for call in calls if call.plan == plan and name in (counted.get(call.model) or {name}))
        for plan, name in windows
    }
