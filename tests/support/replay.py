"""A loopback server that answers whatever it was told to, so that official SDKs can judge bytes without a network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

EVENT_STREAM = "text/event-stream"
JSON = "application/json"


class ReplayServer:
    """Serves one body at a time under any path.

    ::

        with ReplayServer() as server:
            with server.answering(recorded_bytes):
                OpenAI(base_url=server.url, api_key="x", max_retries=0).chat.completions.create(…)

    :ivar url: where it listens, without a trailing slash
    """

    def __init__(self) -> None:
        self._body, self._content_type, self._status = b"", EVENT_STREAM, 200
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(owner._status)
                self.send_header("content-type", owner._content_type)
                self.send_header("content-length", str(len(owner._body)))
                self.end_headers()
                self.wfile.write(owner._body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def answering(self, body: bytes, content_type: str = EVENT_STREAM, status: int = 200) -> Iterator[ReplayServer]:
        """Answer every request with this, until the block ends."""
        before = self._body, self._content_type, self._status
        self._body, self._content_type, self._status = body, content_type, status
        try:
            yield self
        finally:
            self._body, self._content_type, self._status = before

    def __enter__(self) -> ReplayServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
