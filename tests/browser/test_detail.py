"""The views beside the feed: one request, the charts, and a prompt tried out."""

from __future__ import annotations

import re
import time
from typing import Any

from tests.browser.conftest import OpenPage, playwright
from tests.browser.gateway import Gateway
from tests.browser.scene import Scene

expect = playwright.expect


def panel(page: Any, title: str) -> Any:
    return page.locator("section.panel", has=page.get_by_role("heading", name=title, exact=True))


def test_detail_one_request(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    page.fill("#filter", "tier:complex status:2xx")
    page.click("#substituted")
    page.locator(".rows .row", has_text="fallback 429").first.click()
    detail = page.locator("#detail")
    for heading in ("Why this tier", "Route", "Time", "Tokens and cost", "Request"):
        expect(detail.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(detail.locator(".dimensions li").first).to_contain_text("first … then")
    expect(detail.locator(".attempts li")).to_have_count(2)
    expect(detail.locator(".attempts li").first).to_contain_text("five-hour window is used up")
    expect(detail.locator(".attempts li").last).to_contain_text("openai/gpt-5.6-sol")
    expect(detail).to_contain_text("anthropic/claude-opus-4-6")
    page.get_by_role("button", name="Close the request").click()
    expect(detail).to_contain_text("Choose a request")


def test_charts_and_tiles_follow_the_traffic(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator("#strip")).to_contain_text("260")
    requests = panel(page, "Requests")
    expect(requests.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(r"Requests, last 1 h: \d+ answered, \d+ 4xx, \d+ 5xx")
    )
    assert requests.locator("rect").count() > 30
    box = requests.get_by_role("img").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    expect(requests.locator("output")).to_have_text(re.compile(r"^\d\d:\d\d · \d+ answered"))
    page.get_by_role("button", name="Last day").click()
    expect(requests.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"last 24 h"))
    busy.receive(*(Scene(seed=11).record(time.time()) for _ in range(1)))
    expect(page.locator("#strip")).to_contain_text("261", timeout=15_000)


def test_state_of_providers_plans_and_budgets(busy: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    expect(panel(page, "Providers")).to_contain_text("deepseek · deepseek-chat")
    expect(panel(page, "Providers")).to_contain_text(re.compile(r"again in 1 m \d\d s"))
    windows = panel(page, "Subscription windows")
    expect(windows.get_by_role("meter").first).to_have_attribute("aria-valuenow", "63")
    expect(windows).to_contain_text(re.compile(r"resets in 2 h 0\d m"))
    expect(panel(page, "Budgets")).to_contain_text("96 of 100")
    expect(panel(page, "Latency")).to_contain_text("p99")
    expect(panel(page, "Tiers")).to_contain_text("REASONING")


def test_detail_prompt_is_explained_without_being_sent(gateway: Gateway, open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("tab", name="Try a prompt").click()
    page.get_by_label("What would happen to this prompt or request?").fill("Prove it.")
    page.get_by_role("button", name="Explain").click()
    answer = page.locator("#explanation")
    expect(answer).to_contain_text("REASONING")
    expect(answer).to_contain_text("prove, theorem")
    expect(answer).to_contain_text("anthropic/claude-opus-4-6")
    expect(answer).to_contain_text("no credential")
    expect(answer).to_contain_text("41% below the baseline")
    assert gateway.ring.count == 0


def test_theme_is_remembered(gateway: Gateway, open_page: OpenPage) -> None:
    page = open_page(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.get_by_role("button", name=re.compile("Theme"))
    button.click()
    button.click()
    expect(button).to_have_accessible_name("Theme: dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector("#connection.live")
    assert page.evaluate(ground) == dark
