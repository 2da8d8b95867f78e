"""The shim against a Python that misbehaves: it must report, retry, lend, and clean up."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.openclaw.manifest import SHIM
from tests.support.real_programs import Sandbox, alive, free_port, program, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

DRIVER = Path(__file__).with_name("shim_driver.mjs")

PROLOGUE = f"""#!{sys.executable}
import json, os, signal, sys, time
def say(message): print(json.dumps(message), flush=True)
def log(*words): print(*words, file=sys.stderr, flush=True)
config = json.loads(sys.stdin.readline())["config"]
ready = {{"type": "ready", "baseUrl": "http://127.0.0.1:1/v1", "version": "0", "token": "fresh-token"}}
"""
GOOD = """
say(ready)
for line in sys.stdin: log(line.strip())
"""


class Driver:
    """The driver's two ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[tuple[str, Any]] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, event: str) -> Any:
        """The detail of the next such event."""
        while True:
            message = json.loads(self._lines.get(timeout=60))
            self.seen.append((message["event"], message.get("detail")))
            if message["event"] == event:
                return message.get("detail")

    def do(self, action: str) -> Any:
        """Carry an action out and return what it gave."""
        assert self.process.stdin
        self.process.stdin.write(f"{action}\n")
        self.process.stdin.flush()
        return self.until(action)

    def details(self, event: str) -> list[Any]:
        return [detail for name, detail in self.seen if name == event]


@contextmanager
def driver(tmp_path: Path, script: str | None, lent: dict[str, str] | None = None, **config: Any) -> Iterator[Driver]:
    node = program("OAUTHROUTER_E2E_NODE")
    python = tmp_path / "python"
    if script is not None:
        python.write_text(PROLOGUE + script)
        python.chmod(0o755)
    sandbox = Sandbox(tmp_path)
    config = {"python": str(python), "server": {"port": free_port()}, **config}
    options = {"shim": (SHIM / "index.js").as_uri(), "pluginConfig": config, "lent": lent or {}}
    process = subprocess.Popen(
        [node, DRIVER, json.dumps(options)], env=sandbox.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Driver(process)
    finally:
        process.kill()
        process.communicate()


def test_shim_provider_it_offers(tmp_path: Path) -> None:
    with driver(tmp_path, GOOD, server={"port": 9123}) as shim:
        catalog = shim.do("catalog")
        dynamic = shim.do("dynamic")
    assert catalog["baseUrl"] == "http://127.0.0.1:9123/v1"
    assert catalog["models"][0]["id"] == "auto"
    assert all(model["baseUrl"] == catalog["baseUrl"] for model in catalog["models"])
    assert (dynamic["id"], dynamic["provider"], dynamic["contextWindow"]) == ("anthropic/claude-haiku-4-5", "oauthrouter", 200000)


def test_shim_it_configures_and_learns_the_token(tmp_path: Path) -> None:
    script = 'log("config", json.dumps(config), "arguments", *sys.argv[1:])' + GOOD
    with driver(tmp_path, script, spendControls={"dailyRequestBudget": 5}) as shim:
        assert shim.do("token") is None
        shim.do("start")
        assert shim.do("token") == "fresh-token"
        shim.do("stop")
    line = next(detail for detail in shim.details("log") if detail.startswith("config"))
    assert '"spendControls": {"dailyRequestBudget": 5}' in line
    assert '"server": {"port": ' in line
    assert "python" not in line.split("arguments")[0].replace("openclaw", "")
    assert line.endswith("arguments -P -m openclaw_oauthrouter serve --host-stdio")


def test_shim_it_names_the_configuration_file(tmp_path: Path) -> None:
    with driver(
        tmp_path, 'log("arguments", *sys.argv[1:], "config", json.dumps(config))' + GOOD, configFile="/a b/own.toml"
    ) as shim:
        shim.do("start")
        shim.do("stop")
    line = next(detail for detail in shim.details("log") if detail.startswith("arguments"))
    assert line.startswith("arguments -P -m openclaw_oauthrouter --config /a b/own.toml serve --host-stdio")
    assert "configFile" not in line


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("10.0.0.5", "10.0.0.5"),
        ("127.0.0.1", "127.0.0.1"),
        ("::", "[::1]"),
        ("fd00::5", "[fd00::5]"),
    ],
)
def test_shim_it_sends_to_where_the_gateway_can_be_reached(tmp_path: Path, host: str, reached: str) -> None:
    with driver(tmp_path, GOOD, server={"port": 9123, "listenHost": host}) as shim:
        assert shim.do("catalog")["baseUrl"] == f"http://{reached}:9123/v1"


