"""The page finds the same requests as the gateway's index for the same words, and says of the same words that they mean nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.gateway import Gateway
from tests.support import search_cases


@pytest.fixture(scope="module")
def said(browser: Any) -> Any:
    """What ``filter.js`` makes of every case: the ids found, and what is wrong."""
    gateway = Gateway().start()
    try:
        page = browser.new_page()
        page.goto(gateway.login_url())
        yield page.evaluate(
            """async ({ events, texts }) => {
              const { parseFilter } = await import("./dashboard/static/filter.js");
              return Object.fromEntries(texts.map((text) => {
                const { test, problem } = parseFilter(text);
                return [text, { ids: events.filter(test).map((event) => event.requestId.slice(4)).reverse().join(""), problem }];
              }));
            }""",
            {"events": search_cases.EVENTS, "texts": [text for text, _ in (*search_cases.FOUND, *search_cases.WRONG)]},
        )
        page.close()
    finally:
        gateway.stop()


@pytest.mark.parametrize(("text", "ids"), search_cases.FOUND)
def test_search_on_the_page_finds(said: Any, text: str, ids: str) -> None:
    assert said[text] == {"ids": ids, "problem": None}


@pytest.mark.parametrize(("text", "words"), search_cases.WRONG)
def test_search_on_the_page_says_what_means_nothing(said: Any, text: str, words: str) -> None:
    assert words.removeprefix("'") in (said[text]["problem"] or "")
