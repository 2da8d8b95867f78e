"""Refusals, both ways."""

from __future__ import annotations

import json

import pytest

from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.errors import (
    AuthenticationError,
    BudgetExceededError,
    InvalidRequestError,
    ModelNotAllowedError,
    ModelNotFoundError,
    OAuthRouterError,
    RequestTooLargeError,
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)

DIALECT = AnthropicMessages(lambda: 784111777.0)  # Sun, 06 Nov 1994 08:49:37 GMT


def decode(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> UpstreamError:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return DIALECT.decode_error(status, headers or {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected", "client_status"),
    [
        (400, "invalid_request_error", "messages: at least one message is required", UpstreamStatusError, 400),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", UpstreamContextError, 400),
        (400, "invalid_request_error", "You're out of extra usage. Add more", UpstreamBillingError, 429),
        (400, "invalid_request_error", "Your credit balance is too low", UpstreamBillingError, 429),
        (
            400,
            "invalid_request_error",
            "This credential is only authorized for use with Claude Code",
            UpstreamAuthenticationError,
            503,
        ),
        (401, "authentication_error", "invalid x-api-key", UpstreamAuthenticationError, 503),
        (402, "billing_error", "pay", UpstreamBillingError, 429),
        (403, "permission_error", "not allowed", UpstreamAuthenticationError, 503),
        (404, "not_found_error", "model: nope", UpstreamModelError, 404),
        (404, "not_found_error", "no such page", UpstreamEndpointError, 502),
        (409, "conflict_error", "again", UpstreamStatusError, 409),
        (413, "request_too_large", "too large", UpstreamStatusError, 413),
        (429, "rate_limit_error", "slow down", UpstreamRateLimitError, 429),
        (500, "api_error", "internal", UpstreamStatusError, 500),
        (503, "api_error", "try again", UpstreamOverloadedError, 503),
        (504, "timeout_error", "slow", UpstreamTimeout, 504),
        (529, "overloaded_error", "Overloaded", UpstreamOverloadedError, 503),
        (499, "of_tomorrow", "?", UpstreamStatusError, 499),
    ],
)
def test_refusals(status: int, kind: str, message: str, expected: type[UpstreamError], client_status: int) -> None:
    error = decode(status, kind, message)
    assert type(error) is expected
    assert (error.message, error.status_code) == (message, client_status)
    assert (error.upstream_status, error.upstream_type, error.request_id) == (status, kind, "req_1")


def test_codes() -> None:
    assert decode(403, "permission_error", "no").code == "upstream_permission"
    assert decode(401, "authentication_error", "no").code == "upstream_authentication"
    assert decode(413, "request_too_large", "no").code == "request_too_large"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"}, 60.0),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert decode(429, "rate_limit_error", "slow", headers).retry_after == expected


def test_messages_errors_header_names_the_request() -> None:
    assert decode(500, "api_error", "x", {"Request-Id": "req_h"}).request_id == "req_h"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the provider answered 502 and gave no reason"),
        (b"<html>Bad gateway</html>", "the provider answered 502 with a web page instead of an answer of its API"),
        (b"[1]", "[1]"),
        (b'{"detail":"no"}', "no"),
        (b'{"error":"no"}', "no"),
        (b"\xff\xfe", "��"),
    ],
)
def test_messages_errors_any_body_at_all(body: bytes, message: str) -> None:
    error = DIALECT.decode_error(502, {}, body)
    assert type(error) is UpstreamStatusError
    assert (error.message, error.retryable) == (message, True)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidRequestError("x"), "invalid_request_error"),
        (AuthenticationError("x"), "authentication_error"),
        (ModelNotAllowedError("x"), "permission_error"),
        (ModelNotFoundError("x"), "not_found_error"),
        (RequestTooLargeError("x"), "request_too_large"),
        (BudgetExceededError("x"), "rate_limit_error"),
        (UpstreamRateLimitError("x"), "rate_limit_error"),
        (UpstreamBillingError("x"), "rate_limit_error"),
        (UpstreamAuthenticationError("x"), "api_error"),
        (UpstreamOverloadedError("x"), "overloaded_error"),
        (UpstreamTimeout("x"), "timeout_error"),
        (UpstreamConnectionError("x"), "api_error"),
        (UpstreamStatusError("x", status_code=422), "invalid_request_error"),
    ],
)
def test_envelopes(error: OAuthRouterError, expected: str) -> None:
    assert DIALECT.encode_error(error, "req_9") == {
        "type": "error",
        "error": {"type": expected, "message": "x"},
        "request_id": "req_9",
    }


def test_messages_errors_error_that_came_as_an_answer() -> None:
    with pytest.raises(UpstreamOverloadedError):
        DIALECT.decode_response({"type": "error", "error": {"type": "overloaded_error", "message": "x"}})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("输入长度超出限制", "prompt is too long: 输入长度超出限制"),
        ("the total length of the request is too much", "prompt is too long: the total length of the request is too much"),
        ("Prompt is too long: 9 tokens > 8 maximum", "Prompt is too long: 9 tokens > 8 maximum"),
    ],
)
def test_encode_error_tells_of_a_full_context_in_words_that_clients_know(words: str, told: str) -> None:
    assert DIALECT.encode_error(UpstreamContextError(words), "req_1")["error"]["message"] == told