def test_shim_kept_token_is_used_from_the_start(tmp_path: Path) -> None:
    state = Sandbox(tmp_path).state
    state.mkdir(parents=True)
    (state / "local-token").write_text("kept\n")
    with driver(tmp_path, GOOD) as shim:
        assert shim.do("token") == "kept"


def test_shim_it_lends_and_refuses_in_the_hosts_words(tmp_path: Path) -> None:
    script = (
        """
say({"id": 1, "method": "auth.resolve", "provider": "anthropic"})
log("heard", sys.stdin.readline().strip())
say({"id": 2, "method": "auth.resolve", "provider": "openai"})
log("heard", sys.stdin.readline().strip())
say({"id": 3, "method": "config.write"})
"""
        + GOOD
    )
    with driver(tmp_path, script, lent={"anthropic": "sk-lent"}) as shim:
        shim.do("start")
        shim.do("stop")
    heard = [json.loads(line.removeprefix("heard ")) for line in shim.details("log") if line.startswith("heard")]
    assert heard[0] == {"id": 1, "result": {"apiKey": "sk-lent", "mode": "api-key"}}
    assert heard[1]["error"].startswith('No API key found for provider "openai"')
    assert len(heard) == 2


def test_shim_missing_interpreter_does_not_hold_openclaw_up(tmp_path: Path) -> None:
    with driver(tmp_path, None) as shim:
        shim.do("start")
        shim.do("stop")
    assert "cannot be started" in shim.details("failure")[0]


def test_shim_python_that_dies_is_quoted_and_tried_again(tmp_path: Path) -> None:
    script = (
        """
flag = sys.argv[0] + ".second"
if not os.path.exists(flag):
    open(flag, "w").close()
    log("error: port 8402 is taken")
    sys.exit(2)
"""
        + GOOD
    )
    with driver(tmp_path, script) as shim:
        shim.do("start")
        shim.until("clear")
        shim.do("stop")
    assert shim.details("failure") == ["the Python gateway ended with exit code 2; it last said: error: port 8402 is taken"]


def test_noise_on_standard_output_is_passed_over(tmp_path: Path) -> None:
    with driver(tmp_path, 'print("hello", flush=True); print("{", flush=True)' + GOOD) as shim:
        shim.do("start")
        assert shim.do("token") == "fresh-token"


def test_shim_stubborn_python_is_killed(tmp_path: Path) -> None:
    script = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
log("pid", os.getpid())
say(ready)
while True: time.sleep(1)
"""
    with driver(tmp_path, script) as shim:
        shim.do("start")
        pid = next(int(line.split()[1]) for line in shim.details("log") if line.startswith("pid"))
        assert alive(pid)
        shim.do("stop")
        wait_until(lambda: not alive(pid), "the process has ended")


def test_shim_end_of_the_host_reaches_python_as_the_end_of_its_input(tmp_path: Path) -> None:
    with driver(tmp_path, 'log("pid", os.getpid())' + GOOD) as shim:
        shim.do("start")
        pid = next(int(line.split()[1]) for line in shim.details("log") if line.startswith("pid"))
        os.kill(shim.process.pid, 9)
        wait_until(lambda: not alive(pid), "the process has ended")
