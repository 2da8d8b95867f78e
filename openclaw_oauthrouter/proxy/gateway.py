"""The gateway as one ASGI application: the model paths raw, everything else through Quart, which is loaded when it is first needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from openclaw_oauthrouter.proxy.asgi import Receive, Scope, Send, bounded
from openclaw_oauthrouter.proxy.http1 import Application
from openclaw_oauthrouter.proxy.live import SERVED, Live, Served
from openclaw_oauthrouter.proxy.web_pages import allowing, answer_preflight, is_preflight, listed_origin

if TYPE_CHECKING:
    from quart import Quart


class Gateway:
    """The application; ``live`` holds what a change of the configuration replaces.

    :param cold: answers what is no model's answer, where that is not done here
    """

    def __init__(self, live: Live, cold: Application | None = None) -> None:
        self.live = live
        self._cold = cold
        self._quart: Quart | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            from openclaw_oauthrouter.proxy.responses_socket import serve_socket

            await serve_socket(self.live, scope, receive, send)
            return
        served = self.live.take()
        try:
            if served.gate.origins and (origin := listed_origin(scope, served.gate.origins)) is not None:
                if is_preflight(scope):
                    await answer_preflight(scope, send, served.gate, origin)
                    return
                send = allowing(send, origin)
            found = served.paths.find(scope["path"])
            if found is not None:
                await served.routes(scope, receive, send, *found)
            elif self._cold is not None:
                await self._cold(scope, receive, send)
            elif scope["path"].startswith("/debug/try/"):
                from openclaw_oauthrouter.proxy.page_requests import serve_page_request

                await serve_page_request(served, self.live.token, scope, receive, send)
            else:
                await self._by_quart(served, scope, receive, send)
        finally:
            self.live.give_back(served)

    async def _by_quart(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        quart = await self._cold_paths()
        server = served.runtime.settings.server
        quart.config.update(MAX_CONTENT_LENGTH=server.max_body_bytes, BODY_TIMEOUT=server.body_seconds)
        # Quart 0.23 looks at a body's size when all of it is here.
        await quart({**scope, SERVED: served}, bounded(receive, server.max_body_bytes), send)  # type: ignore[arg-type]

    async def _cold_paths(self) -> Quart:
        if self._quart is None:
            async with self._loading:
                # Quart takes a quarter of a second to import: a third of the whole start, and too long to stand in other clients' way.
                await asyncio.get_running_loop().run_in_executor(None, _load)
                if self._quart is None:
                    from openclaw_oauthrouter.proxy.app import create_quart_app

                    self._quart = create_quart_app(self.live)
        return self._quart


def _load() -> None:
    import openclaw_oauthrouter.proxy.app  # noqa: F401 - imported for others to find loaded
