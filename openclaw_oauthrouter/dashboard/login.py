"""Who may look at the dashboard: one-time codes become browser sessions, so that the local token need not stand in a URL."""

from __future__ import annotations

from collections import OrderedDict

from openclaw_oauthrouter.canonical.clock import Clock, NewId

COOKIE = "oauthrouter_session"

_MOST = 64
"""Codes and sessions kept; more than a person needs, and a bound for a loop gone wild."""


class Logins:
    """Codes and sessions, in memory only: a restart signs everybody out.

    :param clock: Unix seconds
    :param new_id: unguessable ids, such as ``secrets.token_urlsafe``
    :param code_seconds: how long a code can be redeemed
    :param session_seconds: how long a session lasts
    """

    def __init__(self, clock: Clock, new_id: NewId, *, code_seconds: float = 600.0, session_seconds: float = 12 * 3600.0) -> None:
        self._clock = clock
        self._new_id = new_id
        self._code_seconds = code_seconds
        self.session_seconds = session_seconds
        self._codes: OrderedDict[str, float] = OrderedDict()
        self._sessions: OrderedDict[str, float] = OrderedDict()

    def issue(self) -> str:
        """A code that can be redeemed once."""
        return self._remember(self._codes, self._code_seconds)

    def redeem(self, code: str) -> str | None:
        """The id of a new session; ``None`` when the code is unknown, used or too old."""
        expires = self._codes.pop(code, 0.0)
        return self.open() if expires > self._clock() else None

    def open(self) -> str:
        """A new session for somebody who has proved otherwise who they are."""
        return self._remember(self._sessions, self.session_seconds)

    def check(self, session: str | None) -> bool:
        """Whether a session id (the value of the cookie ``oauthrouter_session``) is good."""
        return session is not None and self._sessions.get(session, 0.0) > self._clock()

    def close(self, session: str | None) -> None:
        """End a session."""
        if session is not None:
            self._sessions.pop(session, None)

    def _remember(self, where: OrderedDict[str, float], seconds: float) -> str:
        identifier = self._new_id()
        where[identifier] = self._clock() + seconds
        while len(where) > _MOST:
            where.popitem(last=False)
        return identifier
