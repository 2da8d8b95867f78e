"""A state file in whose place something without an end stands is an error at once, and stays what it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_oauthrouter.config.private_file import read_plain, write_private

PLACES = {
    "pipe": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/null"),
    "folder": lambda path: path.mkdir(),
    "link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "nothing": lambda path: None,
}


@pytest.mark.skipif(os.name == "nt", reason="no pipes with names here")
@pytest.mark.parametrize("place", PLACES)
def test_read_plain_waits_for_nobody(place: str, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    PLACES[place](path)
    with pytest.raises(OSError, match=r"."):
        read_plain(path)


@pytest.mark.skipif(os.name == "nt", reason="no pipes with names here")
def test_write_private_replaces_files_only(tmp_path: Path) -> None:
    pipe, link, folder = tmp_path / "pipe", tmp_path / "link", tmp_path / "folder"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    folder.mkdir()
    for place in (pipe, link, folder):
        with pytest.raises(OSError, match="not a plain file"):
            write_private(place, b"x")
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_read_plain_reads_a_file_and_what_a_link_leads_to(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"what it holds")
    link.symlink_to(path)
    assert read_plain(path) == read_plain(link) == b"what it holds"
