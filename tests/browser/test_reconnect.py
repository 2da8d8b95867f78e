"""The page finds its way back by itself, and says how it stands meanwhile."""

from __future__ import annotations

import time

from tests.browser.conftest import OpenPage, playwright
from tests.browser.gateway import Gateway
from tests.browser.scene import Scene

expect = playwright.expect

GONE = (
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "status of 401",
)


def test_gateway_restarts(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page(expected=GONE)
    expect(page.locator("#count")).to_have_text("260 requests")
    busy.stop()
    expect(page.locator("#connection")).to_have_text("Reconnecting")
    expect(page.get_by_role("alert")).to_contain_text("Trying again in")
    busy.start()
    expect(page.locator("#connection")).to_have_text("Live", timeout=20_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    busy.receive(Scene(seed=11).record(time.time()))
    expect(page.locator("#count")).to_have_text("261 requests")


def test_reconnect_after_a_restart_the_same_picture(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page(expected=GONE)
    picture = "() => ['#headline', '#strip', '.rows', '#panels'].map((id) => document.querySelector(id).innerText.replace(/(again|resets) in .*/g, ''))"
    expect(page.locator("#count")).to_have_text("260 requests")
    expect(page.locator("#strip")).to_contain_text("260")
    expect(page.locator(".view-table").first).to_be_attached()
    before = page.evaluate(picture)
    busy.stop()
    busy.start()
    page.reload()
    page.wait_for_selector("#connection.live")
    expect(page.locator("#count")).to_have_text("260 requests")
    expect(page.locator("#strip")).to_contain_text("260")
    expect(page.locator(".view-table").first).to_be_attached()
    after = page.evaluate(picture)
    for was, now in zip(before[:3], after[:3], strict=True):
        assert now == was
    assert "p99" in after[3]
    page.locator(".rows .row").first.click()
    expect(page.locator("#detail")).to_contain_text("Why this tier")


def test_reconnect_another_token_means_signing_in_again(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page(expected=GONE)
    busy.stop()
    busy.start(key=b"another token")
    expect(page.locator("#connection")).to_have_text("Signed out", timeout=20_000)
    expect(page.get_by_role("alert")).to_contain_text("openclaw-oauthrouter dashboard")
