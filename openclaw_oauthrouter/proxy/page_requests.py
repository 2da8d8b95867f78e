"""Lets the dashboard's own page send a request as any client would: for a prompt that is tried out, and paid for, by the owner."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.client_paths import TOKEN_HEADER
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.errors import AuthenticationError, MethodNotAllowedError, NotFoundError, OAuthRouterError
from openclaw_oauthrouter.proxy.asgi import Receive, Scope, Send, headers_of
from openclaw_oauthrouter.proxy.envelopes import send_error
from openclaw_oauthrouter.proxy.gate import CHANGE_KEY
from openclaw_oauthrouter.proxy.live import Served

PREFIX = "/debug/try"
"""Stands before the path of an API: ``/debug/try/v1/chat/completions``."""

AGENT = "dashboard"
_ENDS_HERE = frozenset({b"cookie", b"origin", b"user-agent", CHANGE_KEY.encode(), TOKEN_HEADER.encode()})


async def serve_page_request(served: Served, token: Secret, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request of the page's: its session stands for the main token, which the page never holds."""
    path = scope["path"].removeprefix(PREFIX)
    found = served.paths.find(path)
    try:
        headers = headers_of(scope["headers"])
        served.gate.check_source(headers, scope.get("scheme", "http"))
        if not served.gate.has_session(headers):
            raise AuthenticationError("the session has ended; open the dashboard by a new link")
        served.gate.check_own_page(headers, scope.get("scheme", "http"))
        if found is None:
            raise NotFoundError(f"there is no {path!r} to try")
        if scope["method"] != "POST":
            raise MethodNotAllowedError("a prompt is sent by POST")
    except OAuthRouterError as error:
        await send_error(send, error)
        return
    kept = [(name, value) for name, value in scope["headers"] if name not in _ENDS_HERE]
    own = [(TOKEN_HEADER.encode(), b"Bearer " + token.reveal().encode()), (b"user-agent", AGENT.encode())]
    await served.routes({**scope, "path": path, "raw_path": path.encode(), "headers": [*kept, *own]}, receive, send, *found)
