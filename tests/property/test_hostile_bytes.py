"""Everything that reads bytes from outside, over arbitrary bytes and over damaged real ones: it fails as it says, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.answers import PROVIDERS
from tests.faults.clients import CLIENTS
from tests.fuzz.targets import TARGETS
from tests.support.refusals import CHAT_REFUSALS, MESSAGES_REFUSALS

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

REAL: list[bytes] = [
    *(b"".join(answer.events) for answer in PROVIDERS.values()),
    *(answer.whole for answer in PROVIDERS.values() if answer.whole),
    *(said.body for said in (*CHAT_REFUSALS[::6], *MESSAGES_REFUSALS[::4])),
    *(repr(client.body("auto", "hi")).replace("'", '"').encode() for client in CLIENTS.values()),
    b'[server]\nport = 8402\n[spend_controls]\ndaily_request_budget = 3\n[providers.house]\napi_base = "http://h/v1"\n',
    b'{"version": 1, "profiles": {"anthropic:default": {"type": "oauth", "provider": "anthropic", "access": "a", "expires": 1}}}',
    b"redis+cluster://user:word@[::1]:6379,two:99999/0",
    b"retry-after: 5\nx-ratelimit-reset-tokens: 6m0s\nanthropic-ratelimit-unified-status: rejected",
    b"\3\x28\xb5\x2f\xfd\x04\x00\x29\x00\x00hello",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Something real with pieces cut out, doubled or overwritten."""
    data = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 30))
        middle = draw(
            st.one_of(st.binary(max_size=8), st.just(data[at : at + length] * 2), st.sampled_from([b"null", b"\xff", b"1e400"]))
        )
        data = data[:at] + middle + data[at + length :]
    return data


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=300))
@QUICK
def test_target_meets_arbitrary_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@given(data=damaged())
@QUICK
def test_target_meets_damaged_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)
