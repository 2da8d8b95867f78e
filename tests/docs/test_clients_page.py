"""docs/clients.md shows what the end-to-end stage runs, and names the versions it installs."""

from __future__ import annotations

import re

from tests.clients.matrix import PAGE, page_with_table
from tests.docs.pages import DOCS

INSTALLER = DOCS.parent / ".ci" / "install-clients"


def test_clients_page_table_of_abilities_is_the_one_that_is_run() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_table(page)
    assert "| Claude Code | yes |" in page


def test_clients_page_versions_are_those_that_are_installed() -> None:
    page, installer = PAGE.read_text(encoding="utf-8"), INSTALLER.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!client|---)[^|]+\|[^|]+\|[^|]+\| (\d[\d.]+) \|", page, re.MULTILINE)
    assert len(rows) >= 8
    assert [version for version in rows if version not in installer] == []
