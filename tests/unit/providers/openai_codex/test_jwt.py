"""Claims of access tokens, in every shape they are found in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from openclaw_oauthrouter.canonical import jwt

AUTH = "https://api.openai.com/auth"


def token(payload: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.c2ln"


@pytest.mark.parametrize(
    ("payload", "account", "plan"),
    [
        ({AUTH: {"chatgpt_account_id": "a", "chatgpt_plan_type": "plus"}}, "a", "plus"),
        ({"chatgpt_account_id": "b", "chatgpt_plan_type": "pro"}, "b", "pro"),
        ({"account_id": "c"}, "c", None),
        ({AUTH: {"chatgpt_account_id": ""}, "account_id": "c"}, "c", None),
        ({AUTH: "odd", "account_id": 7}, None, None),
        ({}, None, None),
    ],
)
def test_account_and_plan(payload: Any, account: str | None, plan: str | None) -> None:
    assert (jwt.account_id(token(payload)), jwt.plan(token(payload))) == (account, plan)


@pytest.mark.parametrize(
    ("payload", "expiry"), [({"exp": 1_700_000_000}, 1_700_000_000.0), ({"exp": "soon"}, None), ({"exp": True}, None), ({}, None)]
)
def test_expiry(payload: Any, expiry: float | None) -> None:
    assert jwt.expires_at(token(payload)) == expiry


@pytest.mark.parametrize(
    "text", ["", "sk-abc", "a.b", "a.!!!.c", "a.bm90IGpzb24.c", token([1]), token(None), "a.\u00e9.c", "a.__8.c"]
)
def test_jwt_anything_else_has_no_claims(text: str) -> None:
    assert jwt.claims(text) == {}
