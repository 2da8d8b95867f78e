"""The live feed as a person uses it."""

from __future__ import annotations

import re
import time

import pytest

from tests.browser.conftest import PHONE, OpenPage, playwright
from tests.browser.gateway import Gateway
from tests.browser.scene import Scene

expect = playwright.expect


def test_rows_come_in_live_newest_first(gateway: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_role("heading", name="Waiting for the first request")).to_be_visible()
    expect(page.locator("#empty")).to_contain_text(f"{gateway.url}/v1/chat/completions")
    scene = Scene()
    for _ in range(3):
        gateway.receive(scene.record(time.time()))
    expect(page.locator(".rows .row")).to_have_count(3)
    expect(page.locator("#empty")).to_be_hidden()
    newest = scene.record(time.time())
    newest.client = "the-last-one"
    gateway.receive(newest)
    expect(page.locator(".rows .row[aria-rowindex='2']")).to_contain_text("the-last-one")


def test_feed_row_tells_what_happened(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    page.click("#substituted")
    row = page.locator(".rows .row", has_text="fallback 429").first
    expect(row).to_contain_text("auto")
    expect(row).to_contain_text("openai/gpt-5.6-sol")
    expect(row.locator(".status")).to_have_text("200")
    expect(row.locator(".latency")).to_have_text(re.compile(r"^\d+(\.\d+)? m?s"))
    expect(row.locator(".first")).to_have_text(re.compile(r"^\d+(\.\d+)? m?s"))
    expect(row.locator(".tokens")).to_have_text(re.compile(r"^[\d.,K]+ / [\d.,K]+"))
    expect(row.locator(".cost")).to_have_text(re.compile(r"^\$\d"))


@pytest.mark.parametrize(
    ("typed", "holds"),
    [
        ("tier:reasoning", "REASONING"),
        ("status:503", "503"),
        ("status:4xx", "429"),
        ("client:nightly", "nightly"),
        ("editor simple", "SIMPLE"),
    ],
)
def test_filter(busy: Gateway, open_page: OpenPage, typed: str, holds: str) -> None:
    page = open_page()
    page.fill("#filter", typed)
    expect(page.locator("#count")).to_have_text(re.compile(r"^\d+ of 260"))
    rows = page.locator(".rows .row")
    expect(rows.first).to_contain_text(holds)
    for text in rows.all_inner_texts():
        assert holds in text
    page.fill("#filter", "no such thing")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.fill("#filter", "")
    expect(page.locator("#count")).to_have_text("260 requests")


def test_feed_rows_of_other_days_say_their_day(gateway: Gateway, open_page: OpenPage) -> None:
    scene, now = Scene(), time.time()
    gateway.receive(scene.record(now - 3 * 86_400), scene.record(now))
    page = open_page()
    times = page.locator(".rows .row .time")
    expect(times.first).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    expect(times.last).to_have_text(re.compile(r"^\d{1,2} [A-Z][a-z]{2,3} \d\d:\d\d$"))
    assert times.last.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


def test_pause_holds_back_and_resume_brings_all(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator("#count")).to_have_text("260 requests")
    page.click("#pause")
    scene = Scene(seed=11)
    busy.receive(*(scene.record(time.time()) for _ in range(4)))
    expect(page.locator("#count")).to_have_text("260 requests · 4 waiting")
    page.click("#pause")
    expect(page.locator("#count")).to_have_text("264 requests")


def test_clear(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator("#count")).to_have_text("260 requests")
    page.click("#clear")
    expect(page.get_by_role("heading", name="Cleared")).to_be_visible()
    busy.receive(Scene(seed=11).record(time.time()))
    expect(page.locator(".rows .row")).to_have_count(1)


def test_feed_who_has_scrolled_away_keeps_his_place(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#feed").evaluate("feed => { feed.scrollTop = 2000; }")
    expect(page.locator(".rows .row[aria-rowindex='66']")).to_be_visible()
    top = "feed => [...feed.querySelectorAll('.rows .row')].find(row => row.getBoundingClientRect().top >= feed.getBoundingClientRect().top + 34).record.requestId"
    before = page.locator("#feed").evaluate(top)
    scene = Scene(seed=11)
    busy.receive(*(scene.record(time.time()) for _ in range(5)))
    expect(page.locator("#newer")).to_have_text("5 new")
    assert page.locator("#feed").evaluate(top) == before
    page.click("#newer")
    expect(page.locator("#newer")).to_be_hidden()
    assert page.locator("#feed").evaluate("feed => feed.scrollTop") == 0


def test_keyboard(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator("#count")).to_have_text("260 requests")
    page.locator(".rows .row[tabindex='0']").focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    focused = "document.activeElement.getAttribute('aria-rowindex')"
    assert page.evaluate(focused) == "32"
    page.keyboard.press("End")
    assert page.evaluate(focused) == "261"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Why this tier")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab", name="Overview")).to_have_attribute("aria-selected", "true")
    assert page.evaluate(focused) == "2"


def test_ten_thousand_records_are_a_few_dozen_elements(open_page: OpenPage, gateway: Gateway) -> None:
    page = open_page()
    scene = Scene()
    for batch in range(1, 21):
        gateway.receive(*(scene.record(time.time()) for _ in range(500)))
        expect(page.locator("#count")).to_have_text(f"{batch * 500:,} requests")
    gateway.receive(*(scene.record(time.time()) for _ in range(500)))
    expect(page.locator("#count")).to_have_text(re.compile(r"^9,[5-9]\d\d requests$"))
    for place in (0.0, 0.5, 1.0):
        page.locator("#feed").evaluate("(feed, place) => { feed.scrollTop = feed.scrollHeight * place; }", place)
        expect(page.locator(".rows .row").first).to_be_visible()
        assert page.locator(".rows .row").count() < 60
    frame = page.evaluate(
        "new Promise(done => { const from = performance.now(); requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from))); })"
    )
    assert frame < 1000


def test_feed_what_a_client_sends_stays_text(gateway: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    record = Scene().record(time.time())
    record.client = record.model_requested = record.user_agent = "<img src=x onerror=alert(1)>"
    record.error_message = record.conversation = "<script>alert(2)</script>"
    gateway.receive(record)
    row = page.locator(".rows .row").first
    expect(row).to_contain_text("<img src=x")
    row.click()
    expect(page.locator("#detail")).to_contain_text("<script>alert(2)</script>")
    assert page.locator("#detail img, #detail script, .rows img, .rows script").count() == 0


def test_phone_shows_one_thing_at_a_time(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    row = page.locator(".rows .row").nth(2)
    expect(row).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    row.tap()
    expect(page.get_by_role("heading", name="Why this tier")).to_be_visible()
    expect(page.locator("#feed")).to_be_hidden()
    page.get_by_role("tab", name="Overview").tap()
    expect(page.get_by_role("heading", name="Subscription windows")).to_be_attached()
    page.get_by_role("tab", name="Live").tap()
    expect(page.locator("#feed")).to_be_visible()
