"""The simulated week: what the benchmark claims, kept."""

from __future__ import annotations

from benchmarks.plan_windows import STRATEGIES, moments, week


def test_plan_windows_health_registry_refuses_nobody_and_wastes_little() -> None:
    tallies = {name: week(strategy) for name, strategy in STRATEGIES.items()}
    static = tallies["one plan, static"]
    forgetful = tallies["chain without memory"]
    obedient = tallies["chain, told resets obeyed"]
    registry = tallies["chain with the health book"]

    assert static.refused > 500
    assert registry.refused == 0
    assert registry.in_vain < forgetful.in_vain / 5
    # It finds the early reset, which the one that only obeys does not.
    assert registry.dollars < obedient.dollars / 2
    assert registry.dollars < forgetful.dollars * 1.25
    for tally in tallies.values():
        assert sum(tally.answered.values()) + tally.refused == len(list(moments()))
