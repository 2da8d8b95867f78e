"""What ``doctor`` checks, in which order, and how it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.text import Text

from openclaw_oauthrouter.cli.checks.gateway import check_plugins, check_port, check_token
from openclaw_oauthrouter.cli.checks.host import check_openclaw
from openclaw_oauthrouter.cli.checks.machine import check_clock, check_disk, check_leftovers, check_package, check_python
from openclaw_oauthrouter.cli.checks.models import check_auto, check_catalog, check_lists, check_names
from openclaw_oauthrouter.cli.checks.money import check_prices
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, failure, ok
from openclaw_oauthrouter.cli.checks.upstreams import check_upstreams
from openclaw_oauthrouter.cli.output import create_console
from openclaw_oauthrouter.cli.settings import command_settings
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.errors import ConfigurationError

Check = Callable[[Surroundings], Iterator[Result]]

CHECKS: tuple[Check, ...] = (
    check_python,
    check_package,
    check_plugins,
    check_token,
    check_port,
    check_upstreams,
    check_prices,
    check_names,
    check_auto,
    check_lists,
    check_catalog,
    check_openclaw,
    check_disk,
    check_clock,
    check_leftovers,
)
"""In the order of the way a request takes."""

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failure": ("✗", "red")}


def examine(checks: Iterable[Check], config: Path | None) -> Iterator[Result]:
    """The configuration first; a wrong one ends the examination, for everything else depends on it.

    :param config: the configuration file named on the command line
    """
    try:
        loaded = command_settings({"config": config}, announce=False)
    except ConfigurationError as error:
        yield failure("configuration", error.message, "correct what it names")
        surroundings = Surroundings(Settings(), process_environment(), time.time)
        yield from check_python(surroundings)
        return
    yield ok("configuration", _described(loaded))
    surroundings = Surroundings(loaded.settings, loaded.environ, time.time)
    for check in checks:
        yield from check(surroundings)


def _described(loaded: LoadedSettings) -> str:
    own = str(loaded.path) if loaded.path else "defaults, no file"
    return f"{own}, overridden by the settings of {loaded.host}" if loaded.host else own


def show(results: Iterable[Result]) -> None:
    """Print them for people."""
    console = create_console()
    for result in results:
        sign, colour = _SIGNS[result.state]
        console.print(Text.assemble((f"{sign} ", colour), (f"{result.name:22} ", "bold"), result.detail), soft_wrap=True)
        if result.remedy:
            console.print(Text(f"  {'':22} → {result.remedy}", "dim"), soft_wrap=True)
