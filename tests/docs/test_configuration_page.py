"""docs/configuration.md lists every setting as the code has it, and every setting says what it means."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.config import Settings
from tests.docs.configuration_page import PAGE, leaves, sections, with_tables


def test_configuration_page_page_is_what_the_code_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "run: python -m tests.docs.configuration_page --write"


@pytest.mark.parametrize(("path", "section"), list(sections(Settings)))
def test_configuration_page_every_setting_says_what_it_means(path: str, section: type[Settings]) -> None:
    assert section.__doc__
    assert [name for name, field in leaves(section).items() if not field.description] == []
