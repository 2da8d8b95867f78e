"""The whole gateway in a thread, in front of the demo's upstream, with a configuration file that its dashboard may change."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.proxy.editable import CONFIG, make_editable

TOKEN = "local-test-token"


class RealGateway:
    """A running gateway; what touches it is handed to its event loop.

    :ivar config: its configuration file
    """

    def __init__(self, handle: ProxyHandle, loop: asyncio.AbstractEventLoop, config: Path) -> None:
        self.handle, self._loop, self.config = handle, loop, config

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.handle.base_url

    def login_url(self) -> str:
        """A one-time link."""
        return f"{self.url}/debug/dashboard?code={self.call(self.handle.live.observers.logins.issue)}"

    def ask(self, prompt: str, *, model: str = "auto", **headers: str) -> None:
        """Send a prompt as a client would."""
        body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
        said = {"authorization": f"Bearer {TOKEN}", **headers}
        httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=said, timeout=30, trust_env=False).raise_for_status()

    def call(self, work: Any) -> Any:
        """Call something in the gateway's loop."""

        async def run() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)


@contextmanager
def real_gateway(folder: Path, text: str = CONFIG) -> Iterator[RealGateway]:
    """A gateway for as long as the context lasts."""
    loop, stop = asyncio.new_event_loop(), threading.Event()
    started: list[ProxyHandle] = []
    failed: list[BaseException] = []
    ready = threading.Event()

    async def serve() -> None:
        async with demo_upstream() as upstream:
            settings = {**upstream, "home": folder / "state", "auth_token": TOKEN, "port": 0}
            settings["credentials"] = {"order": ["config", "store"]}
            async with await start_proxy(**settings) as handle:
                make_editable(handle, folder / "config.toml", text)
                started.append(handle)
                ready.set()
                while not stop.is_set():
                    await asyncio.sleep(0.05)

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(60)
    assert not failed, failed
    try:
        yield RealGateway(started[0], loop, folder / "config.toml")
    finally:
        stop.set()
        thread.join(30)
    assert not failed, failed
