"""docs/clients.md names every client of the table, and the versions that the end-to-end tests install."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_oauthrouter.cli.clients import CLIENTS, find_client

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
INSTALLER = (ROOT / ".ci" / "install-clients").read_text(encoding="utf-8")
ROWS = [
    row.split(" | ")
    for row in PAGE.partition("\n\nSDKs and frameworks")[0].splitlines()
    if row.startswith("| ") and "---" not in row
][1:]
PINS = {
    "Claude Code": "claude_code",
    "Codex CLI": "codex",
    "opencode": "opencode",
    "Cline": "cline",
    "Continue": "continue_cli",
    "Qwen Code": "qwen_code",
    "OpenClaw": "openclaw",
}


def test_every_client_has_its_row() -> None:
    named = {row[0].removeprefix("| ") for row in ROWS}
    assert {client.label for client in CLIENTS.values()} | {"OpenClaw"} == named


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].removeprefix("| "))
def test_a_version_is_the_one_that_is_installed(row: list[str]) -> None:
    label, run, _, tested = (cell.strip("| `") for cell in row[:4])
    if label in PINS:
        assert f"\n{PINS[label]}={tested}\n" in INSTALLER
    elif tested[0].isdigit():
        assert f"=={tested}" in INSTALLER
    if run != "-":
        client = find_client(run.removeprefix("run "))
        assert client is not None
        assert client.label == label
