"""The generated parts of the documentation are what the code says."""

from __future__ import annotations

import pytest

from tests.docs.generated_pages import PAGES, with_generated
from tests.docs.pages import DOCS


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == with_generated(page, PAGES[name]()), "renew it: python -m tests.docs.generated_pages --write"
