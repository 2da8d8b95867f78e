"""The sum of a decision on the page: true to the trace, readable without a mouse, for what was answered and for what is only tried out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import DESKTOP, PHONE, playwright
from tests.browser.real import TOKEN, RealGateway, real_gateway
from tests.browser.test_accessibility import check

expect = playwright.expect

PROMPT = "Design an event pipeline with exactly-once delivery; compare three stores."
SESSION = {"x-session-id": "s-1"}
PARTS = {"turn": "this call", "coming": "calls to come", "shortfall": "below the tier", "preference": "behind the model"}


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealGateway]:
    with real_gateway(tmp_path) as gateway:
        said: list[dict[str, str]] = []
        for prompt in (PROMPT, "go on", "now the third store"):
            said.append({"role": "user", "content": prompt})
            asked(gateway, "POST", "/v1/chat/completions", {"model": "auto", "messages": said}, SESSION)
            said.append({"role": "assistant", "content": "Done."})
        yield gateway


@pytest.fixture
def page(browser: Any, real: RealGateway, request: pytest.FixtureRequest) -> Iterator[Any]:
    viewport, scheme = request.param
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(real.login_url())
    page.wait_for_selector("#connection.live")
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    context.close()
    assert [one for one in complaints if "400 (Bad Request)" not in one] == []


def asked(real: RealGateway, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    said = {"authorization": f"Bearer {TOKEN}", **(headers or {})}
    return httpx.request(method, f"{real.url}{path}", json=body, headers=said, timeout=30, trust_env=False).json()


def figure(text: str) -> float:
    """Microdollars."""
    return float(text.replace("$", "").replace("−", "-")) * 1e6


everywhere = pytest.mark.parametrize(
    "page", [(DESKTOP, "light"), (PHONE, "dark")], indirect=True, ids=["desktop, light", "phone, dark"]
)


def compare(page: Any, sums: Any, hops: list[Any]) -> None:
    """Each bar and its figures, opened by the keyboard, against what the gateway says."""
    drawn = [hop for hop in hops if hop["cost"]]
    assert len(drawn) > 2
    expect(sums.locator("ol > li")).to_have_count(len(drawn[:6]))
    top = max(hop["cost"]["total"] for hop in drawn)
    step = 10 ** (-min(6, max(2, 3 - len(str(top)) + 7))) * 1e6
    for place, hop in enumerate(drawn[:6]):
        cost, row = hop["cost"], sums.locator("ol > li").nth(place)
        expect(row.locator(".label")).to_contain_text(hop["model"])
        assert figure(row.locator("b").inner_text()) == pytest.approx(cost["total"], abs=step)
        track = row.locator(".track").bounding_box()["width"]
        bars = [bar.bounding_box()["width"] for bar in row.locator(".track > span").all()]
        assert sum(bars) + len(bars) == pytest.approx(track * cost["total"] / top, abs=2 * len(bars) + 2)
        row.locator("summary").focus()
        page.keyboard.press("Enter")
        told = dict(zip(row.locator("dt").all_inner_texts(), row.locator("dd").all_inner_texts(), strict=True))
        for part, words in PARTS.items():
            charged = cost[part] * (cost["shadow"] if part in ("turn", "coming") else 1)
            shown = [figure(value) for name, value in told.items() if name.startswith(words)]
            assert shown == ([pytest.approx(charged, abs=step)] if charged > 0 else [])
        assert ("in its prompt cache" in told) == (cost["cachedTokens"] > 0)
        assert hop["reason"] in (row.inner_text() if place == 0 else told["listed as"])


@everywhere
def test_sums_of_a_request_are_those_of_the_trace(page: Any, real: RealGateway) -> None:
    page.locator(".rows .row").first.click()
    expect(page.locator("#detail .sums")).to_be_visible()
    compare(page, page.locator("#detail .sums"), asked(real, "GET", "/debug/routing-trace?n=1")["events"][0]["routing"]["hops"])


@everywhere
def test_sums_of_the_next_turn_are_those_of_an_explanation(page: Any, real: RealGateway) -> None:
    page.locator(".rows .row").first.click()
    page.get_by_role("button", name="Try its next turn").click()
    key = asked(real, "GET", "/debug/routing-trace?n=1")["events"][0]["conversation"]
    expect(page.get_by_label("Next turn of")).to_have_value(key)
    page.get_by_label("What would happen to this prompt or request?").fill("and the fourth?")
    page.get_by_role("button", name="Explain", exact=True).click()
    answer = page.locator("#explanation")
    expect(answer).to_contain_text("Its conversation: 3 answers, at ")
    said = asked(real, "POST", "/v1/route/explain", {"prompt": "and the fourth?", "conversation": key})
    compare(page, answer.locator(".sums"), said["hops"])
    reserves = [hop["model"] for hop in said["hops"] if not hop["cost"]]
    expect(answer).to_contain_text(f"in reserve: {', '.join(reserves)}" if reserves else "")


@everywhere
def test_sums_of_a_request_that_is_pasted(page: Any, real: RealGateway) -> None:
    page.get_by_role("tab", name="Try a prompt").click()
    field = page.get_by_label("What would happen to this prompt or request?")
    field.fill('{"messages": "is no')
    expect(page.locator("#prompt-kind")).to_be_hidden()
    headers = {**SESSION, "x-claude-code-request-class": "auxiliary"}
    body = {"max_tokens": 90, "messages": [{"role": "user", "content": PROMPT}]}
    field.fill(json.dumps({"path": "/v1/messages", "headers": headers, "body": body}))
    expect(page.locator("#prompt-kind")).to_have_text("Read as the JSON of a request.")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator("#explanation")).to_contain_text("A side request: it moves nothing.")
    expect(page.locator("#explanation")).to_contain_text(re.compile(r"Its conversation: 3 answers"))
    field.fill('{"body": 7}')
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator("#explanation .error")).to_contain_text("'body' must be a JSON object")


@everywhere
def test_sums_are_accessible_closed_and_open(page: Any) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.locator(".rows .row").first.click()
    summaries = page.locator("#detail .sums summary")
    expect(summaries.first).to_be_visible()
    check(page)
    for summary in summaries.all():
        summary.click()
    check(page)
    page.get_by_role("button", name="Try its next turn").click()
    page.get_by_label("What would happen to this prompt or request?").fill("and the fourth?")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator("#explanation .sums")).to_be_visible()
    check(page)
