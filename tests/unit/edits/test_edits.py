"""Other programs' files: only our values change, and everything can be taken back."""

import json
import os
import stat
from pathlib import Path

import json5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.edits import json5_text, toml_text
from openclaw_oauthrouter.edits.edit import AppendJson, Edit, PutJson, PutTomlBlock, PutTomlKey
from openclaw_oauthrouter.edits.journal import FileChange, Journal
from openclaw_oauthrouter.errors import ConfigurationError

COMMENTED = """\
// my gateway
{
  /* where it listens */ gateway: { port: 18789, mode: 'local' },
  agents: {
    defaults: {
      model: { primary: "anthropic/claude" }, // the good one
    },
  }, // agents end
  "list": [1, 2, /* three */ 3], // no comma after this one
  last: "a // b"   // really the last
}
"""

JSON_EDITS: list[Edit] = [
    PutJson(path=("models", "providers", "oauthrouter"), value={"baseUrl": "http://x", "models": []}),
    AppendJson(path=("plugins", "load", "paths"), item="/shim"),
    PutJson(path=("plugins", "entries", "oauthrouter"), value={"enabled": True}),
    AppendJson(path=("list",), item="added"),
    PutJson(path=("agents", "defaults", "model", "primary"), value="oauthrouter/auto"),
    PutJson(path=("gateway", "extra"), value=1),
]


def applied(text: str, edits: list[Edit]) -> str:
    for edit in edits:
        text = edit.apply(text)
    return text


def reverted(text: str, before: str, edits: list[Edit]) -> str:
    for edit in reversed(edits):
        text = edit.revert(text, before)
    return text


def test_comments_stay_where_they_were() -> None:
    assert (
        applied(COMMENTED, JSON_EDITS)
        == """\
// my gateway
{
  /* where it listens */ gateway: { port: 18789, mode: 'local', "extra": 1 },
  agents: {
    defaults: {
      model: { primary: "oauthrouter/auto" }, // the good one
    },
  }, // agents end
  "list": [1, 2, /* three */ 3, "added"], // no comma after this one
  last: "a // b",   // really the last
  "models": {
    "providers": {
      "oauthrouter": {
        "baseUrl": "http://x",
        "models": []
      }
    }
  },
  "plugins": {
    "load": {
      "paths": [
        "/shim"
      ]
    },
    "entries": {
      "oauthrouter": {
        "enabled": true
      }
    }
  }
}
"""
    )


def test_edits_values_arrive() -> None:
    after = json5.loads(applied(COMMENTED, JSON_EDITS))
    assert after["models"]["providers"]["oauthrouter"]["baseUrl"] == "http://x"
    assert after["plugins"] == {"load": {"paths": ["/shim"]}, "entries": {"oauthrouter": {"enabled": True}}}
    assert after["list"] == [1, 2, 3, "added"]
    assert after["gateway"] == {"port": 18789, "mode": "local", "extra": 1}


def test_twice_is_once() -> None:
    once = applied(COMMENTED, JSON_EDITS)
    assert applied(once, JSON_EDITS) == once


def test_taken_back_after_others_have_written() -> None:
    after = json5_text.put(applied(COMMENTED, JSON_EDITS), ("gateway", "port"), 1)
    after = json5_text.put(after, ("plugins", "entries", "other"), {"enabled": False})
    left = json5.loads(reverted(after, COMMENTED, JSON_EDITS))
    expected = json5.loads(COMMENTED)
    expected["gateway"]["port"] = 1
    expected["plugins"] = {"entries": {"other": {"enabled": False}}}
    assert left == expected


def test_edits_value_the_user_changed_since_is_theirs() -> None:
    edit = PutJson(path=("agents", "defaults", "model", "primary"), value="oauthrouter/auto")
    theirs = json5_text.put(edit.apply(COMMENTED), edit.path, "openai/gpt")
    assert edit.revert(theirs, COMMENTED) == theirs


@pytest.mark.parametrize(
    "text", ["", "{}", "{ }\n", "{\n}\n", "{ // nothing yet\n}\n", '{"a":1}', '{"a":1,}', "{\n\t\t'a': 1,\n}"]
)
def test_edits_any_layout_takes_a_new_member(text: str) -> None:
    after = json5_text.put(text, ("x", "y"), [1])
    assert json5.loads(after) == {**json5_text.read(text), "x": {"y": [1]}}
    assert json5_text.read(json5_text.remove(after, ("x",))) == json5_text.read(text)


