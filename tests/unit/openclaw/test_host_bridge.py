"""The conversation with the host: configuration, ready line, borrowed credentials, and its end."""

import asyncio
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError
from openclaw_oauthrouter.openclaw.bridge import HostBridge
from openclaw_oauthrouter.openclaw.host_credentials import HostCredentials
from openclaw_oauthrouter.plugins import create_plugin_manager


class Host:
    """The other end."""

    def __init__(self, **options: float) -> None:
        self.reader = asyncio.StreamReader()
        self.heard: list[dict] = []
        self.bridge = HostBridge(self.reader, self._hear, **options)

    def _hear(self, data: bytes) -> None:
        assert data.endswith(b"\n")
        self.heard.append(json.loads(data))

    def say(self, message: object) -> None:
        self.reader.feed_data(json.dumps(message).encode() + b"\n")

    async def question(self) -> dict:
        while not self.heard:
            await asyncio.sleep(0)
        return self.heard.pop()


async def test_host_bridge_first_line_is_the_configuration() -> None:
    host = Host()
    host.say({"type": "config", "config": {"server": {"port": 9}}})
    assert await host.bridge.config() == {"server": {"port": 9}}
    assert await host.bridge.config() == {"server": {"port": 9}}
    await host.bridge.close()


async def test_host_bridge_no_configuration_is_an_empty_one() -> None:
    host = Host()
    host.say({"type": "config"})
    assert await host.bridge.config() == {}
    await host.bridge.close()


async def test_host_bridge_host_that_hangs_up_first_is_an_error() -> None:
    host = Host()
    host.reader.feed_eof()
    with pytest.raises(ConfigurationError, match="went away"):
        await host.bridge.config()


async def test_host_bridge_silent_host_is_an_error() -> None:
    host = Host(answer_seconds=0.01)
    with pytest.raises(ConfigurationError, match="has not sent"):
        await host.bridge.config()
    await host.bridge.close()


async def test_host_bridge_ready_line_tells_address_and_token() -> None:
    host = Host()
    host.bridge.ready("http://127.0.0.1:8402/v1", Secret("local"))
    assert await host.question() == {"type": "ready", "baseUrl": "http://127.0.0.1:8402/v1", "version": "0.1.0", "token": "local"}
    await host.bridge.close()


async def test_answers_find_their_questions_in_any_order() -> None:
    host = Host()
    first = asyncio.create_task(host.bridge.resolve("anthropic"))
    second = asyncio.create_task(host.bridge.resolve("openai"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ids = {message["provider"]: message["id"] for message in host.heard}
    host.say({"id": ids["openai"], "result": {"apiKey": "b"}})
    host.say({"id": 999, "result": {"apiKey": "nobody asked"}})
    host.say("noise")
    host.reader.feed_data(b"not json\n")
    host.say({"id": ids["anthropic"], "result": {"apiKey": "a"}})
    assert await first == {"apiKey": "a"}
    assert await second == {"apiKey": "b"}
    await host.bridge.close()


async def test_host_bridge_refusal_is_passed_on() -> None:
    host = Host()
    asking = asyncio.create_task(host.bridge.resolve("anthropic"))
    question = await host.question()
    host.say({"id": question["id"], "error": "No API key found. Auth store: /home/someone"})
    with pytest.raises(CredentialError, match=r"No API key found$"):
        await asking
    await host.bridge.close()


async def test_lent_credentials_become_a_source() -> None:
    host = Host()
    manager = create_plugin_manager(load_entry_points=False, extra=[HostCredentials(host.bridge)])
    sources = [source for found in manager.hook.oauthrouter_register_credential_sources(settings=Settings()) for source in found]
    (source,) = [source for source in sources if source.name == "host"]
    asking = asyncio.create_task(source.fresh("anthropic"))
    host.say({"id": (await host.question())["id"], "result": {"apiKey": "sk-ant-oat01-lent", "mode": "token"}})
    (credential,) = await asking
    assert (credential.source, credential.kind, credential.secret) == ("host", "token", Secret("sk-ant-oat01-lent"))
    await host.bridge.close()


async def test_host_bridge_no_answer_is_an_error() -> None:
    host = Host(answer_seconds=0.01)
    with pytest.raises(CredentialError, match="did not answer"):
        await host.bridge.resolve("anthropic")
    await host.bridge.close()


async def test_host_bridge_end_of_the_host_closes_and_answers_whoever_waits() -> None:
    host = Host()
    asking = asyncio.create_task(host.bridge.resolve("anthropic"))
    await host.question()
    host.reader.feed_eof()
    with pytest.raises(CredentialError, match="went away"):
        await asking
    assert host.bridge.closed.is_set()
    with pytest.raises(CredentialError, match="has gone"):
        await host.bridge.resolve("anthropic")


OWNER_OF_STDOUT = """
import asyncio
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.openclaw.bridge import HostBridge

async def main():
    bridge = await HostBridge.open()
    print("stray output", flush=True)
    config = await bridge.config()
    bridge.ready(config["baseUrl"], Secret("t"))
    await bridge.closed.wait()

asyncio.run(main())
"""


def test_real_pipes_carry_only_the_protocol() -> None:
    line = json.dumps({"type": "config", "config": {"baseUrl": "http://x/v1"}}) + "\n"
    done = subprocess.run([sys.executable, "-c", OWNER_OF_STDOUT], input=line, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["baseUrl"] == "http://x/v1"
    assert "stray output" in done.stderr


def redirected(arguments: str, redirections: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = f"{shlex.quote(sys.executable)} -P -m openclaw_oauthrouter {arguments} {redirections}"
    environ = {"HOME": str(home)}
    return subprocess.run(["sh", "-c", command], input="", capture_output=True, text=True, timeout=30, cwd=home, env=environ)


def test_closed_standard_streams_do_not_end_the_event_loop(tmp_path: Path) -> None:
    assert redirected("demo --once --port 0", "<&- >&-", tmp_path).returncode == 0


@pytest.mark.parametrize("redirections", ["</dev/null", "<&-", "<input", ">/dev/null", ">&-", ">output"])
def test_host_bridge_command_refuses_what_is_no_pipe(tmp_path: Path, redirections: str) -> None:
    (tmp_path / "input").write_text("")
    done = redirected("serve --host-stdio", redirections, tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: --host-stdio is for the OpenClaw plugin")
    assert len(done.stderr.splitlines()) == 1


def test_files_are_no_pipes(tmp_path) -> None:
    (tmp_path / "input").write_text("")
    with (tmp_path / "input").open() as file:
        done = subprocess.run([sys.executable, "-c", OWNER_OF_STDOUT], stdin=file, capture_output=True, text=True, timeout=30)
    assert "--host-stdio is for the OpenClaw plugin" in done.stderr
