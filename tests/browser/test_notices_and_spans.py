"""Notices on the page, days of one's own, windows as forecasts, and one cursor in all charts."""

from __future__ import annotations

import re

from tests.browser.conftest import OpenPage, playwright
from tests.browser.gateway import Gateway

expect = playwright.expect


def test_a_notice_is_shown_until_it_is_put_away(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    notices = page.locator("#notices")
    expect(notices).to_contain_text("84% of the 7d window of anthropic claude-max is used")
    notices.get_by_role("button", name="Put away").click()
    expect(notices).to_be_hidden()
    page.reload()
    page.wait_for_selector("#connection.live")
    page.wait_for_function("performance.getEntriesByType('resource').some((one) => one.name.endsWith('/notices'))")
    expect(notices).to_be_hidden()


def test_days_of_ones_own_stand_in_the_address(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Requests of").select_option("own")
    expect(page.locator("#count")).to_have_text(re.compile(r"^2\d\d requests"))
    page.locator("#from-day").fill("2020-01-01")
    page.locator("#to-day").fill("2020-01-05")
    expect(page.locator("#count")).to_have_text("0 requests")
    expect(page.locator("#headline")).to_contain_text("2020-01-01 to 2020-01-05: no requests")
    assert "range=2020-01-01..2020-01-05" in page.url
    page.reload()
    page.wait_for_selector("#connection.live")
    expect(page.locator("#from-day")).to_have_value("2020-01-01")
    expect(page.locator("#count")).to_have_text("0 requests")


def test_windows_say_what_becomes_of_them(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    windows = page.locator("section.panel", has=page.get_by_role("heading", name="Subscription windows"))
    expect(windows).to_contain_text(re.compile(r"at this pace (used up in|\d+% at its end)"))
    expect(windows.locator(".pace").first).to_be_attached()


def test_one_cursor_moves_in_all_charts(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    charts = page.locator("svg.plot")
    expect(charts.first.locator("rect.cursor")).to_be_attached()
    assert charts.first.locator("line.grid").count() == 4
    box = charts.first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    readings = page.locator("output.reading")
    moments = {text.split(" · ")[0] for text in readings.all_inner_texts()}
    assert len(moments) == 1
    assert moments != {""}
    assert page.locator("rect.cursor[visibility=visible]").count() == charts.count()


def test_the_filter_suggests_terms_and_values(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".rows .row").first.wait_for()
    for typed, offered in (
        ("", "tier:"),
        ("haiku -ti", "haiku -tier:"),
        ("tier:co", "tier:complex"),
        ("latency:", "latency:>2s"),
        ("agent:cl", "agent:claude-cli"),
        ("model:son", "model:anthropic/claude-sonnet-4-5"),
    ):
        page.fill("#filter", typed)
        assert offered in page.locator("#terms option").evaluate_all("all => all.map((one) => one.value)"), typed
