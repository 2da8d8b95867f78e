"""axe-core finds nothing to complain about, in light and dark, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, OpenPage, playwright
from tests.browser.gateway import Gateway
from tests.support.real_programs import program

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def complaints(page: Any, rules: list[str] = RULES) -> list[str]:
    """What axe-core finds, one line a rule and element."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(program("OAUTHROUTER_E2E_AXE").read_text())
    found = page.evaluate("rules => axe.run({ runOnly: rules })", rules)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]
    ]


def check(page: Any) -> None:
    """In light and dark nothing to complain about, and nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.emulate_media(color_scheme="light")
    assert complaints(page) == []
    # What colours have no part in was found already.
    page.emulate_media(color_scheme="dark")
    assert complaints(page, ["color-contrast"]) == []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_accessibility_every_view(busy: Gateway, open_page: OpenPage, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport, reduced_motion="reduce")
    page.locator(".rows .row").first.wait_for()
    check(page)
    page.locator(".rows .row", has_text="200").first.click()
    page.get_by_role("heading", name="Why this tier").wait_for()
    check(page)
    page.get_by_role("tab", name="Overview").click()
    page.locator(".view-gauges").first.wait_for()
    check(page)
    page.get_by_role("tab", name="Try a prompt").click()
    page.locator(".example").first.click()
    playwright.expect(page.locator("#explanation .dimensions")).to_be_visible()
    check(page)


def test_accessibility_empty_page(gateway: Gateway, open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")
    page.get_by_role("heading", name="Waiting for the first request").wait_for()
    check(page)
