"""Who may come in: the right host, no foreign web page, a local token."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.trace import VIA
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.dashboard.login import cookie_name
from openclaw_oauthrouter.errors import AuthenticationError, ForbiddenError, InvalidRequestError, LoopError

_HOST = lazily(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*))(?::\d{1,5})?", re.ASCII)
"""``name``, ``name:port``, ``[address]`` or ``[address]:port``; no user, path, query or fragment."""

CHANGE_KEY = "x-oauthrouter-change-key"
"""Header in which the dashboard's page proves that it is the one that was let in."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Keys(Protocol):
    """Knows the local tokens."""

    def identify(self, headers: Mapping[str, str]) -> str | None: ...


class Sessions(Protocol):
    """Knows the dashboard's sessions."""

    def check(self, session: str) -> bool: ...

    def change_key(self, session: str) -> str: ...


@value(frozen=True, slots=True)
class Gate:
    """Checks every request but ``/health``.

    A page the user happens to visit can make the browser send requests here. Its name may even resolve to 127.0.0.1 (DNS rebinding), so
    the Host header must be one of ours, and an Origin, where there is one, must be the gateway's own or listed.
    """

    keys: Keys
    sessions: Sessions
    hosts: frozenset[str]
    origins: frozenset[str]
    instance: str = ""

    def check_source(self, headers: Mapping[str, str], scheme: str = "http") -> None:
        """Refuse foreign hosts and pages.

        :raises LoopError: the request is our own
        :raises InvalidRequestError: the Host is more than a name and a port: whatever it is, two readers may take it for two things
        :raises ForbiddenError: naming the header and the setting
        """
        if self.instance and self.instance in headers.get(VIA, ""):
            raise LoopError("this request comes from this very gateway: the api_base of one of its providers is its own address")
        host = headers.get("host", "")
        found = _HOST.fullmatch(host)
        if found is None:
            raise InvalidRequestError(f"the Host {host[:80]!r} is not a name and a port", param="host")
        name = (found[1] or found[2] or "").lower()
        if name not in _LOOPBACK and name not in self.hosts:
            raise ForbiddenError(
                f"the Host {host!r} is not this gateway's; add it to server.allowed_hosts if it should be", param="host"
            )
        origin = headers.get("origin")
        if origin is not None and origin != f"{scheme}://{host}" and origin not in self.origins:
            raise ForbiddenError(
                f"requests from the page {origin!r} are refused; add it to server.allowed_origins if it is yours", param="origin"
            )
        if origin is None and headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            raise ForbiddenError("cross-site requests are refused", param="sec-fetch-site")

    def identify(self, headers: Mapping[str, str]) -> str:
        """The client's name.

        :raises AuthenticationError: no token, or a wrong one
        """
        client = self.keys.identify(headers)
        if client is None:
            raise AuthenticationError(
                "the local token is missing or wrong: send it as 'Authorization: Bearer <token>' or 'x-api-key' "
                "(the gateway prints at start where it is stored)"
            )
        return client

    def check_own_page(self, headers: Mapping[str, str], scheme: str = "http") -> None:
        """See that a request with a session's cookie comes from the dashboard itself, and from the browser that was let in.

        A page on another port of this machine counts as the same site, so ``SameSite`` does not keep its requests out; its server may even
        be sent the cookie. Neither knows the session's change key. ``server.allowed_origins`` speak of model requests only.

        :raises ForbiddenError: it comes from elsewhere, does not say where from, or does not know the key
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        if origin != f"{scheme}://{headers.get('host', '')}" or site != "same-origin":
            raise ForbiddenError(
                "a session's changes are taken from the dashboard's own pages only", param="origin", code="foreign_page"
            )
        expected = self.sessions.change_key(self._session(headers) or "")
        if not hmac.compare_digest(headers.get(CHANGE_KEY, "").encode("utf-8", "replace"), expected.encode()):
            raise ForbiddenError(
                "this page may look but not change: open the dashboard by a new link of `openclaw-oauthrouter dashboard`",
                param=CHANGE_KEY,
                code="no_change_key",
            )

    def has_session(self, headers: Mapping[str, str]) -> bool:
        """Whether a browser carries the cookie of a live dashboard session."""
        session = self._session(headers)
        return session is not None and self.sessions.check(session)

    def _session(self, headers: Mapping[str, str]) -> str | None:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(cookie_name(headers.get("host", "")))
        except CookieError:
            return None
        return cookie.value if cookie is not None else None
