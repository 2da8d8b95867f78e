"""Commands that ask the running gateway find it, or say what is in the way."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.cli.root import root, run
from openclaw_oauthrouter.config.server import local_address


class Dual(ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextmanager
def answering(status: int, body: bytes, host: str = "127.0.0.1") -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    with (Dual if ":" in host else ThreadingHTTPServer)((host, 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join()


@contextmanager
def saying(words: bytes) -> Iterator[int]:
    """A server that speaks something else."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            client, _ = listening.accept()
            with client:
                client.recv(65536)
                client.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OAUTHROUTER_CONFIG", "OAUTHROUTER_PORT", "OAUTHROUTER_LISTEN_HOST", "OAUTHROUTER_LOCAL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OAUTHROUTER_HOME", str(tmp_path / "state"))
    path = tmp_path / "state" / "local-token"
    path.parent.mkdir()
    path.write_text("the-local-token\n")
    path.chmod(0o600)
    return path


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("listen_host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://127.0.0.1:9"),
        ("", "http://127.0.0.1:9"),
        ("::1", "http://[::1]:9"),
        ("::", "http://[::1]:9"),
        ("fd00::5", "http://[fd00::5]:9"),
        ("box.lan", "http://box.lan:9"),
    ],
)
def test_asking_the_gateway_address_of_a_gateway_on_this_machine(listen_host: str, address: str) -> None:
    assert local_address(listen_host, 9) == address


@pytest.mark.skipif(not has_ipv6(), reason="the machine has no IPv6")
@pytest.mark.parametrize("listen_host", ["::1", "::"])
def test_asking_the_gateway_gateway_on_ipv6_is_found(token_file: Path, monkeypatch: pytest.MonkeyPatch, listen_host: str) -> None:
    with answering(200, b'{"path": "/debug/dashboard?code=x", "data": []}', host="::1") as port:
        monkeypatch.setenv("OAUTHROUTER_LISTEN_HOST", listen_host)
        monkeypatch.setenv("OAUTHROUTER_PORT", str(port))
        link = CliRunner().invoke(root, ["dashboard"])
        rows = json.loads(CliRunner().invoke(root, ["doctor", "--json"]).stdout)
    assert link.stdout == f"http://[::1]:{port}/debug/dashboard?code=x\n"
    assert next(row for row in rows if row["name"] == "port")["detail"] == f"the gateway answers on {port}"
    exports = CliRunner().invoke(root, ["setup", "env"]).stdout
    assert f"http://[::1]:{port}/v1" in exports


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"{}", "refuses our local token"),
        (200, b"<html>", "is not a gateway (status 200"),
        (200, b"[1]", "is not a gateway (status 200"),
        (500, b"{}", "is not a gateway (status 500"),
        (200, b'{"path": 5}', "is not a gateway"),
        (200, b"{}", "is not a gateway"),
    ],
)
def test_asking_the_gateway_whatever_answers_instead_is_told(
    token_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, body: bytes, said: str
) -> None:
    with answering(status, body) as port:
        monkeypatch.setenv("OAUTHROUTER_PORT", str(port))
        assert run(["dashboard"]) == 1
    assert said in capsys.readouterr().err


def test_asking_the_gateway_what_speaks_no_http_is_told(
    token_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with saying(b"220 mail.example.com ESMTP\r\n") as port:
        monkeypatch.setenv("OAUTHROUTER_PORT", str(port))
        assert run(["dashboard"]) == 1
    assert "is not a gateway (RemoteProtocolError" in capsys.readouterr().err


def test_asking_the_gateway_without_a_gateway_it_says_how_to_start_one(
    token_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OAUTHROUTER_PORT", str(taken.getsockname()[1]))
        assert run(["dashboard"]) == 1
    assert "no gateway answers at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "no printable ASCII"), ("tök\n".encode(), "ASCII")],
)
def test_asking_the_gateway_token_file_that_holds_no_token(
    token_file: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    token_file.write_bytes(content)
    for command in (["token"], ["dashboard"], ["setup", "env"]):
        assert run(command) == 2, command
        out, err = capsys.readouterr()
        assert (said in err, out) == (True, ""), command
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(root, ["doctor", "--json"]).stdout)}
    assert rows["local token"]["state"] == "failure"
    assert said in rows["local token"]["detail"]


def test_asking_the_gateway_configured_token_that_no_header_can_carry(
    token_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OAUTHROUTER_LOCAL_TOKEN", "tök")
    for command in ("token", "dashboard"):
        assert run([command]) == 2
        assert "no printable ASCII" in capsys.readouterr().err
    assert CliRunner().invoke(root, ["doctor", "--json"]).exception.__class__ is SystemExit
