"""Every page at every width, light and dark: axe-core finds nothing, and nothing is wider than the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import playwright
from tests.browser.real import RealGateway, real_gateway
from tests.browser.test_accessibility import check

expect = playwright.expect

WIDTHS = {360: 640, 390: 844, 768: 1024, 1440: 900, 1920: 1080}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    with real_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        for prompt in ("What is the capital of Portugal?", "Prove that the square root of 2 is irrational."):
            gateway.ask(prompt)
        yield gateway


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_every_page(real: RealGateway, watching: Any, width: int) -> None:
    viewport = {"width": width, "height": WIDTHS[width]}
    with watching(real) as open_page:
        page = open_page(viewport=viewport, reduced_motion="reduce")
        check(page)
        page.locator("nav.views [data-view=conversations]").click()
        page.locator(".conversations summary").first.click()
        expect(page.locator(".turn").first).to_be_visible()
        check(page)
        page.locator("nav.views [data-view=compare]").click()
        page.locator("#compare-prompt").fill("What is the capital of Portugal?")
        page.locator("#compare-1").fill("anthropic/claude-haiku-4-5")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("button", name="Why this model")).to_have_count(2)
        check(page)
        page.get_by_role("button", name="Why this model").first.click()
        expect(page.locator("#detail .sums li").first).to_be_visible()
        check(page)
        page.locator("nav.views [data-view=models]").click()
        expect(page.locator(".models-table tbody tr").first).to_be_visible()
        check(page)
        page.locator("nav.views [data-view=settings]").click()
        expect(page.locator("#set-accounts .lines")).to_be_visible()
        for summary in page.locator("#page-settings summary").all():
            summary.click()
        check(page)
        page.locator("#budget-daily_cost_budget").fill("1")
        page.get_by_role("button", name="Review budgets").click()
        expect(page.locator("#ask .diff")).to_be_visible()
        check(page)
