"""What a foreign configuration comes to: settings of ours, and sentences about the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import snake_keys
from openclaw_oauthrouter.errors import ConfigurationError

_NAME = lazily(r"[^a-z0-9]+")


@dataclass(slots=True)
class Migration:
    """Collected while a file is read.

    :ivar settings: nested, in snake_case
    :ivar notes: what was left out or has to be done by hand
    """

    settings: JsonObject = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, path: tuple[str, ...], value: Any) -> None:
        """Set a value."""
        place = self.settings
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)

    def leave_out_what_is_refused(self) -> None:
        """Take out each value that our settings do not take, and say so: the rest of a file need not suffer from it."""
        self.settings = snake_keys(self.settings)
        while True:
            try:
                Settings.model_validate(self.settings)
            except ValidationError as error:
                fault = error.errors(include_url=False)[0]
                self._leave_out([str(step) for step in fault["loc"]], fault["msg"])
            else:
                return

    def _leave_out(self, path: Sequence[str], why: str) -> None:
        place, taken = self.settings, list(path[:1])
        for step in path[1:]:
            inner = place.get(taken[-1])
            if not isinstance(inner, dict) or step not in inner:
                break
            place = inner
            taken.append(step)
        if place.pop(taken[-1], self) is self:
            raise ConfigurationError(f"the settings of the file contradict one another: {why}")
        self.note(f"{'.'.join(taken)} was left out: {why}")
        _drop_empty(self.settings, taken[:-1])

    def provider(self, name: str, *, api_base: object = None, api_key: object = None) -> str:
        """Add a provider, unless it is one we know and nothing differs; a second endpoint under a name gets one of its own.

        :param api_base: its address; one that stands in a variable is left to the user
        :param api_key: its key, or a reference to the variable that holds it
        :return: its name here
        """
        base, key = self._address(name, api_base), str(api_key or "")
        name, known = self._place(name, base)
        settings: JsonObject = dict(self.settings.get("providers", {}).get(name, {}))
        if base and not (known and _same_place(base, known.api_base, ports=known.local)):
            settings["api_base"] = base
        variable = variable_in(key)
        if variable:
            usual = known.variables if known is not None else (variable_of(name),)
            if variable not in usual:
                wanted = next((name for name in usual if name.endswith("API_KEY")), next(iter(usual), variable_of(name)))
                self.note(f"the key of {name!r} stood in {variable}: set {wanted} to it, or openclaw-oauthrouter auth add {name}")
        elif key and settings.setdefault("api_key", key) != key:
            self.note(f"{name!r} had several keys; the first was taken: openclaw-oauthrouter auth add {name} takes the others")
        if settings or known is None or known.local:
            self.put(("providers", name), settings)
        return name

    def _address(self, name: str, value: object) -> str:
        base = str(value or "")
        variable = _REFERENCE_WITHIN.search(base)
        if variable is None:
            return base
        self.note(f"the address of {name!r} stood in {variable[0]}: set providers.{name}.api_base to it")
        return ""

    def _place(self, name: str, base: str) -> tuple[str, Preset | None]:
        """The name under which a provider at an address is kept, and its preset if that is where it lies."""
        known, host = presets().get(name), urlsplit(base)
        if known is not None and (not base or known.api_base is None or _same_place(base, known.api_base)):
            return name, known
        plain = name_of(f"{name}-{host.hostname or 'endpoint'}") if known is not None else name
        for tried in (plain, name_of(f"{name}-{host.hostname}"), name_of(f"{name}-{host.netloc}")):
            taken = self.settings.get("providers", {}).get(tried)
            if taken is None or not base or taken.get("api_base", base) == base:
                return tried, None
        return name_of(f"{name}-{host.netloc}-{host.path}"), None

    def add_model(self, provider: str, model: str) -> None:
        """List a model of an endpoint of the user's own; known providers have their models in the catalog."""
        if provider in presets():
            return
        settings = self.settings["providers"].setdefault(provider, {})
        models = settings.setdefault("models", [])
        if model not in models:
            models.append(model)


_REFERENCE = lazily(r"(?:os\.environ/|\$|env:)(?:\{)?([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}?|%([A-Za-z_][A-Za-z0-9_]*)%")
_REFERENCE_WITHIN = lazily(r"os\.environ/\w+|\$\{?[A-Za-z_]\w*\}?|%[A-Za-z_]\w*%")
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - read, not bound


def variable_in(value: object) -> str | None:
    """The environment variable that a value of any of these files stands for."""
    found = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] or found[2] if found else None


def _same_place(one: str, other: str | None, *, ports: bool = False) -> bool:
    """Whether two addresses lead to one host.

    :param ports: and to one port of it
    """
    first, second = urlsplit(one), urlsplit(other or "")
    local = first.hostname in _LOOPBACK and second.hostname in _LOOPBACK
    return (local or first.hostname == second.hostname) and (
        not ports or first.netloc.rpartition(":")[2] == second.netloc.rpartition(":")[2]
    )


def _drop_empty(tree: JsonObject, path: Sequence[str]) -> None:
    """Take out what holds nothing any more, from the innermost outwards."""
    for depth in range(len(path), 0, -1):
        place = tree
        for step in path[: depth - 1]:
            place = place[step]
        if place.get(path[depth - 1]) != {}:
            return
        del place[path[depth - 1]]


def name_of(text: str) -> str:
    """A provider's name as it may stand in an id."""
    return _NAME.sub("-", text.lower()).strip("-") or "endpoint"


def variable_of(provider: str) -> str:
    """The environment variable that holds a provider's key."""
    return f"{provider.upper().replace('-', '_')}_API_KEY"


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
