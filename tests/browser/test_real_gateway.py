"""The dashboard of the real gateway, from the link it prints to a prompt tried out."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from tests.browser.conftest import DESKTOP, playwright
from tests.support.real_programs import Sandbox, free_port, running, wait_until

expect = playwright.expect


def test_demo(tmp_path: Path, browser: Any) -> None:
    sandbox = Sandbox(tmp_path)
    log = tmp_path / "demo.log"
    command = [sys.executable, "-P", "-m", "openclaw_oauthrouter", "demo", "--port", str(free_port())]
    complaints: list[str] = []
    with running(sandbox, command, log) as process:
        printed = wait_until(
            lambda: process.poll() is not None or re.search(r"http\S+\?code=[\w-]+", log.read_text()), "the demo prints a link"
        )
        assert process.poll() is None, log.read_text()
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(printed[0])
        expect(page.locator("#connection")).to_have_text("Live")
        expect(page.locator("#count")).to_have_text("4 requests")
        page.locator(".rows .row", has_text="REASONING").click()
        expect(page.locator("#detail .dimensions li").first).to_be_visible()
        expect(page.locator("#detail .attempts li")).to_have_count(1)
        page.get_by_role("tab", name="Try a prompt").click()
        page.get_by_role("button", name="Prove that the square root of 2 is irrational.").click()
        expect(page.locator("#explanation")).to_contain_text("REASONING")
        expect(page.locator("#explanation .sums ol > li").first).to_have_class("chosen")
        page.get_by_role("tab", name="Overview").click()
        expect(page.locator("#strip")).to_contain_text("4")
        expect(page.get_by_role("heading", name="Budgets")).to_be_attached()
        context.close()
    assert complaints == []