@pytest.mark.parametrize(("text", "line"), [("{a 1}", 1), ("{\n a: ,}", 2), ("{a: 1} b", 1), ("{a: 1 b: 2}", 1)])
def test_edits_broken_file_is_named_by_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"line {line}"):
        json5_text.put(text, ("x",), 1)


def test_edits_no_object_on_the_way_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="list is not an object"):
        json5_text.put(COMMENTED, ("list", "x"), 1)
    with pytest.raises(ConfigurationError, match="gateway is not an array"):
        json5_text.append(COMMENTED, ("gateway",), 1)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.dictionaries(names, values, max_size=4), st.lists(names, min_size=1, max_size=3), values, st.sampled_from([None, 2, "\t"])
)
def test_put_means_what_it_says(document: dict, path: list[str], value: object, indent: int | str | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    expected = json.loads(json.dumps(document))
    inner = expected
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
        if not isinstance(inner, dict):
            with pytest.raises(ConfigurationError):
                json5_text.put(text, tuple(path), value)
            return
    inner[path[-1]] = value
    assert json.loads(json5_text.put(text, tuple(path), value)) == expected


@settings(deadline=None)
@given(st.dictionaries(names, values, min_size=1, max_size=4), st.data(), st.sampled_from([None, 2]))
def test_remove_means_what_it_says(document: dict, data: st.DataObject, indent: int | None) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    left = json5.loads(json5_text.remove(json.dumps(document, indent=indent, ensure_ascii=False), (key,)))
    assert left == {name: value for name, value in document.items() if name != key}


TOML = 'model = "gpt-6-sol" # mine\n\n[projects."/home/u"]\nmodel = "not this one"\n'
TOML_EDITS: list[Edit] = [
    PutTomlKey(key="model_provider", value="oauthrouter"),
    PutTomlKey(key="model", value="auto"),
    PutTomlBlock(body='[model_providers.oauthrouter]\nname = "OAuthRouter"'),
]


def test_toml_keys_go_above_the_first_table() -> None:
    after = toml_text.read(applied(TOML, TOML_EDITS))
    assert (after["model_provider"], after["model"]) == ("oauthrouter", "auto")
    assert after["projects"]["/home/u"] == {"model": "not this one"}
    assert after["model_providers"] == {"oauthrouter": {"name": "OAuthRouter"}}
    assert applied(applied(TOML, TOML_EDITS), TOML_EDITS) == applied(TOML, TOML_EDITS)


def test_toml_is_taken_back_after_others_have_written() -> None:
    after = applied(TOML, TOML_EDITS) + '\n[projects."/new"]\ntrust_level = "trusted"\n'
    left = toml_text.read(reverted(after, TOML, TOML_EDITS))
    assert left == {
        **toml_text.read(TOML),
        "projects": {"/home/u": {"model": "not this one"}, "/new": {"trust_level": "trusted"}},
    }


def test_broken_toml_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        PutTomlKey(key="model", value="auto").apply("model =")


@pytest.mark.parametrize("name", ['"model"', "'model'", "  model "])
def test_edits_toml_key_is_found_in_any_spelling(name: str) -> None:
    after = PutTomlKey(key="model", value="auto").apply(f'{name} = "gpt-5" # mine\n')
    assert toml_text.read(after) == {"model": "auto"}


BLOCK = TOML_EDITS[-1]
KEY = TOML_EDITS[1]


@pytest.mark.parametrize(
    ("text", "edit", "reason"),
    [
        ('[model_providers.oauthrouter]\nname = "by hand"\n', BLOCK, r"do not fit .*twice"),
        ('model_providers = { a = { name = "A" } }\n', BLOCK, "do not fit"),
        ("model_providers = 5\n", BLOCK, "do not fit"),
        ("this is no TOML", BLOCK, "not valid TOML"),
        ('notify = [\n  ["a"],\n]\nmodel = "mine"\n', KEY, "do not fit"),
        ('notes = """\nmodel = \'x\'\n"""\n', KEY, "'model' cannot be set"),
        ("a = " + "[" * 5000 + "]" * 5000, BLOCK, "nested too deeply"),
    ],
)
def test_toml_that_others_could_not_read_is_not_written(
    tmp_path: Path, journal: Journal, text: str, edit: Edit, reason: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"(?s)config.toml.*{reason}.*nothing was changed"):
        journal.plan("codex", path, [edit])


def test_deep_json_is_refused(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text('{"a":' * 5000 + "1" + "}" * 5000)
    with pytest.raises(ConfigurationError, match=r"openclaw.json.*nested too deeply"):
        journal.plan("openclaw", path, JSON_EDITS)


def test_edits_list_that_has_become_something_else_is_left_alone() -> None:
    edit = AppendJson(path=("plugins", "load", "paths"), item="/shim")
    text = '{"plugins": {"load": {"paths": 5}}}'
    assert edit.revert(text, "{}") == text


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "records")


@pytest.mark.parametrize("before", [COMMENTED, COMMENTED.replace("\n", "\r\n"), "{}", ""])
def test_undone_to_the_byte(tmp_path: Path, journal: Journal, before: str) -> None:
    path = tmp_path / "openclaw.json"
    path.write_bytes(before.encode())
    edits = JSON_EDITS if "list" in before else JSON_EDITS[:3]
    journal.make(journal.plan("openclaw", path, edits))
    assert path.read_bytes() != before.encode()
    undo = journal.plan_undo("openclaw", path)
    assert undo is not None
    journal.make(undo)
    assert path.read_bytes() == before.encode()
    assert journal.plan_undo("openclaw", path) is None


def test_edits_file_that_was_not_there_goes_again(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "folder" / "settings.json"
    journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value="b")]))
    assert json.loads(path.read_text()) == {"env": {"A": "b"}}
    undo = journal.plan_undo("claude", path)
    assert undo is not None
    journal.make(undo)
    assert not path.exists()


