"""The plugin manager: built-in plugins by folder, third parties by the entry-point group ``openclaw``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy

from openclaw_oauthrouter import hookspecs
from openclaw_oauthrouter.errors import ConfigurationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILTIN_PLUGINS = (
    "openclaw_oauthrouter.credentials.plugin",
    "openclaw_oauthrouter.dialects.plugin",
    "openclaw_oauthrouter.providers.plugin",
    "openclaw_oauthrouter.classifier.plugin",
    "openclaw_oauthrouter.catalog.plugin",
    "openclaw_oauthrouter.telemetry.plugin",
    "openclaw_oauthrouter.dashboard.plugin",
    "openclaw_oauthrouter.openclaw.plugin",
)
"""One module a room; each holds the hook implementations that put the room's own things in place."""


def create_plugin_manager(*, extra: Iterable[object] = (), load_entry_points: bool = True) -> pluggy.PluginManager:
    """Register the built-in plugins, then third parties, and check every signature.

    pluggy asks the last registered first, so third parties are asked before the built-in ones.

    :param extra: plugin objects of the caller, registered last
    :raises ConfigurationError: naming plugin and hook
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name in BUILTIN_PLUGINS:
        _register(manager, importlib.import_module(name), name)
    if load_entry_points:
        _load_entry_points(manager)
    for plugin in extra:
        _register(manager, plugin, _name_of(plugin))
    _refuse_unknown_hooks(manager)
    return manager


def describe(manager: pluggy.PluginManager) -> list[dict[str, object]]:
    """Who implements what: ``{"plugin", "builtin", "hooks"}`` for each plugin, in the order they are asked."""
    rows: list[dict[str, object]] = []
    for name, plugin in reversed(manager.list_name_plugin()):
        callers = manager.get_hookcallers(plugin) if plugin is not None else None
        hooks = sorted(caller.name for caller in callers or ())
        rows.append({"plugin": name, "builtin": name in BUILTIN_PLUGINS, "hooks": hooks})
    return rows


_OWN = "openclaw_oauthrouter"
_GROUP = f"[{hookspecs.PROJECT}]".encode()


def entry_points_of_others() -> Sequence[EntryPoint]:
    """Entry points of our group, by name, but for those of this very distribution.

    ``importlib.metadata`` parses the entry points of everything that is installed: a tenth of a start where much is. Here a file
    is parsed when our group's name stands in it. A path that is no folder, and finders of others, are left to the library.
    """
    asked = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions") and finder is not _PATH_FINDER]
    if asked or any(os.path.isfile(path) for path in sys.path):
        from importlib.metadata import entry_points

        found = [
            entry for entry in entry_points(group=hookspecs.PROJECT) if entry.dist is None or _normal(entry.dist.name) != _OWN
        ]
    else:
        found = [entry for folder in _folders_that_name_us() for entry in _entries(folder)]
    return sorted(found, key=lambda entry: entry.name)


_PATH_FINDER = next((finder for finder in sys.meta_path if getattr(finder, "__name__", "") == "PathFinder"), None)


def _folders_that_name_us() -> Iterator[str]:
    """Metadata folders of distributions, the first of each name, in whose entry points our group stands."""
    seen: set[str] = set()
    for path in sys.path:
        try:
            names = os.listdir(path or ".")
        except OSError:
            continue
        for name in names:
            stem, _, kind = name.rpartition(".")
            known = _normal(stem.partition("-")[0])
            if kind not in ("dist-info", "egg-info") or known in seen:
                continue
            seen.add(known)
            if known != _OWN and _names_us(os.path.join(path, name)):
                yield os.path.join(path, name)


def _names_us(folder: str) -> bool:
    try:
        with open(os.path.join(folder, "entry_points.txt"), "rb") as file:
            return _GROUP in file.read()
    except OSError:
        return False


def _entries(folder: str) -> Iterable[EntryPoint]:
    from importlib.metadata import Distribution

    return Distribution.at(folder).entry_points.select(group=hookspecs.PROJECT)


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _load_entry_points(manager: pluggy.PluginManager) -> None:
    for entry in entry_points_of_others():
        try:
            plugin = entry.load()
        except Exception as error:
            raise ConfigurationError(
                f"plugin {entry.name!r} ({entry.value}) cannot be imported: {error!r}; correct or uninstall it"
            ) from error
        # Our own package stands in the group too, so that any host finds it; its hooks are registered already.
        if not manager.is_registered(plugin):
            _register(manager, plugin, entry.name)


def _register(manager: pluggy.PluginManager, plugin: object, name: str) -> None:
    try:
        manager.register(plugin, name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise ConfigurationError(f"plugin {name!r} does not fit: {str(error).strip()}") from error


def _refuse_unknown_hooks(manager: pluggy.PluginManager) -> None:
    known = [name for name in dir(hookspecs) if name.startswith(("oauthrouter_", "openclaw_"))]
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        name = manager.get_name(error.plugin)
        raise ConfigurationError(f"plugin {name!r}: {str(error).strip()}; known hooks: {', '.join(known)}") from error


def _name_of(plugin: object) -> str:
    if isinstance(plugin, ModuleType):
        return plugin.__name__
    return f"{type(plugin).__module__}.{type(plugin).__qualname__}"
