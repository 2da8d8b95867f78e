"""The pictures of the documentation: taken on every run, kept in ``docs/images`` where ``OAUTHROUTER_PICTURES=1``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.gateway import Gateway

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"

KEEP = os.environ.get("OAUTHROUTER_PICTURES") == "1"
"""Read before the tests begin: none of them sees the variables of the shell."""


def feed(page: Any) -> None:
    page.locator(".rows .row").first.wait_for()


def overview(page: Any) -> None:
    page.get_by_role("tab", name="Overview").click()


def request(page: Any) -> None:
    page.click("#substituted")
    page.locator(".rows .row", has_text="fallback").first.click()
    page.locator("#detail .attempts").wait_for()
    page.mouse.move(5, 5)


@pytest.mark.parametrize(
    ("name", "viewport", "color_scheme", "show"),
    [
        ("dashboard-light", DESKTOP, "light", feed),
        ("dashboard-dark", DESKTOP, "dark", request),
        ("dashboard-phone-light", PHONE, "light", feed),
        ("dashboard-phone-dark", PHONE, "dark", overview),
    ],
)
def test_picture(
    busy: Gateway, open_page: OpenPage, tmp_path: Path, name: str, viewport: dict[str, int], color_scheme: str, show: Any
) -> None:
    page = open_page(viewport=viewport, color_scheme=color_scheme, reduced_motion="reduce", device_scale_factor=1.5)
    page.locator("#strip .figure").first.wait_for(state="attached")
    page.locator(".view-series rect").first.wait_for(state="attached")
    show(page)
    folder = IMAGES if KEEP else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    assert (folder / f"{name}.png").stat().st_size > 30_000
