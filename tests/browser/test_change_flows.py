"""Every change at every width, in light and dark, by mouse, by finger and by keys alone: shown before, made, taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import playwright
from tests.browser.real import RealGateway, real_gateway
from tests.browser.test_accessibility import check
from tests.proxy.editable import CONFIG

expect = playwright.expect

WIDTHS = {390: 844, 768: 1024, 1440: 900, 1920: 1080}
NARROW = 900
SECRET = "gsk-typed-into-the-page-0123456789"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    with real_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture(params=list(WIDTHS))
def page(request: pytest.FixtureRequest, real: RealGateway, watching: Any) -> Iterator[Any]:
    width = request.param
    real.config.write_text(CONFIG)
    with watching(real) as open_page:
        page = open_page(viewport={"width": width, "height": WIDTHS[width]}, reduced_motion="reduce", has_touch=width <= NARROW)
        page.set_default_timeout(15_000)
        show_settings(page)
        yield page


def show_settings(page: Any) -> None:
    page.locator("nav.views [data-view=settings]").click()
    expect(page.locator("#set-accounts .lines")).to_be_visible()


def press(target: Any) -> None:
    """A finger where there is one, else the mouse."""
    if target.page.evaluate("navigator.maxTouchPoints > 0"):
        target.tap()
    else:
        target.click()


def agree(page: Any, *lines: str) -> None:
    for line in lines:
        expect(page.locator("#ask .diff")).to_contain_text(line)
    box = page.locator("#ask").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]
    press(page.locator("#ask button[value=yes]"))
    expect(page.locator("#ask")).to_be_hidden()


def undo(page: Any, real: RealGateway) -> None:
    press(page.locator("#notes").get_by_role("button", name="Undo"))
    expect(page.locator("#notes")).to_contain_text("Taken back")
    assert real.config.read_text() == CONFIG


def test_changes_are_shown_made_and_taken_back(page: Any, real: RealGateway) -> None:
    change_settings(page, real)
    move_models(page, real)
    add_and_remove_keys(page)


def change_settings(page: Any, real: RealGateway) -> None:
    page.locator("#budget-daily_cost_budget").fill("2.5")
    press(page.get_by_role("button", name="Review budgets"))
    check(page)
    agree(page, "-daily_cost_budget = 5.0", "+daily_cost_budget = 2.5")
    expect(page.locator("#notes")).to_contain_text("Changed")
    check(page)
    undo(page, real)

    press(page.get_by_role("radio", name="quality"))
    agree(page, '+profile = "quality"')
    undo(page, real)

    page.get_by_label("Name a client may use").fill("gpt-4.1")
    page.locator("#alias-model").fill("anthropic/claude-haiku-4-5")
    press(page.get_by_role("button", name="Review alias"))
    agree(page, '+"gpt-4.1" = ')
    undo(page, real)

    press(page.get_by_role("button", name="Pause config:anthropic"))
    agree(page, '+paused = ["config:anthropic"]')
    expect(page.locator("#set-accounts .account", has_text="config:anthropic")).to_contain_text("paused")
    undo(page, real)

    press(page.get_by_role("button", name="Switch off Anthropic"))
    agree(page, "+enabled = false")
    undo(page, real)

    press(page.locator("#set-budgets summary"))
    page.get_by_label("Limit", exact=True).fill("3")
    page.get_by_label("Its name").fill("anthropic")
    press(page.get_by_role("button", name="Review limit"))
    agree(page, "+provider = ")
    undo(page, real)

    page.get_by_label("Days before a model retires").fill("10")
    press(page.get_by_role("button", name="Review notices"))
    agree(page, "+retires_within_days = 10")
    undo(page, real)


def move_models(page: Any, real: RealGateway) -> None:
    simple, medium = (page.locator(f"[data-tier={name}]") for name in ("SIMPLE", "MEDIUM"))
    moved = medium.locator(".tier-name").first.inner_text().strip()
    press(medium.locator(".tier-name").first)
    moves = page.get_by_role("group", name=f"Move {moved}")
    check(page)
    press(moves.get_by_role("button", name="Down"))
    expect(medium.locator(".tier-name").nth(1)).to_contain_text(moved)
    press(moves.get_by_role("button", name="To SIMPLE"))
    expect(simple.locator(".tier-name").first).to_contain_text(moved)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    press(page.get_by_role("button", name="Review tiers"))
    agree(page, "[routing.tiers.SIMPLE]", f'+primary = "{moved}"')
    expect(simple.locator("h3")).to_contain_text("chosen")
    undo(page, real)
    expect(simple.locator("h3")).to_contain_text("computed")


def add_and_remove_keys(page: Any) -> None:
    page.get_by_label("Provider", exact=True).select_option("groq")
    page.get_by_label("Key or token").fill(SECRET)
    press(page.get_by_role("button", name="Add key"))
    row = page.locator("#set-accounts .account", has_text="groq:key")
    expect(row).to_contain_text("usable")
    press(row.get_by_role("button", name="Remove"))
    check(page)
    agree(page)
    expect(row).to_have_count(0)
    press(page.locator("#notes").get_by_role("button", name="Undo"))
    expect(row).to_be_visible()
    press(row.get_by_role("button", name="Remove"))
    agree(page)
    expect(row).to_have_count(0)
    page.locator("#client-name").fill("alice")
    press(page.get_by_role("button", name="Add client"))
    token = page.locator("#ask .token").inner_text()
    check(page)
    agree(page)
    expect(page.locator("#client-name")).to_have_value("")
    press(page.get_by_role("button", name="Remove alice"))
    agree(page)
    expect(page.locator("#set-client-keys .lines")).not_to_contain_text("alice")
    for secret in (SECRET, token):
        assert secret not in page.content()


@pytest.mark.parametrize("page", [390, 1440], indirect=True)
def test_changes_by_keys_alone(page: Any, real: RealGateway) -> None:
    keyboard = page.keyboard
    reach(page, lambda here: here == "budget-daily_cost_budget")
    keyboard.press("Control+A")
    keyboard.type("2.5")
    reach(page, lambda here: here == "Review budgets")
    keyboard.press("Enter")
    expect(page.locator("#ask .diff")).to_contain_text("+daily_cost_budget = 2.5")
    expect(page.locator("#ask button[value=yes]")).to_be_focused()
    keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert real.config.read_text() == CONFIG
    expect(page.get_by_role("button", name="Review budgets")).to_be_focused()
    keyboard.press("Enter")
    expect(page.locator("#ask .diff")).to_be_visible()
    keyboard.press("Enter")
    expect(page.locator("#notes")).to_contain_text("Changed")
    reach(page, lambda here: here == "Undo", back=True)
    keyboard.press("Enter")
    expect(page.locator("#notes")).to_contain_text("Taken back")
    assert real.config.read_text() == CONFIG

    column = page.locator("[data-tier=COMPLEX]")
    first = column.locator(".tier-name").first.inner_text().strip()
    reach(page, lambda here: here.startswith(f"{first}, 1 of COMPLEX"))
    keyboard.press("ArrowDown")
    expect(column.locator(".tier-name").nth(1)).to_be_focused()
    reach(page, lambda here: here == "Discard")
    keyboard.press("Enter")
    expect(column.locator(".tier-name").first).to_contain_text(first)


def reach(page: Any, is_there: Any, *, back: bool = False, most: int = 160) -> None:
    """Tab until the focus is where it should be."""
    for _ in range(most):
        here = page.evaluate(
            "(() => { const at = document.activeElement; return at.getAttribute('aria-label') || at.id || at.textContent.trim(); })()"
        )
        if is_there(here):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError("the Tab key does not lead there")


def test_drawing_anew_keeps_what_the_user_does(real: RealGateway, watching: Any) -> None:
    with watching(real) as open_page:
        page = open_page(reduced_motion="reduce", expected=("status of 40",))
        page.set_default_timeout(15_000)
        show_settings(page)
        page.locator("#set-budgets summary").click()
        page.locator("#more-whom").select_option("client")
        page.locator("#alias-name").fill("half-typed")
        page.get_by_label("Key or token").fill("not-sent-yet")
        page.locator("#notice-desktop").check()
        page.get_by_label("Add a model to SIMPLE").fill("anthropic/cl")
        medium = page.locator("[data-tier=MEDIUM] .tier-name")
        second = medium.nth(1).inner_text()
        medium.nth(0).focus()
        page.keyboard.press("ArrowDown")
        page.locator("#client-name").fill("somebody")
        page.locator("#client-name").evaluate("field => field.setSelectionRange(2, 4)")
        page.locator("#page-settings").evaluate("box => { box.scrollTop = 300; }")
        was = page.locator("#page-settings").evaluate("box => box.scrollTop")
        with page.expect_response(re.compile("/debug/settings$")):
            real.config.write_text(CONFIG + "\n# by hand\n")
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#alias-name")).to_have_value("half-typed")
        expect(page.get_by_label("Key or token")).to_have_value("not-sent-yet")
        expect(page.locator("#more-whom")).to_have_value("client")
        expect(page.locator("#more-name")).to_have_attribute("placeholder", "nightly")
        expect(page.locator("#notice-desktop")).to_be_checked()
        expect(page.get_by_label("Add a model to SIMPLE")).to_have_value("anthropic/cl")
        expect(medium.first).to_contain_text(second)
        expect(page.locator("#client-name")).to_be_focused()
        assert page.locator("#client-name").evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 4]
        assert page.locator("#page-settings").evaluate("box => box.scrollTop") == was
        expect(page.locator("#set-budgets details")).to_have_attribute("open", "")
        real.config.write_text(CONFIG)
