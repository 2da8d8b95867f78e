"""Hosts and origins are understood as people write them, and what could never match is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from openclaw_oauthrouter.config.server import ServerSettings


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://app.example", "https://app.example"),
        ("https://App.Example/", "https://app.example"),
        ("HTTPS://app.example:443", "https://app.example"),
        ("http://app.example:80/", "http://app.example"),
        ("http://app.example:443", "http://app.example:443"),
        (" http://localhost:3000 ", "http://localhost:3000"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("app://obsidian.md", "app://obsidian.md"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_server_settings_origin_is_what_a_browser_sends(written: str, sent: str) -> None:
    assert ServerSettings(allowed_origins=(written,)).allowed_origins == (sent,)


@pytest.mark.parametrize(
    "written", ["*", "app.example", "https://*.example", "https://app.example/page", "null", "", "https://", "https://u@h"]
)
def test_server_settings_origin_that_could_never_match_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="is not an origin"):
        ServerSettings(allowed_origins=(written,))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("gateway.lan", "gateway.lan"),
        ("Gateway.LAN:8402", "gateway.lan"),
        ("http://gateway.lan:8402/", "gateway.lan"),
        ("[fd00::1]:8402", "fd00::1"),
        ("10.0.0.5", "10.0.0.5"),
    ],
)
def test_server_settings_host_is_a_name(written: str, name: str) -> None:
    assert ServerSettings(allowed_hosts=(written,)).allowed_hosts == (name,)


@pytest.mark.parametrize("written", ["*", "a b", "http://a/b", ""])
def test_server_settings_host_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="is not the name of a host"):
        ServerSettings(allowed_hosts=(written,))
