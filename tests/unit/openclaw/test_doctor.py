"""Doctor checks each step, says what to do, and ends with 1 only when requests would fail."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.cli.checks import machine, upstreams
from openclaw_oauthrouter.cli.checks.host import check_openclaw
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.openclaw.command import OpenClaw
from openclaw_oauthrouter.openclaw.former import former_things
from openclaw_oauthrouter.openclaw.manifest import SHIM


def nowhere() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(status: int, body: bytes = b'{"data": []}', pages: dict[str, Any] | None = None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = (pages or {}).get(self.path.partition("?")[0])
            answer = body if page is None else json.dumps(page).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str | None]:
    unset = [name for name in os.environ if name.startswith(("OAUTHROUTER_", "OPENCLAW_", "ANTHROPIC_", "OPENAI_", "DEEPSEEK_"))]
    return {**dict.fromkeys(unset), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OAUTHROUTER_PORT": str(nowhere())}


def examine(environ: dict[str, str | None]) -> tuple[dict[str, dict[str, str]], int]:
    done = CliRunner(env=environ).invoke(root, ["doctor", "--json"])
    return {row["name"]: row for row in json.loads(done.stdout)}, done.exit_code


def configure(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = tmp_path / ".openclaw" / "oauthrouter"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings))


def test_doctor_machine_that_is_ready(tmp_path: Path, environ: dict[str, str | None]) -> None:
    with server(200) as port:
        configure(tmp_path, {"providers": {"anthropic": {"api_base": f"http://127.0.0.1:{port}", "api_key": "sk-ant-api03-x"}}})
        rows, code = examine(environ)
    assert code == 0
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert "config.json" in rows["configuration"]["detail"]
    assert "is free" in rows["port"]["detail"]
    assert rows["credential anthropic"]["detail"] == "config:anthropic (api_key, source config)"
    assert "answers" in rows["connection anthropic"]["detail"]
    assert {"python", "package", "plugins", "local token", "openclaw", "disk", "clock", "processes"} <= rows.keys()


def test_people_get_a_line_a_candidate(environ: dict[str, str | None]) -> None:
    done = CliRunner(env=environ).invoke(root, ["doctor"])
    assert "✓ python" in done.stdout
    assert "✗ credentials" in done.stdout
    assert "→ Set ANTHROPIC_OAUTH_TOKEN" in done.stdout


def test_doctor_no_credential_is_a_failure_with_advice(environ: dict[str, str | None]) -> None:
    rows, code = examine(environ)
    assert code == 1
    assert rows["credentials"]["state"] == "failure"
    assert "openclaw-oauthrouter auth add" in rows["credentials"]["remedy"]


def test_doctor_expired_sign_in_that_we_renew_is_no_failure(tmp_path: Path, environ: dict[str, str | None]) -> None:
    profile = {"type": "oauth", "provider": "openai-chatgpt", "access": "a", "refresh": "r", "expires": 1000, "clientId": "app_x"}
    with server(200) as port:
        configure(tmp_path, {"providers": {"openai-chatgpt": {"api_base": f"http://127.0.0.1:{port}"}}})
        store = tmp_path / ".openclaw" / "oauthrouter" / "credentials.json"
        store.write_text(json.dumps({"version": 1, "profiles": {"openai-chatgpt:me": profile}}))
        store.chmod(0o600)
        rows, code = examine(environ)
    assert rows["credential openai-chatgpt"]["state"] == "ok"
    assert "renewed with the next request" in rows["credential openai-chatgpt"]["detail"]
    assert rows["connection openai-chatgpt"]["state"] == "ok"
    assert "credentials" not in rows
    assert code == 0


def test_credentials_that_openclaw_may_lend(tmp_path: Path, environ: dict[str, str | None]) -> None:
    configure(tmp_path, {})
    (tmp_path / ".openclaw" / "openclaw.json").write_text(json.dumps(LINKED))
    rows, code = examine(environ)
    assert rows["credentials"]["state"] == "warning"
    assert code == 0


def test_doctor_provider_that_cannot_be_reached(tmp_path: Path, environ: dict[str, str | None]) -> None:
    configure(tmp_path, {"providers": {"anthropic": {"api_base": f"http://127.0.0.1:{nowhere()}", "api_key": "sk-ant-api03-x"}}})
    rows, code = examine(environ)
    assert rows["connection anthropic"]["state"] == "warning"
    assert code == 0


def test_doctor_server_without_tls_where_tls_is_expected(tmp_path: Path, environ: dict[str, str | None]) -> None:
    with server(200) as port:
        configure(tmp_path, {"providers": {"anthropic": {"api_base": f"https://127.0.0.1:{port}", "api_key": "sk-ant-api03-x"}}})
        rows, code = examine(environ)
    assert rows["connection anthropic"]["state"] == "failure"
    assert "SSL_CERT_FILE" in rows["connection anthropic"]["remedy"]
    assert code == 1


def test_doctor_wrong_setting_is_named_and_ends_the_examination(tmp_path: Path, environ: dict[str, str | None]) -> None:
    configure(tmp_path, {"server": {"prot": 1}})
    rows, code = examine(environ)
    assert code == 1
    assert "did you mean 'port'" in rows["configuration"]["detail"]
    assert set(rows) == {"configuration", "python"}


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, b'{"data": []}', "ok", "answers"),
        (401, b"{}", "failure", "refuses our local token"),
        (200, b"<html>", "failure", "something else"),
        (404, b"{}", "failure", "status 404"),
    ],
)
def test_doctor_whoever_is_on_the_port_is_told_apart(
    environ: dict[str, str | None], status: int, body: bytes, state: str, words: str
) -> None:
    with server(status, body) as port:
        rows, _ = examine({**environ, "OAUTHROUTER_PORT": str(port)})
    assert rows["port"]["state"] == state
    assert words in rows["port"]["detail"]


def test_doctor_token_that_others_can_read(tmp_path: Path, environ: dict[str, str | None]) -> None:
    configure(tmp_path, {})
    token = tmp_path / ".openclaw" / "oauthrouter" / "local-token"
    token.write_text("t")
    token.chmod(0o644)
    rows, _ = examine(environ)
    assert rows["local token"]["state"] == "warning"
    assert rows["local token"]["remedy"] == f"chmod 600 {token}"


@pytest.mark.parametrize(("left", "kind", "state"), [(60, "token", "warning"), (60, "oauth", "ok"), (86_400, "token", "ok")])
def test_expiry_is_counted_down(left: float, kind: Any, state: str) -> None:
    credential = Credential("a:b", "anthropic", kind, Secret("s"), "store", expires_at=1000 + left)
    result = upstreams._judge_expiry("credential anthropic", credential, lambda: 1000.0)
    assert result.state == state
    assert "expires in" in result.detail


def around(tmp_path: Path, now: float = 2e9) -> Surroundings:
    settings = Settings.model_validate({"home": str(tmp_path / "not" / "made" / "yet")})
    return Surroundings(settings, {"PATH": str(tmp_path / "bin"), "OPENCLAW_STATE_DIR": str(tmp_path)}, lambda: now)


def test_doctor_clock_that_stands_in_the_past(tmp_path: Path) -> None:
    (result,) = machine.check_clock(around(tmp_path, now=0.0))
    assert result.state == "failure"
    assert "1970-01-01" in result.detail


def test_doctor_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_DISK_BYTES", 10**18)
    (result,) = machine.check_disk(around(tmp_path))
    assert result.state == "failure"
    assert str(tmp_path) in result.detail


def test_gateways_without_a_host_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        (11, 1, "/usr/bin/python -P -m openclaw_oauthrouter serve --host-stdio"),
        (12, 900, "/usr/bin/python -P -m openclaw_oauthrouter serve --host-stdio"),
        (13, 1, "/usr/bin/python -P -m openclaw_oauthrouter serve"),
    ]
    monkeypatch.setattr(machine, "_processes", lambda: iter(rows))
    (result,) = machine.check_leftovers(around(tmp_path))
    assert result == Result("processes", "warning", "gateways whose OpenClaw has ended: 11", "end them: kill 11")


def test_processes_are_really_listed() -> None:
    assert os.getpid() in [pid for pid, _, _ in machine._processes()]


HOST = """\
#!/bin/sh
case "$1 $2" in
  "--version "*) echo "OpenClaw %(version)s (abc)" ;;
  "config validate") %(validate)s ;;
  "models list") echo '%(models)s' ;;
