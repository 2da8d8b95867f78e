"""Changes the configuration file: planned against one version of it, tried before it is written, kept so that it can be taken back."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.changes.setting_paths import SettingPath, spelled
from openclaw_oauthrouter.config.effective import changes
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.credentials.directory_lock import DirectoryLock
from openclaw_oauthrouter.edits import json5_text, toml_text
from openclaw_oauthrouter.edits.edit import Edit, PutJson, PutToml, RemoveJson
from openclaw_oauthrouter.edits.journal import FileChange, Journal
from openclaw_oauthrouter.errors import ConfigurationError, ConflictError, InvalidRequestError, NotFoundError

NO_FILE = "none"
"""Version of a file that is not there."""

KEPT_CHANGES = 40
_BEGINNING = "settings-"

Load = Callable[[Path], LoadedSettings]
"""Reads the settings as the gateway would with another file in the place of its own."""


@value(frozen=True, slots=True)
class SettingChange:
    """One setting.

    :ivar value: as TOML and JSON hold it; ``None`` takes it out, so that its default holds again
    """

    path: SettingPath
    value: Any = None


@value(frozen=True, slots=True)
class Plan:
    """A change that has been tried and not made.

    :ivar version: of the file it starts from
    :ivar lines: what differs in the settings in force, one line a setting, secrets masked
    """

    change: FileChange
    version: str
    after: LoadedSettings
    lines: tuple[str, ...]

    def diff(self) -> str:
        """The file's lines that differ, secrets masked."""
        return self.change.diff()


@value(frozen=True, slots=True)
class MadeChange:
    """A change that can be taken back.

    :ivar at: Unix seconds
    :ivar settings: dotted names of what it changed
    """

    name: str
    at: float
    settings: tuple[str, ...]


class SettingsFile:
    """The configuration file and the changes made to it.

    :param path: it need not be there yet
    :param load: reads all sources with a file in its place
    :param clock: Unix seconds
    """

    def __init__(self, path: Path, journal: Journal, load: Load, clock: Clock) -> None:
        self.path = path
        self._journal = journal
        self._load = load
        self._clock = clock

    def version(self) -> str:
        """What the file holds now, as a short word: a change says which version it was planned against."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]
        except FileNotFoundError:
            return NO_FILE

    def plan(self, wanted: Sequence[SettingChange]) -> Plan:
        """Work out a change and try it; nothing is written.

        :raises InvalidRequestError: a setting is given by something that stands above the file, or nothing is asked for
        :raises ConfigurationError: the settings would be wrong with it
        """
        if not wanted:
            raise InvalidRequestError("no setting is named", param="changes")
        version, tree = self.version(), self._tree()
        edits = tuple(self._edit(tree, change) for change in wanted)
        change = self._journal.plan(self._new_name(), self.path, edits)
        return self._tried(change, version, wanted)

    def plan_undo(self, name: str) -> Plan:
        """Work out how to take a change back.

        :raises NotFoundError: there is no such change
        """
        if name not in {made.name for made in self.made()}:
            raise NotFoundError(f"there is no change {name!r} to take back")
        change = self._journal.plan_undo(name, self.path)
        if change is None:
            raise NotFoundError(f"there is no change {name!r} to take back")
        return self._tried(change, self.version(), ())

    def make(self, plan: Plan) -> None:
        """Write it, if the file is still what it was when it was planned.

        :raises ConflictError: somebody has changed it since
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with DirectoryLock(self.path):
            self.check_version(plan.version)
            self._journal.make(plan.change)
        for made in list(self.made())[KEPT_CHANGES:]:
            self._journal.forget(made.name, self.path)

    def check_version(self, version: str) -> None:
        """See that nobody has changed the file.

        :raises ConflictError: somebody has
        """
        if version != self.version():
            raise ConflictError(
                "the configuration was changed by somebody else meanwhile; look at it again and repeat the change"
            )

    def made(self) -> Iterator[MadeChange]:
        """Changes that can be taken back, the latest first."""
        for name, record in self._journal.named(_BEGINNING, self.path):
            paths = [".".join(edit.path) for edit in record.edits if isinstance(edit, (PutToml, PutJson, RemoveJson))]
            yield MadeChange(name, int(name.removeprefix(_BEGINNING)) / 1000, tuple(paths))

    def source_above(self, path: SettingPath) -> str | None:
        """What gives a setting and stands above the file: then a change of the file changes nothing."""
        loaded = self._present()
        dotted = ".".join(path)
        for key, source in loaded.sources.items():
            if (key == dotted or key.startswith(f"{dotted}.") or dotted.startswith(f"{key}.")) and not source.startswith("file "):
                return source
        return None

    def _new_name(self) -> str:
        """By the clock, so that names sort by age; later by a moment if that one is taken."""
        moment = int(self._clock() * 1000)
        while self._journal.backup(f"{_BEGINNING}{moment:014d}", self.path).exists():
            moment += 1
        return f"{_BEGINNING}{moment:014d}"

    def _tree(self) -> Mapping[str, Any]:
        if not self.path.exists():
            return {}
        text = self.path.read_text(encoding="utf-8")
        tree = json5_text.read(text) if self.path.suffix == ".json" else toml_text.read(text)
        return tree if isinstance(tree, dict) else {}

    def _edit(self, tree: Mapping[str, Any], change: SettingChange) -> Edit:
        source = self.source_above(change.path)
        if source is not None:
            raise InvalidRequestError(
                f"{'.'.join(change.path)} is set by {source}, which overrides {self.path}; change it there",
                param="key",
                code="set_elsewhere",
            )
        path = spelled(tree, change.path)
        if self.path.suffix != ".json":
            return PutToml(path=path, value=change.value)
        return RemoveJson(path=path) if change.value is None else PutJson(path=path, value=change.value)

    def _tried(self, change: FileChange, version: str, wanted: Sequence[SettingChange]) -> Plan:
        before = self._present()
        after = self._load_text(change.after or "")
        for one in wanted:
            _check_taken(one, after)
        return Plan(change, version, after, tuple(changes(before.settings, after.settings)))

    def _present(self) -> LoadedSettings:
        return self._load(self.path) if self.path.exists() else self._load_text("")

    def _load_text(self, text: str) -> LoadedSettings:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.stem}.", suffix=self.path.suffix)
        trial = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            return self._load(trial)
        except ConfigurationError as error:
            raise ConfigurationError(error.message.replace(name, str(self.path))) from None
        finally:
            trial.unlink(missing_ok=True)


def _check_taken(change: SettingChange, after: LoadedSettings) -> None:
    """A setting that the file now holds has to be one that is read from it."""
    dotted = ".".join(change.path)
    if change.value in (None, {}, []):
        return
    if not any(key == dotted or key.startswith(f"{dotted}.") for key in after.sources):
        raise ConfigurationError(f"{dotted} did not arrive; the file spells it in a way that is not understood")
