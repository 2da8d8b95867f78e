"""One change to one file, that knows how to be taken back even after others have changed the file too."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from openclaw_oauthrouter.edits import json5_text, marked_block, toml_text, yaml_text
from openclaw_oauthrouter.errors import ConfigurationError

_MISSING = object()


class _Edit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PutJson(_Edit):
    """Set the value at a path of a JSON5 file."""

    kind: Literal["put-json"] = "put-json"
    path: tuple[str, ...]
    value: Any

    def apply(self, text: str) -> str:
        """The text with the value."""
        present = json5_text.value_at(json5_text.read(text), self.path, _MISSING)
        return text if present == self.value else json5_text.put(text, self.path, self.value)

    def revert(self, text: str, before: str) -> str:
        """The text with what stood there before; a value somebody has changed since is theirs and stays."""
        if json5_text.value_at(json5_text.read(text), self.path, _MISSING) != self.value:
            return text
        return _restore(text, before, self.path)


class SetJson(_Edit):
    """Set the value at a path of a JSON5 file that has none there yet."""

    kind: Literal["set-json"] = "set-json"
    path: tuple[str, ...]
    value: Any

    def apply(self, text: str) -> str:
        """The text with a value."""
        present = json5_text.value_at(json5_text.read(text), self.path, _MISSING)
        return text if present is not _MISSING else json5_text.put(text, self.path, self.value)

    def revert(self, text: str, before: str) -> str:
        """The text without ours; a value somebody has changed since is theirs and stays."""
        if json5_text.value_at(json5_text.read(text), self.path, _MISSING) != self.value:
            return text
        return _restore(text, before, self.path)


class RemoveJson(_Edit):
    """Take the value at a path out of a JSON5 file."""

    kind: Literal["remove-json"] = "remove-json"
    path: tuple[str, ...]

    def apply(self, text: str) -> str:
        """The text without it."""
        return json5_text.remove(text, self.path)

    def revert(self, text: str, before: str) -> str:
        """The text with what stood there before; a value somebody has put there since is theirs and stays."""
        former = json5_text.value_at(json5_text.read(before), self.path, _MISSING)
        if former is _MISSING or json5_text.value_at(json5_text.read(text), self.path, _MISSING) is not _MISSING:
            return text
        return json5_text.put(text, self.path, former)


class AppendJson(_Edit):
    """Add an item to the array at a path of a JSON5 file."""

    kind: Literal["append-json"] = "append-json"
    path: tuple[str, ...]
    item: Any

    def apply(self, text: str) -> str:
        """The text with the item."""
        return json5_text.append(text, self.path, self.item)

    def revert(self, text: str, before: str) -> str:
        """The text without the item, unless it was there before us."""
        items = json5_text.value_at(json5_text.read(text), self.path)
        former = json5_text.value_at(json5_text.read(before), self.path, _MISSING)
        if not isinstance(items, list) or self.item not in items or (isinstance(former, list) and self.item in former):
            return text
        if items == [self.item] and former is _MISSING:
            return _restore(text, before, self.path)
        return json5_text.drop(text, self.path, self.item)


class PutTomlBlock(_Edit):
    """Put tables of ours into a TOML file."""

    kind: Literal["put-toml-block"] = "put-toml-block"
    body: str

    def apply(self, text: str) -> str:
        """The text with the tables."""
        toml_text.read(text)
        return toml_text.still_toml(marked_block.put_block(text, self.body))

    def revert(self, text: str, before: str) -> str:
        """The text without them."""
        return marked_block.remove_block(text)


class PutTomlKey(_Edit):
    """Set a top-level string of a TOML file."""

    kind: Literal["put-toml-key"] = "put-toml-key"
    key: str
    value: str

    def apply(self, text: str) -> str:
        """The text with the value."""
        if toml_text.read(text).get(self.key) == self.value:
            return text
        after = toml_text.still_toml(toml_text.put_key(text, self.key, self.value))
        if toml_text.read(after).get(self.key) != self.value:
            raise ConfigurationError(f"{self.key!r} cannot be set, for its name also begins a line of some other value")
        return after

    def revert(self, text: str, before: str) -> str:
        """The text with what stood there before; a value somebody has changed since is theirs and stays."""
        if toml_text.read(text).get(self.key) != self.value:
            return text
        former = toml_text.read(before).get(self.key)
        restored = toml_text.remove_key(text, self.key) if former is None else toml_text.put_key(text, self.key, str(former))
        return toml_text.still_toml(restored)


class PutTomlTree(_Edit):
    """Set values of a TOML file that has none there yet, making tables on the way."""

    kind: Literal["put-toml-tree"] = "put-toml-tree"
    leaves: tuple[tuple[tuple[str, ...], Any], ...]

    def apply(self, text: str) -> str:
        """The text with the values."""
        return toml_text.still_toml(toml_text.fill_in(text, self.leaves))

    def revert(self, text: str, before: str) -> str:
        """The text without ours; values somebody has changed since are theirs and stay."""
        return toml_text.still_toml(toml_text.take_out(text, before, self.leaves))


class PutToml(_Edit):
    """Set the value at a path of a TOML file, or take it out; comments and the order of everything else stay.

    :ivar value: ``None`` takes out what stands there
    """

    kind: Literal["put-toml"] = "put-toml"
    path: tuple[str, ...]
    value: Any = None

    def apply(self, text: str) -> str:
        """The text with the value."""
        return toml_text.put_value(text, self.path, self.value)

    def revert(self, text: str, before: str) -> str:
        """The text with what stood there before; a value somebody has changed since is theirs and stays."""
        if toml_text.value_at(toml_text.read(text), self.path) != self.value:
            return text
        former = toml_text.value_at(toml_text.read(before), self.path)
        return toml_text.drop_empty(toml_text.put_value(text, self.path, former), before, self.path)


class PutYaml(_Edit):
    """Put a marked block of ours into a YAML file: keys at its end, or items into a list.

    :ivar place: ``keys``; ``items`` of the list that the file is; or ``items of KEY``
    :ivar head: further keys, for a file that is new or empty
    """

    kind: Literal["put-yaml"] = "put-yaml"
    place: str
    body: str
    head: str = ""

    def apply(self, text: str) -> str:
        """The text with the block."""
        if self.place == "keys":
            return yaml_text.put_keys(text, self.body)
        key = self.place.removeprefix("items").removeprefix(" of ") or None
        return yaml_text.put_items(text, key, self.body, head=self.head)

    def revert(self, text: str, before: str) -> str:
        """The text without it."""
        return yaml_text.without_items(text, before, self.place.removeprefix("items of "))


class ReplaceText(_Edit):
    """Make a file of our own, whatever was there."""

    kind: Literal["replace-text"] = "replace-text"
    text: str

    def apply(self, text: str) -> str:
        """Our text."""
        return self.text

    def revert(self, text: str, before: str) -> str:
        """What was there before us."""
        return before


Edit = Annotated[
    PutJson | SetJson | RemoveJson | AppendJson | PutTomlBlock | PutTomlKey | PutTomlTree | PutToml | PutYaml | ReplaceText,
    Field(discriminator="kind"),
]


def _restore(text: str, before: str, path: tuple[str, ...]) -> str:
    """Put the former value back, or take the member out together with objects that were made only to hold it."""
    former = json5_text.read(before)
    value = json5_text.value_at(former, path, _MISSING)
    if value is not _MISSING:
        return json5_text.put(text, path, value)
    text = json5_text.remove(text, path)
    for end in range(len(path) - 1, 0, -1):
        parent = path[:end]
        emptied = json5_text.value_at(json5_text.read(text), parent, _MISSING) == {}
        held = json5_text.value_at(former, parent, _MISSING)
        if not emptied or (held is not _MISSING and held is not None):
            break
        if held is None:
            return json5_text.put(text, parent, None)
        text = json5_text.remove(text, parent)
    return text