esac
"""


def host(tmp_path: Path, document: object, **answers: str) -> dict[str, Result]:
    known = {"version": "2026.9.6", "validate": "echo Config valid", "models": '{"models": [{"key": "oauthrouter/auto"}]}'}
    program = tmp_path / "bin" / "openclaw"
    program.parent.mkdir()
    program.write_text(HOST % {**known, **answers})
    program.chmod(0o755)
    (tmp_path / "openclaw.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return {result.name: result for result in check_openclaw(around(tmp_path))}


def gateway_that_had(*statuses: int, cooldowns: tuple[dict[str, Any], ...] = ()) -> Any:
    """A gateway with requests of the last minute, the oldest first."""
    events = [
        {"ts": time.time() * 1000 - 60_000 + number, "status": status, "errorMessage": f"reason {number}"}
        for number, status in enumerate(statuses)
    ]
    pages = {"/debug/routing-trace": {"events": events}, "/debug/provider-health": {"cooldowns": list(cooldowns)}}
    return server(200, pages=pages)


@pytest.mark.parametrize(
    ("statuses", "state", "code", "words"),
    [
        ((), "ok", 0, "none in the last hour"),
        ((200, 200), "ok", 0, "all 2"),
        ((502, 200), "warning", 0, "1 of the last 2 failed; the latest at"),
        ((200, 429), "warning", 0, "with 429: reason 1"),
        ((502, 502, 503), "failure", 1, "every one: 3 of the last 3 failed"),
        ((401,), "failure", 1, "reason 0"),
        ((499, 200), "ok", 0, "all 1"),
    ],
)
def test_recent_requests_are_judged(
    tmp_path: Path, environ: dict[str, str | None], statuses: tuple[int, ...], state: str, code: int, words: str
) -> None:
    with gateway_that_had(*statuses) as port:
        provider = {"api_base": f"http://127.0.0.1:{port}", "api_key": "sk-ant-api03-x"}
        configure(tmp_path, {"server": {"auth_token": "local"}, "providers": {"anthropic": provider}})
        environ["OAUTHROUTER_PORT"] = str(port)
        rows, ended = examine(environ)
    assert (rows["requests"]["state"], ended) == (state, code)
    assert words in rows["requests"]["detail"]


def test_providers_left_alone_are_named(tmp_path: Path, environ: dict[str, str | None]) -> None:
    row = {"scope": "credential", "provider": "anthropic", "name": "env:X", "until": "12:00", "reason": "401 invalid key"}
    with gateway_that_had(cooldowns=(row,)) as port:
        configure(tmp_path, {"server": {"auth_token": "local"}})
        environ["OAUTHROUTER_PORT"] = str(port)
        detail = examine(environ)[0]["provider health"]["detail"]
    assert detail == "anthropic (credential env:X) rests until 12:00: 401 invalid key"


LINKED = {
    "plugins": {"load": {"paths": [str(SHIM)]}, "entries": {"oauthrouter": {"enabled": True, "config": {"python": "/bin/sh"}}}},
    "agents": {"defaults": {"model": "oauthrouter/auto"}},
    "gateway": {"mode": "local"},
}


def test_doctor_connected_openclaw(tmp_path: Path) -> None:
    results = host(tmp_path, LINKED)
    assert {result.state for result in results.values()} == {"ok"}
    assert results["openclaw plugin"].detail == "installed (linked)"
    assert "the agents' default" in results["model"].detail


def test_doctor_openclaw_that_does_not_answer(tmp_path: Path) -> None:
    program = tmp_path / "openclaw"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    done = OpenClaw(program, {"PATH": "/usr/bin:/bin"}, seconds=0.05).run(["config", "validate"])
    assert (done.returncode, done.stderr) == (1, "no answer within 0.05 s")


def test_doctor_gateway_that_openclaw_will_not_start(tmp_path: Path) -> None:
    without_mode = {key: value for key, value in LINKED.items() if key != "gateway"}
    profiles = tmp_path / "agents" / "main" / "agent" / "auth-profiles.json"
    profiles.parent.mkdir(parents=True)
    profiles.write_text("{}")
    results = host(tmp_path, without_mode)
    assert (results["openclaw gateway"].state, results["openclaw profiles"].state) == ("warning", "failure")
    assert "openclaw doctor --fix" in results["openclaw profiles"].remedy
    assert "gateway.mode local" in results["openclaw gateway"].remedy


def test_doctor_entry_that_outvotes_the_plugin() -> None:
    entry = {"models": {"providers": {"oauthrouter": {"baseUrl": "http://127.0.0.1:9/v1", "models": []}}}}
    document = {**LINKED, **entry}
    explained = [former.explanation for former in former_things(document, plugin=True)]
    assert "win over the plugin" in explained[0]
    assert former_things(LINKED, plugin=True) == []


def test_doctor_old_openclaw(tmp_path: Path) -> None:
    assert host(tmp_path, {}, version="2026.2.1")["openclaw"].state == "warning"


def test_doctor_openclaw_that_does_not_know_us(tmp_path: Path) -> None:
    result = host(tmp_path, {})["openclaw plugin"]
    assert (result.state, result.remedy) == ("warning", "openclaw-oauthrouter openclaw install")


def test_doctor_interpreter_that_has_moved(tmp_path: Path) -> None:
    document = json.loads(json.dumps(LINKED).replace("/bin/sh", "/gone/python"))
    assert host(tmp_path, document)["openclaw plugin"].state == "failure"


def test_doctor_configuration_openclaw_refuses(tmp_path: Path) -> None:
    result = host(tmp_path, LINKED, validate="echo Unrecognized keys; exit 1")["openclaw.json"]
    assert (result.state, result.detail) == ("failure", "Unrecognized keys")


@pytest.mark.parametrize("models", ['{"models": []}', "nonsense"])
def test_doctor_model_that_is_not_listed(tmp_path: Path, models: str) -> None:
    assert host(tmp_path, LINKED, models=models)["model"].state == "failure"


def test_doctor_old_snippet(tmp_path: Path) -> None:
    snippet = {"agents": {"defaults": {"models": {"oauthrouter/auto": {"provider": "oauthrouter"}}}}}
    assert "older description" in host(tmp_path, snippet)["openclaw.json"].detail


def test_doctor_file_that_is_no_json(tmp_path: Path) -> None:
    assert host(tmp_path, "{ oops")["openclaw.json"].state == "failure"
