"""When to try again, from headers as providers send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.wire.retry_after import parse_retry_after, wait_in_body, wait_in_words

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Tue, 14 Nov 2099 22:13:50 GMT"}, None),
        ({"retry-after": "31536000"}, None),
        ({"retry-after": "5, 7"}, 7.0),
        ({"retry-after": "5s"}, 5.0),
        ({"retry-after": "PT1M5S"}, 65.0),
        ({"retry-after": "7 seconds"}, 7.0),
        ({"retry-after": "1700000010"}, 10.0),
        ({"retry-after": "2023-11-14T22:13:50Z"}, 30.0),
        ({"x-ms-retry-after-ms": "7000"}, 7.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000010000"}, 10.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "50"}, 50.0),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1700000010000"}, None),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2023-11-14T22:13:50Z"}, 30.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3s4ms"}, 3723.004),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1.2.3s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "later"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9" * 400 + "s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": ""}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "15"}, 15.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1700000040"}, 40.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1700000040000"}, 40.0),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "9s",
            },
            9.0,
        ),
    ],
)
def test_parse(headers: dict[str, str], seconds: float | None) -> None:
    found = parse_retry_after(headers, NOW)
    assert found == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please wait 40000 seconds before retrying", 40_000.0),
        ("Please wait at least 12 seconds", 12.0),
        ("Please try again in ~5s", 5.0),
        ("Limit resets in: 14 minutes", 840.0),
        ("retry-after: 20s", 20.0),
        ("请60秒后重试", 60.0),
        ("available 24 hours a day", None),
        ("retry 3 times", None),
        ("try again tomorrow", None),
    ],
)
def test_wait_in_words(words: str, seconds: float | None) -> None:
    assert wait_in_words(words) == seconds


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"error": {"message": "slow down", "retry_after": 5}}', 5.0),
        (b'{"retryAfterMs": 5000}', 5.0),
        (b'{"retry_after_seconds": "9"}', 9.0),
        (b'{"error": "{\\"retry_after\\": 7.5}"}', 7.5),
        (b'{"error": "Model x is currently loading", "estimated_time": 20.0}', 20.0),
        (b'{"details": [{"retryDelay": "13s"}]}', 13.0),
        (b'{"retry_after": null}', None),
        (b'{"retry_after": -4}', None),
        (b"", None),
    ],
)
def test_wait_in_body(body: bytes, seconds: float | None) -> None:
    assert wait_in_body(body) == seconds


HEADERS = ["retry-after-ms", "retry-after", "x-ratelimit-reset-tokens"]


@given(st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=40)))
def test_nonsense_never_raises_and_is_never_negative(headers: dict[str, str]) -> None:
    found = parse_retry_after({"x-ratelimit-remaining-tokens": "0", **headers}, NOW)
    assert found is None or found >= 0
