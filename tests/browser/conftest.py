"""A headless Chromium that watches what no page of ours may do: complain, or ask anybody else for anything."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.gateway import Gateway
from tests.browser.scene import Scene
from tests.support.real_programs import program

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

OpenPage = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, or the one ``OAUTHROUTER_E2E_CHROMIUM`` names."""
    found = shutil.which("chromium")
    path = program("OAUTHROUTER_E2E_CHROMIUM") if "OAUTHROUTER_E2E_CHROMIUM" in os.environ or not found else found
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(path), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that has seen nothing yet."""
    gateway = Gateway().start()
    yield gateway
    gateway.stop()


@pytest.fixture
def busy(gateway: Gateway) -> Gateway:
    """A gateway with an hour's traffic, all of it of today."""
    now = time.time()
    gateway.receive(*Scene().past(now, 260, minutes=max(0.1, min(58.0, now % 86_400 / 60))))
    return gateway


@pytest.fixture
def open_page(browser: Any, gateway: Gateway) -> Iterator[OpenPage]:
    """Opens signed-in pages; afterwards none may have complained or asked anybody else.

    Call it with ``viewport``, ``color_scheme`` and the like; ``expected`` names console messages that a test provokes.
    """
    with _watching(browser, gateway) as opener:
        yield opener


@pytest.fixture
def watching(browser: Any) -> Callable[[Gateway], Any]:
    """``open_page`` for a gateway that a test made itself; a context manager."""
    return lambda gateway: _watching(browser, gateway)


@contextmanager
def _watching(browser: Any, gateway: Gateway) -> Iterator[OpenPage]:
    complaints: list[str] = []
    contexts: list[Any] = []
    tolerated: list[str] = []

    def opener(*, expected: tuple[str, ...] = (), url: str | None = None, **options: Any) -> Any:
        tolerated.extend(expected)
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", "timezone_id": "UTC", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
        page.on(
            "request", lambda request: None if request.url.startswith(gateway.url) else complaints.append(f"asks {request.url}")
        )
        page.goto(url or gateway.login_url())
        page.wait_for_selector("#connection.live")
        return page

    yield opener
    for context in contexts:
        context.close()
    assert [one for one in complaints if not any(words in one for words in tolerated)] == []
