"""Errors: the envelope for clients, and what refusals of upstreams mean."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import (
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
)

DIALECT = ChatCompletions(lambda: 1_700_000_000.0)


def decode(status: int, body: bytes, **headers: str) -> UpstreamError:
    return DIALECT.decode_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_envelope_has_all_four_fields() -> None:
    error = InvalidRequestError("bad", param="stop")
    assert DIALECT.encode_error(error, "req_1") == {
        "error": {"message": "bad", "type": "invalid_request_error", "param": "stop", "code": None}
    }


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, b'{"error":{"message":"slow","type":"tokens","code":"rate_limit_exceeded"}}', UpstreamRateLimitError),
        (429, b'{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}', UpstreamBillingError),
        (401, b'{"error":{"message":"key","code":"invalid_api_key"}}', UpstreamAuthenticationError),
        (403, b"{}", UpstreamAuthenticationError),
        (402, b'{"error":{"message":"Insufficient Balance","type":"unknown_error"}}', UpstreamBillingError),
        (404, b'{"error":{"message":"no","code":"model_not_found"}}', UpstreamModelError),
        (404, b'{"error":{"message":"The model `x` does not exist"}}', UpstreamModelError),
        (404, b"<html><title>Not Found</title></html>", UpstreamEndpointError),
        (400, b'{"error":{"message":"no","code":"context_length_exceeded"}}', UpstreamContextError),
        (400, b'{"error":{"message":"This model\'s maximum context length is 8 tokens"}}', UpstreamContextError),
        (400, b'{"detail":"Unsupported parameter: temperature"}', UpstreamStatusError),
        (413, b"", UpstreamStatusError),
        (422, b'{"detail":[{"loc":["body"],"msg":"bad"}]}', UpstreamStatusError),
        (500, b"oops", UpstreamStatusError),
        (503, b"", UpstreamOverloadedError),
        (529, b"null", UpstreamOverloadedError),
        (502, b"[]", UpstreamStatusError),
        (500, b'[{"error":{"message":"m","status":"INTERNAL"}}]', UpstreamStatusError),
    ],
)
def test_kind(status: int, body: bytes, kind: type[UpstreamError]) -> None:
    error = decode(status, body)
    assert type(error) is kind
    assert error.upstream_status == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"in an object"}}', "in an object"),
        (b'{"error":"as text"}', "as text"),
        (b'{"detail":"from FastAPI"}', "from FastAPI"),
        (b'{"message":"bare"}', "bare"),
        (b'[{"error":{"message":"in a list"}}]', "in a list"),
        (b'{"error":{"message":"Provider returned error","metadata":{"raw":"too busy"}}}', "too busy"),
        (b'{"error":{"message":"flagged","metadata":{"reasons":[]}}}', "flagged"),
        (b"plain text", "plain text"),
        (
            b"<html><head><title>502 Bad Gateway</title></head></html>",
            "the provider answered 502 with a web page titled '502 Bad Gateway' instead of an answer of its API",
        ),
        (b"", "the provider answered 502 and gave no reason"),
        (b"{}", "the provider answered 502 and gave no reason"),
        (b"null", "the provider answered 502 and gave no reason"),
        (b"<html></html>", "the provider answered 502 with a web page instead of an answer of its API"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 9000, "x" * 2000),
        (b'{"error":{"message":null,"x":1}}', '{"message":null,"x":1}'),
        (b'{"error":{"message":["a"]}}', "a"),
    ],
)
def test_message(body: bytes, message: str) -> None:
    assert decode(502, body).message == message


def test_details_are_kept() -> None:
    body = b'{"error":{"message":"m","type":"invalid_request_error","param":"stop","code":"unsupported_value"}}'
    error = decode(400, body, x_request_id="req_7")
    assert (error.param, error.code, error.upstream_type, error.request_id) == (
        "stop",
        "unsupported_value",
        "invalid_request_error",
        "req_7",
    )
    assert not error.retryable


def test_retry_after_comes_from_the_headers() -> None:
    assert decode(429, b"", retry_after="7").retry_after == 7


@pytest.mark.parametrize("levels", [300, 900, 1020])
@pytest.mark.parametrize("shape", [b'{"error":{"message":%s}}', b'{"error":{"other":%s}}', b'{"error":[%s]}', b"[%s]", b"%s"])
def test_chat_errors_error_nested_beyond_what_can_be_written_is_an_error_all_the_same(shape: bytes, levels: int) -> None:
    deep = b'{"a":' * (levels - 3) + b"1" + b"}" * (levels - 3)
    error = decode(400, shape % deep)
    assert error.upstream_status == 400
    assert error.message
