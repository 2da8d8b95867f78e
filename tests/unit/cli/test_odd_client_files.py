"""Clients' files in odd states: what ``setup`` makes of them can be read, keeps their line ends, and comes off to the byte or to the value."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import json5
import pytest
import yaml

from openclaw_oauthrouter.cli.clients import CLIENTS
from openclaw_oauthrouter.cli.clients.client import Place, Target
from openclaw_oauthrouter.edits.edit import Edit
from openclaw_oauthrouter.edits.journal import Journal

TARGET = Target("http://127.0.0.1:38402", "token", ("true",), select=True)

JSON_TEXTS = {
    "object": '{\n  // mine\n  "a": 1, /* x */\n  "b": [1, 2,],\n}\n',
    "one line, no end": '{"a":1}',
    "empty": "",
    "no members": "{}",
    "Windows": '{\r\n\t"a": 1,\r\n\t"z": {\r\n\t\t"y": 2\r\n\t}\r\n}\r\n',
    "comment alone": "{\n  // nothing yet\n}\n",
    "trailing comma": '{"a": 1,}\n',
    "null": '{"env": null, "provider": null}\n',
    "mark of Windows editors": '\ufeff{"a": 1}\n',
    "address in it": '{"u": "http://x//y"} // end\n',
}
TOML_TEXTS = {
    "comment": "# mine\n",
    "no end": 'model = "x"\n[a]\nb = 1',
    "Windows": '# c\r\nmodel = "x"\r\n\r\n[profiles.a]\r\nmodel = "y"\r\n',
    "table first": "[a]\nb=1\n",
    "dotted": 'model_providers.x.name = "n"\nmodel="m"\n',
    "mark of Windows editors": "\ufeffa = 1\n",
    "blank lines at its end": "a=1\n\n\n",
}
YAML_TEXTS = {
    "comment": "# mine\n",
    "no end": "a: 1\nmodels:\n  - x: 1",
    "Windows": "# c\r\na: 1\r\nmodels:\r\n  - name: x\r\n    p: y\r\n",
    "anchors": "d: &d\n  a: 1\nmodels:\n- <<: *d\n  name: q\n",
    "begin of a document": "---\na: 1\n",
    "empty list": "a: 1\nmodels: []\nb: 2\n",
    "nothing in the list": "models:\n",
    "list in the middle": "models:\n  - name: x\n\nrules:\n  - y\n",
    "wide indent": "models:\n    - name: x\n      y: 1\nz: 1\n",
}
LISTS = {
    "list": "- model_id: a\n  model_name: b\n",
    "list without end": "- model_id: a",
    "empty": "",
    "Windows list": "- model_id: a\r\n",
}


def texts_of(path: Path) -> dict[str, str]:
    if path.name == "extra-openai-models.yaml":
        return LISTS
    return {".json": JSON_TEXTS, ".toml": TOML_TEXTS}.get(path.suffix, YAML_TEXTS)


def files(name: str, home: Path) -> list[tuple[Path, Sequence[Edit]]]:
    return [(change.path, change.edits) for change in CLIENTS[name].files(TARGET, Place(home, {}))]


NAMES = [name for name, client in CLIENTS.items() if client.guide is None]
CASES = [
    (name, number, kind)
    for name in NAMES
    for number, (path, _) in enumerate(files(name, Path("/home")))
    for kind in texts_of(path)
]


def read(path: Path) -> Any:
    text = path.read_bytes().decode("utf-8-sig")
    if path.suffix == ".json":
        return json5.loads(text) if text.strip() else None
    return tomllib.loads(text.replace("\r\n", "\n")) if path.suffix == ".toml" else yaml.safe_load(text)


def set_up(journal: Journal, name: str, path: Path, edits: Sequence[Edit]) -> None:
    journal.make(journal.plan(name, path, edits))


def take_back(journal: Journal, name: str, path: Path) -> None:
    change = journal.plan_undo(name, path)
    assert change
    journal.make(change)


@pytest.mark.parametrize(("name", "number", "kind"), CASES)
def test_odd_files_are_changed_readably_and_restored(tmp_path: Path, name: str, number: int, kind: str) -> None:
    path, edits = files(name, tmp_path)[number]
    text = texts_of(path)[kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")
    before = read(path)
    journal = Journal(tmp_path / "journal")

    set_up(journal, name, path, edits)
    changed = path.read_bytes()
    assert read(path) not in (None, before)
    if "\r\n" in text:
        assert b"\n" not in changed.replace(b"\r\n", b"")
    assert changed.startswith(b"\xef\xbb\xbf") is text.startswith("\ufeff")
    set_up(journal, name, path, edits)
    assert path.read_bytes() == changed
    take_back(journal, name, path)
    assert path.read_bytes() == text.encode()

    set_up(journal, name, path, edits)
    by_hand(path)
    take_back(journal, name, path)
    assert b"by hand" in path.read_bytes()
    after = read(path)
    if isinstance(after, dict):
        after.pop("zzz", None)
    assert (after or None) == (before or None)


def by_hand(path: Path) -> None:
    """Somebody else's change, wherever the file takes one."""
    text = path.read_bytes().decode()
    end = "\r\n" if "\r\n" in text else "\n"
    if path.suffix != ".json":
        path.write_text(f"{text}{'' if text.endswith(end) else end}# by hand{end}", newline="")
        return
    place = text.rindex("}")
    above = text[:place].rstrip()
    comma = "" if above.endswith((",", "{")) else ","
    path.write_text(f'{above}{comma} "zzz": {json.dumps("by hand")}{end}{text[place:]}', newline="")
