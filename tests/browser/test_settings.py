"""The settings page: every change is shown, made and taken back, in the file and in force; and no secret stays on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, OpenPage, playwright
from tests.browser.real import RealGateway, real_gateway
from tests.proxy.editable import CONFIG, NIGHTLY

expect = playwright.expect

SECRET = "gsk-typed-into-the-page-0123456789"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealGateway]:
    with real_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def page(real: RealGateway, watching: Any) -> Iterator[Any]:
    with watching(real) as open_page:
        yield settings_of(open_page)


def settings_of(open_page: OpenPage, **options: Any) -> Any:
    page = open_page(viewport=DESKTOP, expected=("status of 40",), **options)
    page.set_default_timeout(10_000)
    page.locator("nav.views").get_by_text("Settings").click()
    expect(page.locator("#set-accounts .lines")).to_be_visible()
    return page


def agree(page: Any, *lines: str) -> None:
    """The dialog shows these lines of the file; yes to it."""
    for line in lines:
        expect(page.locator("#ask .diff")).to_contain_text(line)
    page.locator("#ask button[value=yes]").click()


def undo(page: Any) -> None:
    page.locator("#notes").get_by_role("button", name="Undo").click()
    expect(page.locator("#notes")).to_contain_text("Taken back")


def test_budgets_are_shown_changed_and_taken_back(page: Any, real: RealGateway) -> None:
    page.locator("#budget-daily_cost_budget").fill("2.5")
    page.get_by_role("button", name="Review budgets").click()
    agree(page, "-daily_cost_budget = 5.0", "+daily_cost_budget = 2.5")
    expect(page.locator("#notes")).to_contain_text("Changed")
    assert "daily_cost_budget = 2.5" in real.config.read_text()
    assert real.handle.live.runtime.settings.spend_controls.daily_cost_budget == 2.5
    undo(page)
    assert real.config.read_text() == CONFIG
    expect(page.locator("#budget-daily_cost_budget")).to_have_value("5")


def test_settings_no_answer_changes_nothing(page: Any, real: RealGateway) -> None:
    page.locator("#budget-daily_cost_budget").fill("1")
    page.get_by_role("button", name="Review budgets").click()
    page.locator("#ask").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Review budgets").click()
    expect(page.locator("#ask")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert real.config.read_text() == CONFIG


def test_settings_limit_for_one_provider_is_added_and_removed(page: Any, real: RealGateway) -> None:
    page.locator("#set-budgets summary").click()
    page.get_by_label("Limit", exact=True).fill("3")
    page.get_by_label("Its name").fill("anthropic")
    page.get_by_role("button", name="Review limit").click()
    agree(page, "+provider = ")
    expect(page.locator("#set-budgets .lines")).to_contain_text("$3.00 a day for anthropic")
    page.get_by_role("button", name="Remove: $3.00 a day for anthropic").click()
    agree(page, "-provider = ")
    expect(page.locator("#set-budgets .lines")).to_have_count(0)


def test_tiers_are_put_in_order_by_dragging(page: Any, real: RealGateway) -> None:
    simple, medium = (page.locator(f"[data-tier={name}]") for name in ("SIMPLE", "MEDIUM"))
    moved = medium.locator(".tier-item").first.inner_text().strip()
    medium.locator(".tier-item").first.drag_to(simple.locator(".tier-item").first, target_position={"x": 20, "y": 3})
    expect(simple.locator(".tier-item").first).to_contain_text(moved)
    page.get_by_role("button", name="Review tiers").click()
    agree(page, "[routing.tiers.SIMPLE]", f'+primary = "{moved}"')
    expect(simple.locator("h3")).to_contain_text("chosen")
    assert real.handle.live.runtime.settings.routing.tiers["SIMPLE"].primary == moved
    undo(page)
    expect(simple.locator("h3")).to_contain_text("computed")
    assert real.config.read_text() == CONFIG


def test_tiers_are_put_in_order_by_the_keyboard(page: Any, real: RealGateway) -> None:
    column = page.locator("[data-tier=COMPLEX]")
    first, second = column.locator(".tier-name").all_inner_texts()[:2]
    column.locator(".tier-name").nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(column.locator(".tier-name").nth(0)).to_contain_text(second)
    expect(column.locator(".tier-name").nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-tier=REASONING] .tier-name", has_text=first)).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.locator("[data-tier=REASONING] .tier-name", has_text=first)).to_have_count(0)
    page.get_by_role("button", name="Review tiers").click()
    agree(page, "[routing.tiers.COMPLEX]")
    expect(column.locator("h3")).to_contain_text("chosen")
    column.get_by_role("button", name="Compute it again").click()
    agree(page, "-[routing.tiers.COMPLEX]")
    expect(column.locator("h3")).to_contain_text("computed")


def test_settings_model_that_nobody_serves_is_said_before_it_is_taken(page: Any) -> None:
    page.get_by_label("Add a model to SIMPLE").fill("anthropic/claude-hiaku-4-5")
    page.get_by_role("button", name="Add it to SIMPLE").click()
    page.get_by_role("button", name="Review tiers").click()
    expect(page.locator("#ask .problem-words")).to_contain_text("claude-haiku-4-5")


def test_settings_key_is_added_tested_removed_and_put_back(page: Any, real: RealGateway) -> None:
    page.get_by_label("Provider", exact=True).select_option("groq")
    page.get_by_label("Key or token").fill(SECRET)
    page.get_by_role("button", name="Add key").click()
    row = page.locator("#set-accounts .account", has_text="groq:key")
    expect(row).to_contain_text("usable")
    expect(page.get_by_label("Key or token")).to_have_value("")
    row.get_by_role("button", name="Remove").click()
    agree(page)
    expect(row).to_have_count(0)
    page.locator("#notes").get_by_role("button", name="Undo").click()
    expect(row).to_be_visible()
    assert SECRET not in page.content()
    assert SECRET not in page.url


def test_settings_wrong_key_is_refused_without_being_repeated(page: Any) -> None:
    page.get_by_label("Key or token").fill("has blanks in it")
    page.get_by_role("button", name="Add key").click()
    expect(page.locator("#notes [role=alert]")).to_contain_text("not kept")
    assert "has blanks" not in page.locator("#notes").inner_text()


def test_settings_account_is_tested_paused_and_used_again(page: Any, real: RealGateway) -> None:
    row = page.locator("#set-accounts .account", has_text="config:anthropic")
    row.get_by_role("button", name="Test").click()
    expect(row.locator(".result")).to_have_text(re.compile("list|answered"))
    row.get_by_role("button", name="Pause").click()
    agree(page, '+paused = ["config:anthropic"]')
    expect(row).to_contain_text("paused")
    expect(row).to_contain_text("paused")
    assert "anthropic" not in real.handle.live.runtime.usable_providers()
    row.get_by_role("button", name="Resume").click()
    agree(page, "-paused")
    expect(row).to_contain_text("usable")
    assert "anthropic" in real.handle.live.runtime.usable_providers()


def test_settings_client_key_shows_its_token_once(page: Any, real: RealGateway) -> None:
    assert NIGHTLY not in page.content()
    page.get_by_label("Name", exact=True).first.fill("alice")
    page.locator("#client-cost").fill("1.5")
    page.get_by_role("button", name="Add client").click()
    token = page.locator("#ask .token").inner_text()
    assert real.config.read_text().count(token) == 1
    page.locator("#ask button[value=yes]").click()
    expect(page.locator("#set-client-keys .lines")).to_contain_text("alice $1.50 a day")
    assert token not in page.content()
    page.reload()
    expect(page.locator("#set-client-keys .lines")).to_contain_text("alice")
    assert token not in page.content()
    page.get_by_role("button", name="Remove alice").click()
    agree(page)
    expect(page.locator("#set-client-keys .lines")).not_to_contain_text("alice")
    assert "alice" not in real.config.read_text()


def test_profile_aliases_and_providers_are_changed(page: Any, real: RealGateway) -> None:
    page.get_by_role("radio", name="quality").check()
    agree(page, '+profile = "quality"')
    expect(page.locator("#set-changes .lines li")).to_have_count(1)
    expect(page.get_by_role("radio", name="quality")).to_be_checked()
    page.get_by_label("Name a client may use").fill("gpt-4.1")
    page.locator("#alias-model").fill("anthropic/claude-haiku-4-5")
    page.get_by_role("button", name="Review alias").click()
    agree(page, '+"gpt-4.1" = ')
    expect(page.locator("#set-aliases .lines")).to_contain_text("gpt-4.1")
    page.locator("#set-providers summary").click()
    page.locator("#provider-name").fill("my-server")
    page.locator("#provider-address").fill("http://127.0.0.1:9/v1")
    page.get_by_role("button", name="Review provider").click()
    agree(page, "[providers.my-server]")
    expect(page.locator("#set-providers .lines")).to_contain_text("my-server")
    page.get_by_role("button", name="Switch off my-server").click()
    agree(page, "+enabled = false")
    expect(page.locator("#set-providers .lines")).to_contain_text("switched off")
    expect(page.locator("#set-changes .lines li")).to_have_count(4)


def test_settings_older_change_is_taken_back_from_the_list(page: Any, real: RealGateway) -> None:
    for made, name in enumerate(("economy", "quality"), 1):
        page.get_by_role("radio", name=name).check()
        agree(page, name)
        expect(page.locator("#set-changes .lines li")).to_have_count(made)
    page.locator("#set-changes .lines li").first.get_by_role("button").click()
    agree(page, "economy")
    expect(page.get_by_role("radio", name="economy")).to_be_checked()


def test_settings_change_by_hand_meanwhile_is_told_and_kept(page: Any, real: RealGateway) -> None:
    page.locator("#budget-daily_cost_budget").fill("2")
    page.get_by_role("button", name="Review budgets").click()
    expect(page.locator("#ask .diff")).to_be_visible()
    real.config.write_text(CONFIG + "\n# by hand\n")
    page.locator("#ask button[value=yes]").click()
    expect(page.locator("#notes [role=alert]")).to_contain_text("changed by somebody else")
    assert real.config.read_text() == CONFIG + "\n# by hand\n"


def test_settings_browser_without_the_change_key_looks_and_changes_nothing(page: Any, real: RealGateway) -> None:
    page.evaluate("localStorage.removeItem('oauthrouter-change-key')")
    page.locator("#budget-daily_cost_budget").fill("2")
    page.get_by_role("button", name="Review budgets").click()
    expect(page.locator("#notes [role=alert]")).to_contain_text("new link")
    assert "key=" not in page.url
    assert real.config.read_text() == CONFIG


def test_models_are_searched_and_sorted(page: Any, real: RealGateway) -> None:
    page.locator("nav.views").get_by_text("Models").click()
    rows = page.locator(".models-table tbody tr")
    expect(rows.first).to_contain_text("ready")
    page.keyboard.press("/")
    expect(page.get_by_label("Search models")).to_be_focused()
    page.get_by_label("Search models").fill("haiku")
    expect(rows.first).to_contain_text("Haiku")
    expect(page.locator("#page-models [role=status]")).to_have_text(re.compile(r"\d+ of \d+"))
    page.get_by_label("Search models").fill("no-such-model")
    expect(rows.first).to_contain_text("No model fits")
    page.get_by_label("Search models").fill("")
    page.get_by_role("button", name="$ in / out").click()
    prices = [
        float(text.split("/")[0])
        for text in page.locator(".models-table td:nth-child(3)").all_inner_texts()
        if "known" not in text
    ]
    assert prices == sorted(prices)
    assert "view=models" in page.url
    page.reload()
    expect(page.locator(".models-table tbody tr").first).to_be_visible()
