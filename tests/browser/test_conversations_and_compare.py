"""Conversations folded with their agent, and prompts sent from the page to two models at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, playwright
from tests.browser.real import RealGateway, real_gateway

expect = playwright.expect


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealGateway]:
    with real_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def page(real: RealGateway, watching: Any) -> Iterator[Any]:
    with watching(real) as open_page:
        page = open_page(viewport=DESKTOP, expected=("status of 40",))
        page.set_default_timeout(10_000)
        yield page


def test_conversations_fold_their_requests(page: Any, real: RealGateway) -> None:
    for _ in range(2):
        real.ask("What is the capital of Portugal?", **{"user-agent": "claude-cli/2.1"})
    real.ask("Prove that the square root of 2 is irrational.", **{"user-agent": "codex_exec/0.171"})
    page.locator("nav.views [data-view=conversations]").click()
    expect(page.locator("#page-conversations [role=status]")).to_have_text("2 conversations")
    claude = page.locator(".conversations > li", has_text="claude-cli")
    expect(claude.locator("summary")).to_contain_text(re.compile(r"2\s*requests"))
    expect(claude.locator("summary")).to_contain_text("from cache")
    claude.locator("summary").click()
    expect(claude.locator(".turn")).to_have_count(2)
    claude.locator(".turn").first.click()
    expect(page.locator("#detail")).to_contain_text("Why this tier")
    assert "view=" not in page.url


def test_two_models_answer_side_by_side(page: Any, real: RealGateway) -> None:
    page.locator("nav.views [data-view=compare]").click()
    page.locator("#compare-prompt").fill("Prove that the square root of 2 is irrational.")
    page.locator("#compare-1").fill("anthropic/claude-haiku-4-5")
    page.get_by_role("button", name="Send").click()
    left, right = page.locator(".side").first, page.locator(".side").last
    expect(left.locator(".answer")).to_contain_text("demo speaking")
    expect(right.locator(".answer")).to_contain_text("claude-haiku-4-5")
    expect(left.locator(".told")).to_contain_text("REASONING")
    expect(right.locator(".told")).to_contain_text(re.compile(r"cost\s*\$"))
    left.get_by_role("button", name="Why this model").click()
    expect(page.locator("#detail .sums li.chosen")).to_be_visible()
    assert "local-test-token" not in page.content()


def test_a_refusal_is_shown_where_the_answer_would_stand(page: Any, real: RealGateway) -> None:
    page.locator("nav.views [data-view=compare]").click()
    page.locator("#compare-prompt").fill("hi")
    page.locator("#compare-0").fill("nobody/nothing")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".side .error").first).to_contain_text("nobody")
