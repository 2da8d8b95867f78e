"""Access tokens of any shape are read, or found to say nothing."""

from __future__ import annotations

import base64

import pytest

from openclaw_oauthrouter.canonical import jwt


def token(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{", b"\xff", b'{"exp": "soon"}', b'{"exp": true}', b'{"exp": 1' + b"0" * 400 + b"}"]
)
def test_an_odd_token_has_no_expiry(payload: bytes) -> None:
    assert jwt.expires_at(token(payload)) is None


def test_a_deep_token_says_nothing() -> None:
    assert jwt.claims(token(b'{"a":' * 100_000)) == {}


def test_an_ordinary_one_does() -> None:
    assert jwt.expires_at(token(b'{"exp": 1795366267}')) == 1795366267.0