def test_edits_second_change_starts_from_the_first_text(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(COMMENTED)
    journal.make(journal.plan("openclaw", path, [PutJson(path=("a",), value=1)]))
    again = journal.plan("openclaw", path, [PutJson(path=("a",), value=1)])
    assert not again.needed
    journal.make(journal.plan("openclaw", path, [PutJson(path=("b",), value=2)]))
    assert "a" not in json5.loads(path.read_text())
    undo = journal.plan_undo("openclaw", path)
    assert undo is not None
    assert undo.after == COMMENTED


def test_modes_and_links_survive(tmp_path: Path, journal: Journal) -> None:
    real = tmp_path / "dotfiles" / "openclaw.json"
    real.parent.mkdir()
    real.write_text("{}")
    real.chmod(0o640)
    link = tmp_path / "openclaw.json"
    link.symlink_to(real)
    journal.make(journal.plan("openclaw", link, [PutJson(path=("a",), value=1)]))
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert stat.S_IMODE(journal.backup("openclaw", link).stat().st_mode) == 0o600
    assert os.listdir(real.parent) == ["openclaw.json"]


def test_edits_diff_shows_no_secrets(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text('{\n  auth: { token: "sk-very-secret" },\n  "apiKey": "${ENVIRONMENT}"\n}\n')
    diff = journal.plan("openclaw", path, [PutJson(path=("a",), value=1)]).diff()
    assert "sk-very-secret" not in diff
    assert "${ENVIRONMENT}" in diff
    assert '+  "a": 1' in diff


@pytest.mark.parametrize(
    "line",
    [
        '"ANTHROPIC": "HIDE"',
        "apiKey2: 'HIDE'",
        "tokens: 'HIDE'",
        'authorization: "Bearer HIDE"',
        "password: 'it\"HIDE'",
        "secret: 'pa$HIDE'",
        'args: ["--key", "HIDE"]',
    ],
)
def test_edits_diff_shows_no_secret_in_any_spelling(tmp_path: Path, journal: Journal, line: str) -> None:
    path = tmp_path / "openclaw.json"
    text = f"{{\n  {line.replace('HIDE', 'sk-ant-zzzzzzzzz')}\n}}\n"
    path.write_text(text)
    change = journal.plan("openclaw", path, [PutJson(path=("apiKeyHelper",), value="cat /some/file")])
    assert "zzzzz" not in change.diff()
    assert '"apiKeyHelper": "cat /some/file"' in change.diff()
    assert "sk-ant-zzzzzzzzz" in (change.after or "")


def test_edits_diff_shows_no_short_secret_under_a_numbered_name(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text("{\n  apiKey2: 'sk-second'\n}\n")
    assert "sk-second" not in journal.plan("openclaw", path, [PutJson(path=("a",), value=1)]).diff()


def test_edits_damaged_record_is_named(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "openclaw.json"
    journal.backup("openclaw", path).parent.mkdir()
    journal.backup("openclaw", path).write_text("{}")
    with pytest.raises(ConfigurationError, match="is damaged"):
        journal.plan_undo("openclaw", path)


def redone(journal: Journal, path: Path) -> str:
    """A change, something of the user's own beside it, and the change once more with another value."""
    journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value="8402")]))
    path.write_text(json5_text.put(path.read_text(), ("mine",), "precious"))
    journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value="18499")]))
    assert json.loads(path.read_text())["env"]["A"] == "18499"
    undo = journal.plan_undo("claude", path)
    assert undo is not None
    journal.make(undo)
    return path.read_text()


