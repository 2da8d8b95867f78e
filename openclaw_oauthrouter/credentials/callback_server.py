"""Waits on loopback for the browser to come back from a sign-in page."""

from __future__ import annotations

import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from openclaw_oauthrouter.credentials.chatgpt_login import CALLBACK_PATH
from openclaw_oauthrouter.errors import CredentialError

HOST = "127.0.0.1"
_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>openclaw-oauthrouter</title>"
    b"<p>The sign-in has reached openclaw-oauthrouter. You can close this page and return to the terminal.</p>"
)


class CallbackServer:
    """``with CallbackServer(port) as server: server.wait(state, seconds)``.

    :param port: 0 takes any free one
    :raises CredentialError: the port is taken
    """

    def __init__(self, port: int) -> None:
        self._addresses: queue.SimpleQueue[str] = queue.SimpleQueue()
        try:
            self._server = HTTPServer((HOST, port), self._handler())
        except OSError as error:
            raise CredentialError(
                f"port {port} of {HOST} cannot be used ({error.strerror}); choose another with --port, or use --paste"
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sign-in callback", daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the browser has to be sent."""
        return f"http://{HOST}:{self._server.server_address[1]}{CALLBACK_PATH}"

    def __enter__(self) -> CallbackServer:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, state: str, seconds: float) -> str:
        """The address the browser came with.

        :param state: what the address must bring back; any page can call this server, and such calls are passed over
        :raises CredentialError: it did not come in time
        """
        until = time.monotonic() + seconds
        try:
            while True:
                address = self._addresses.get(timeout=max(0.0, until - time.monotonic()))
                if parse_qs(urlsplit(address).query).get("state") == [state]:
                    return address
        except queue.Empty:
            raise CredentialError(
                f"nobody finished the sign-in within {seconds:.0f} seconds; run the command again, with --paste if the browser is on another machine"
            ) from None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        addresses = self._addresses

        class Handler(BaseHTTPRequestHandler):
            """Answers the one address that matters; browsers also ask for icons."""

            timeout = 5.0

            def do_GET(self) -> None:
                found = urlsplit(self.path).path == CALLBACK_PATH
                body = _PAGE if found else b""
                self.send_response(200 if found else 404)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if found:
                    addresses.put(self.path)

            def log_message(self, *_: Any) -> None:
                """Nothing: the address holds the code."""

        return Handler
