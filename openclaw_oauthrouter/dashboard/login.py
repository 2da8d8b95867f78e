"""Who may look at the dashboard: one-time codes become browser sessions, so that the local token need not stand in a URL."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.patterns import lazily

COOKIE = "oauthrouter_session"

_HOST_PORT = lazily(r":(\d+)$")


def cookie_name(host: str) -> str:
    """The session cookie's name at an address: cookies know no ports, so the name tells gateways on one machine apart.

    :param host: the request's ``Host``
    """
    port = _HOST_PORT.search(host)
    return f"{COOKIE}_{port[1]}" if port else COOKIE


_MOST_CODES = 64
"""Codes kept; more than a person needs, and a bound for a loop gone wild."""

_MOST_ENDED = 1000


class Logins:
    """One-time codes, and sessions that prove themselves by a signature, so that a restart signs nobody out.

    :param clock: Unix seconds
    :param new_id: unguessable ids, such as ``secrets.token_urlsafe``
    :param key: signs sessions; derived from the local token, a new token signs everybody out
    :param code_seconds: how long a code can be redeemed
    :param session_seconds: how long a session lasts
    """

    def __init__(
        self, clock: Clock, new_id: NewId, *, key: bytes, code_seconds: float = 600.0, session_seconds: float = 12 * 3600.0
    ) -> None:
        self._clock = clock
        self._new_id = new_id
        self._key = hashlib.sha256(b"dashboard session\0" + key).digest()
        self._code_seconds = code_seconds
        self.session_seconds = session_seconds
        self._codes: OrderedDict[str, float] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def issue(self) -> str:
        """A code that can be redeemed once."""
        code = self._new_id()
        self._codes[code] = self._clock() + self._code_seconds
        while len(self._codes) > _MOST_CODES:
            self._codes.popitem(last=False)
        return code

    def redeem(self, code: str) -> str | None:
        """A new session; ``None`` when the code is unknown, used or too old."""
        expires = self._codes.pop(code, 0.0)
        return self.open() if expires > self._clock() else None

    def open(self) -> str:
        """A new session for somebody who has proved otherwise who they are: the value of the cookie ``oauthrouter_session``."""
        claim = f"{int(self._clock() + self.session_seconds)}.{self._new_id()}"
        return f"{claim}.{self._signature(claim)}"

    def check(self, session: str | None) -> bool:
        """Whether a session is good: whatever bytes a cookie holds, this answers and does not raise."""
        claim, _, signature = (session or "").rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(claim).encode()):
            return False
        if claim in self._ended:
            return False
        return float(claim.partition(".")[0]) > self._clock()

    def change_key(self, session: str) -> str:
        """What a session's page sends with a change besides its cookie: whoever only has the cookie does not know it.

        Cookies go to every port of a host, so another server on this machine may come to hold one; what a page keeps in its storage does not.
        """
        return hmac.new(self._key, b"change\0" + session.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def end(self, session: str | None) -> None:
        """End a session before its time; a gateway that starts anew knows no ended ones, but their time runs out all the same."""
        if self.check(session):
            self._ended[(session or "").rpartition(".")[0]] = None
            while len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)

    def _signature(self, claim: str) -> str:
        return hmac.new(self._key, claim.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
