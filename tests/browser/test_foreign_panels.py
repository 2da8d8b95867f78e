"""Panels of third parties: drawn by the view they name, without a script, whatever they hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from tests.browser.conftest import playwright
from tests.browser.gateway import Gateway
from tests.browser.scene import Scene

expect = playwright.expect


class ToolUse:
    """Counts requests that bring tools; what a plugin might offer."""

    name = "tool-use"
    title = "Tool use"

    def __init__(self) -> None:
        self.with_tools = 0

    def update(self, record: RequestRecord) -> None:
        self.with_tools += record.tool_count > 0

    def render(self) -> JsonObject:
        rows = [["<b>with tools</b>", self.with_tools]]
        return {"view": "table", "columns": [{"label": "requests"}, {"label": "number", "unit": "count"}], "rows": rows}


class Broken:
    name = "broken"
    title = "Broken"

    def update(self, record: RequestRecord) -> None:
        raise RuntimeError("cannot count")

    def render(self) -> JsonObject:
        raise RuntimeError("nothing to show")


class Unheard:
    name = "unheard"
    title = "Unheard of"

    def update(self, record: RequestRecord) -> None:
        """Nothing to count."""

    def render(self) -> JsonObject:
        return {"view": "hologram", "depth": 3}


def test_panels_of_third_parties(watching: Callable[[Gateway], Any]) -> None:
    gateway = Gateway(extra_panels=[ToolUse(), Broken(), Unheard()]).start()
    try:
        records = Scene().past(time.time(), 40)
        gateway.receive(*records)
        with watching(gateway) as open_page:
            page = open_page()

            def panel(title: str) -> Any:
                return page.locator("section.panel", has=page.get_by_role("heading", name=title, exact=True))

            number = sum(record.tool_count > 0 for record in records)
            expect(panel("Tool use").locator("tbody tr")).to_contain_text("<b>with tools</b>")
            expect(panel("Tool use").locator("tbody td")).to_have_text(str(number))
            expect(panel("Broken")).to_contain_text("This panel failed: RuntimeError: nothing to show")
            expect(panel("Unheard of")).to_contain_text('"depth": 3')
            expect(panel("Requests").locator("rect").first).to_be_attached()
    finally:
        gateway.stop()
