"""Signing in by link: the code works once, and nothing secret stays where a browser keeps addresses."""

from __future__ import annotations

from typing import Any

import httpx

from tests.browser.conftest import OpenPage
from tests.browser.gateway import TOKEN, Gateway


def test_sign_in_one_time_link(gateway: Gateway, open_page: OpenPage, browser: Any) -> None:
    link = gateway.login_url()
    page = open_page(url=link)
    assert page.url == f"{gateway.url}/debug/dashboard"
    [cookie] = page.context.cookies()
    assert (cookie["name"].rpartition("_")[0], cookie["httpOnly"], cookie["sameSite"]) == ("oauthrouter_session", True, "Strict")
    assert page.evaluate("document.cookie") == ""

    other = browser.new_page()
    assert other.goto(link).status == 401
    assert "openclaw-oauthrouter dashboard" in other.inner_text("main")
    other.close()


def test_link_with_the_token(gateway: Gateway, open_page: OpenPage) -> None:
    page = open_page(url=f"{gateway.url}/debug/dashboard?token={TOKEN}")
    assert page.url == f"{gateway.url}/debug/dashboard"
    assert TOKEN not in str(page.context.cookies())


def test_sign_in_nobody_else_sees_anything(gateway: Gateway) -> None:
    for path in ("dashboard", "dashboard?token=wrong", "routing-trace", "routing-trace/stream", "panels", "provider-health"):
        cookies = {"oauthrouter_session": "%E0%A4%A"}
        assert httpx.get(f"{gateway.url}/debug/{path}", cookies=cookies, trust_env=False).status_code == 401, path
