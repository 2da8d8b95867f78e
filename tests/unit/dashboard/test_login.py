"""Codes work once, sessions survive a restart, and nothing a browser sends makes the check fail otherwise than by saying no."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.dashboard.login import Logins


class Time:
    """A clock that stands where it is put."""

    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def logins(time: Time, key: bytes = b"token") -> Logins:
    numbers = count()
    return Logins(time, lambda: f"id{next(numbers)}", key=key)


def test_login_code_works_once() -> None:
    ours = logins(Time())
    code = ours.issue()
    assert ours.check(ours.redeem(code))
    assert ours.redeem(code) is None
    assert ours.redeem("made up") is None


def test_login_code_grows_old() -> None:
    time = Time()
    ours = logins(time)
    code = ours.issue()
    time.now += 601
    assert ours.redeem(code) is None


def test_login_session_grows_old() -> None:
    time = Time()
    ours = logins(time)
    session = ours.open()
    time.now += 12 * 3600 - 1
    assert ours.check(session)
    time.now += 2
    assert not ours.check(session)


def test_login_session_survives_a_restart_but_not_a_new_token() -> None:
    time = Time()
    session = logins(time).open()
    assert logins(time).check(session)
    assert not logins(time, b"another token").check(session)


def test_login_session_cannot_be_prolonged() -> None:
    ours = logins(Time())
    expires, _, rest = ours.open().partition(".")
    assert not ours.check(f"{int(expires) + 1}.{rest}")


def test_login_only_so_many_codes_are_kept() -> None:
    ours = logins(Time())
    codes = [ours.issue() for _ in range(70)]
    assert ours.redeem(codes[0]) is None
    assert ours.redeem(codes[-1]) is not None


@pytest.mark.parametrize("session", [None, "", ".", "..", "%E0%A4%A", "1795000000.x.", "\ud800.\ud800"])
def test_nonsense_is_refused(session: str | None) -> None:
    assert not logins(Time()).check(session)


@given(st.text())
def test_login_any_text_is_refused(session: str) -> None:
    assert not logins(Time()).check(session)
