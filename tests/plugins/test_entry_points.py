"""Distributions that name our group are found wherever Python looks for modules, and the others are not read."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from openclaw_oauthrouter.plugins import entry_points_of_others

LOOK = getattr(entry_points_of_others, "__wrapped__", entry_points_of_others)
"""The suite has the answer remembered; here it is asked each time."""


def distribution(folder: Path, name: str, entries: str, kind: str = "dist-info") -> None:
    home = folder / f"{name}.{kind}"
    home.mkdir(parents=True)
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.partition('-')[0]}\nVersion: 1\n")
    (home / "entry_points.txt").write_text(entries)


def found() -> list[tuple[str, str]]:
    return [(entry.name, entry.value) for entry in LOOK()]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "later"), str(tmp_path / "not there"), "hook://nothing"])
    return tmp_path


def test_entry_points_of_others_are_found_by_name(path: Path) -> None:
    distribution(path, "b_router-1.0", "[console_scripts]\nb = b:main\n\n[openclaw]\nzeta = b.z\nbeta = b:plugin\n")
    distribution(path / "later", "a.router-2.0", "[openclaw]\nalpha = a\n", "egg-info")
    distribution(path, "nothing_of_ours-1.0", "[console_scripts]\nopenclaw = x:main\n")
    (path / "without-1.0.dist-info").mkdir()
    assert found() == [("alpha", "a"), ("beta", "b:plugin"), ("zeta", "b.z")]


def test_entry_points_of_the_first_of_a_name_count(path: Path) -> None:
    distribution(path, "some_router-2.0", "[openclaw]\nnew = new\n")
    distribution(path / "later", "Some.Router-1.0", "[openclaw]\nold = old\n")
    assert found() == [("new", "new")]


@pytest.mark.parametrize("name", ["openclaw_oauthrouter-0.1.0", "openclaw_oauthrouter"])
def test_entry_points_of_our_own_are_no_others(name: str, path: Path) -> None:
    distribution(path, name, "[openclaw]\noauthrouter = openclaw_oauthrouter.openclaw.plugin\n")
    distribution(path, "openclaw_oauthrouter_more-1.0", "[openclaw]\nmore = more\n")
    assert found() == [("more", "more")]


def test_entry_points_in_an_archive_are_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("packed-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: packed\nVersion: 1.0\n")
        packed.writestr("packed-1.0.dist-info/entry_points.txt", "[openclaw]\npacked = packed\n")
    monkeypatch.setattr(sys, "path", [str(archive), *sys.path])
    distribution(path, "plain-1.0", "[openclaw]\nplain = plain\n")
    assert found() == [("packed", "packed"), ("plain", "plain")]