@pytest.mark.parametrize("before", [None, "{}", '{"env": {"A": "theirs", "B": "2"}}'])
def test_edits_what_the_user_wrote_between_two_changes_stays(tmp_path: Path, journal: Journal, before: str | None) -> None:
    path = tmp_path / "settings.json"
    if before is not None:
        path.write_text(before)
    assert json.loads(redone(journal, path)) == {**json.loads(before or "{}"), "mine": "precious"}


def test_edits_file_the_user_removed_between_two_changes_does_not_come_back(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theirs": 1}')
    for value in ("8402", "18499"):
        journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value=value)]))
        undo = journal.plan_undo("claude", path)
        if value == "8402":
            path.unlink()
    assert undo is not None
    assert undo.after is None


def test_edits_each_file_has_a_record_of_its_own(tmp_path: Path, journal: Journal) -> None:
    first, second = tmp_path / "a" / "settings.json", tmp_path / "b" / "settings.json"
    for path in (first, second):
        path.parent.mkdir()
        path.write_text("{}")
        journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value="b")]))
    for expected in (second, first):
        undo = journal.plan_undo("claude", second)
        assert undo is not None
        assert undo.path == expected
        journal.make(undo)
        assert expected.read_text() == "{}"
    assert journal.plan_undo("claude", second) is None


def as_before_records_had_a_path_in_their_name(journal: Journal, path: Path) -> Path:
    file = journal.backup("claude", path)
    return file.rename(file.with_name("claude.json"))


def test_edits_record_of_an_earlier_version_is_undone(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value="b")]))
    former = as_before_records_had_a_path_in_their_name(journal, path)
    undo = journal.plan_undo("claude", tmp_path / "elsewhere.json")
    assert undo is not None
    journal.make(undo)
    assert path.read_text() == "{}"
    assert not former.exists()


def test_edits_record_of_an_earlier_version_is_continued(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    journal.make(journal.plan("claude", path, [PutJson(path=("env", "A"), value="b")]))
    former = as_before_records_had_a_path_in_their_name(journal, path)
    journal.make(journal.plan("claude", path, [PutJson(path=("env", "B"), value="c")]))
    assert json.loads(path.read_text()) == {"env": {"B": "c"}}
    assert not former.exists()
    undo = journal.plan_undo("claude", path)
    assert undo is not None
    journal.make(undo)
    assert path.read_text() == "{}"
    assert journal.plan_undo("claude", path) is None


def test_edits_change_that_could_not_be_made_is_not_remembered(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "settings.json"
    change = FileChange("claude", path, None, "{}", None, (PutJson(path=("a",), value=1),))
    with pytest.raises(OSError, match="file"):
        journal.make(change)
    assert journal.plan_undo("claude", tmp_path / "other.json") is None


def test_edits_state_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "fresh" / "state"
    path = tmp_path / "settings.json"
    journal = Journal(home / "changes")
    journal.make(journal.plan("claude", path, [PutJson(path=("a",), value=1)]))
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (home, home / "changes")] == [0o700, 0o700]
