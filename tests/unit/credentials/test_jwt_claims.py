"""Access tokens of any shape are read, or found to say nothing."""

from __future__ import annotations

import base64

import pytest

from openclaw_oauthrouter.canonical import jwt


def token(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.sig"


ODD_TIMES = (b'"soon"', b"true", b"-1", b"1e300", b"NaN", b"253402300800", b"1" + b"0" * 400)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", *(b'{"exp": ' + time + b"}" for time in ODD_TIMES)])
def test_jwt_claims_odd_token_has_no_expiry(payload: bytes) -> None:
    assert jwt.expires_at(token(payload)) is None


def test_jwt_claims_deep_token_says_nothing() -> None:
    assert jwt.claims(token(b'{"a":' * 100_000)) == {}


def test_jwt_claims_ordinary_one_does() -> None:
    assert jwt.expires_at(token(b'{"exp": 1795366267}')) == 1795366267.0
