"""What a foreign configuration comes to: settings of ours, and sentences about the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.catalog.presets import presets
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

    def provider(self, name: str, *, api_base: str | None, api_key: str | None, variable: str | None) -> str:
        """Add a provider, unless it is one we know and nothing differs; a second endpoint under a name gets one of its own.

        :param variable: the environment variable that holds the key
        :return: its name here
        """
        known = presets().get(name)
        if known is not None and api_base and urlsplit(api_base).hostname != urlsplit(known.api_base or "").hostname:
            name = name_of(f"{name}-{urlsplit(api_base).hostname or 'endpoint'}")
            known = None
        settings: JsonObject = dict(self.settings.get("providers", {}).get(name, {}))
        if api_base and known is None:
            settings["api_base"] = api_base
        if api_key:
            settings["api_key"] = api_key
        usual = known.variables if known is not None else (variable_of(name),)
        if variable and variable not in usual:
            self.note(f"the key of {name!r} stood in {variable}: set {usual[0]} to it, or openclaw-oauthrouter auth add {name}")
        if settings or known is None:
            self.put(("providers", name), settings)
        return name

    def add_model(self, provider: str, model: str) -> None:
        """List a model of an endpoint of the user's own; known providers have their models in the catalog."""
        if provider in presets():
            return
        settings = self.settings["providers"].setdefault(provider, {})
        models = settings.setdefault("models", [])
        if model not in models:
            models.append(model)


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
