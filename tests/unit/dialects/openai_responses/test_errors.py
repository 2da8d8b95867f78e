"""Refusals of upstreams read, and our own written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.events import ResponseFailed
from openclaw_oauthrouter.errors import (
    BudgetExceededError,
    InvalidRequestError,
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamContextError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from tests.support.responses import NOW, make_dialect, wire
from tests.support.responses import decode as read_stream


def decode(status: int, body: Any, **headers: str) -> UpstreamError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return make_dialect().decode_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "code"),
    [
        (400, {"detail": "Unsupported parameter: temperature"}, UpstreamStatusError, "Unsupported parameter: temperature", None),
        (
            401,
            {"error": {"message": "expired", "code": "token_expired"}},
            UpstreamAuthenticationError,
            "expired",
            "token_expired",
        ),
        (
            403,
            b"<html>blocked</html>",
            UpstreamEndpointError,
            "the provider answered 403 with a web page instead of an answer of its API",
            "upstream_endpoint",
        ),
        (404, {"error": {"message": "no", "code": "model_not_found"}}, UpstreamModelError, "no", "model_not_found"),
        (400, {"error": {"message": "The requested model 'x' does not exist."}}, UpstreamModelError, None, "model_not_found"),
        (
            400,
            {"detail": "The 'x' model is not supported when using Codex with a ChatGPT account."},
            UpstreamModelError,
            None,
            "model_not_found",
        ),
        (404, {"error": {"message": "Invalid URL"}}, UpstreamEndpointError, "Invalid URL", "upstream_endpoint"),
        (
            400,
            {"error": {"message": "Your input exceeds the context window of this model."}},
            UpstreamContextError,
            None,
            "context_length_exceeded",
        ),
        (
            400,
            {"error": {"message": "x", "code": "invalid_encrypted_content"}},
            UpstreamStatusError,
            "x",
            "invalid_encrypted_content",
        ),
        (
            429,
            {"error": {"message": "slow", "type": "tokens", "code": "rate_limit_exceeded"}},
            UpstreamRateLimitError,
            "slow",
            "rate_limit_exceeded",
        ),
        (429, {"error": {"message": "pay", "type": "insufficient_quota"}}, UpstreamBillingError, "pay", "insufficient_quota"),
        (402, {"error": "pay"}, UpstreamBillingError, "pay", "upstream_billing"),
        (500, {"error": {"message": "oops", "type": "server_error"}}, UpstreamStatusError, "oops", None),
        (503, b"upstream connect error", UpstreamOverloadedError, "upstream connect error", "overloaded"),
        (504, b"", UpstreamTimeout, "the provider answered 504 and gave no reason", "upstream_timeout"),
        (422, {"detail": [{"loc": ["body"], "msg": "bad"}]}, UpstreamStatusError, '[{"loc":["body"],"msg":"bad"}]', None),
        (418, b"[1,2]", UpstreamStatusError, "[1,2]", None),
        (400, {"error": {"message": None, "code": 7}}, UpstreamStatusError, "the provider gave no reason", None),
    ],
)
def test_refusals(status: int, body: Any, kind: type[UpstreamError], message: str | None, code: str | None) -> None:
    error = decode(status, body)
    assert type(error) is kind
    assert error.upstream_status == status
    assert error.code == code
    assert message is None or error.message == message


@pytest.mark.parametrize(
    ("fields", "headers", "wait"),
    [
        ({"resets_in_seconds": 90}, {}, 90.0),
        ({"resets_at": NOW + 60}, {}, 60.0),
        ({"resets_at": (NOW + 60) * 1000}, {}, 60.0),
        ({"resets_at": NOW - 60}, {}, 0.0),
        ({"resets_in_seconds": 90, "resets_at": NOW + 1}, {"retry_after": "5"}, 90.0),
        ({}, {"retry_after": "5"}, 5.0),
        ({}, {}, None),
    ],
)
def test_errors_used_up_plan_says_when_it_is_back(fields: dict[str, Any], headers: dict[str, str], wait: float | None) -> None:
    body = {
        "error": {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus", **fields}
    }
    error = decode(429, body, **headers)
    assert isinstance(error, UpstreamRateLimitError)
    assert (error.code, error.retry_after) == ("usage_limit_reached", wait)


def test_errors_what_support_needs_is_kept() -> None:
    error = decode(400, {"error": {"message": "x", "type": "invalid_request_error", "param": "input[0]"}}, x_request_id="req_1")
    assert (error.request_id, error.upstream_type, error.param, error.retryable) == (
        "req_1",
        "invalid_request_error",
        "input[0]",
        False,
    )


@pytest.mark.parametrize(
    ("error", "envelope"),
    [
        (
            InvalidRequestError("'input' is missing", param="input"),
            {"message": "'input' is missing", "type": "invalid_request_error", "param": "input", "code": None},
        ),
        (
            BudgetExceededError("spent"),
            {"message": "spent", "type": "spend_limit", "param": None, "code": "DAILY_BUDGET_EXCEEDED"},
        ),
    ],
)
def test_our_own(error: Any, envelope: dict[str, Any]) -> None:
    assert make_dialect().encode_error(error, "id") == {"error": envelope}


@pytest.mark.parametrize("levels", [300, 900, 1020])
@pytest.mark.parametrize("shape", [b'{"error":{"message":%s}}', b'{"error":{"other":%s}}', b'{"error":[%s]}', b"[%s]", b"%s"])
def test_error_nested_beyond_what_can_be_written_is_an_error_all_the_same(shape: bytes, levels: int) -> None:
    deep = b'{"a":' * (levels - 3) + b"1" + b"}" * (levels - 3)
    error = decode(400, shape % deep)
    assert error.upstream_status == 400
    assert error.message


@pytest.mark.parametrize(("status", "shown"), [(429, 429), (500, 500), (200, 502), (42, 502), (True, 502), ("500", 502)])
def test_errors_status_inside_a_stream_counts_only_if_it_is_one_of_an_error(status: object, shown: int) -> None:
    last = read_stream(wire({"type": "error", "error": {"message": "x", "status": status}}))[-1]
    assert isinstance(last, ResponseFailed)
    assert last.error.status_code == shown
