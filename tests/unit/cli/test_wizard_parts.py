"""The parts of the first minute: what counts as a key, whose it is, what a vendor says of it, what there is on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.catalog.presets import issuers_of, presets
from openclaw_oauthrouter.changes.credentials import as_credential
from openclaw_oauthrouter.cli.first_minute import keys, wizard
from openclaw_oauthrouter.cli.first_minute.asking import choose, choose_some
from openclaw_oauthrouter.cli.first_minute.found import LocalServer, clients_here, has_openclaw, local_servers
from openclaw_oauthrouter.cli.first_minute.missing import missing_lines, unusable_lines
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.upstream.kept_lists import load_lists
from openclaw_oauthrouter.upstream.key_check import KeyCheck, check_key
from tests.support.upstream import Play, ScriptedUpstream

LISTED = json.dumps({"data": [{"id": "some-model"}]}).encode()


def settings_of(tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate({"home": tmp_path / "state", **more})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sk-ant-api03-x\n", "sk-ant-api03-x"),
        ('  "sk-x" ', "sk-x"),
        ("'sk-x'", "sk-x"),
        ("export OPENAI_API_KEY=sk-x", "sk-x"),
        ('ANTHROPIC_API_KEY="sk-ant-x"', "sk-ant-x"),
        ("Authorization: Bearer sk-x", "sk-x"),
        ("bearer sk-x", "sk-x"),
        ("\x1b[200~sk-x\x1b[201~", "sk-x"),
        ("abc=def", "abc=def"),
        ("", ""),
        ('""', ""),
    ],
)
def test_pasted_finds_the_key(text: str, key: str) -> None:
    assert keys.pasted(text) == key


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        ("sk-ant-api03-x", ["anthropic"]),
        ("sk-ant-oat01-x", ["anthropic"]),
        ("sk-proj-x", ["openai"]),
        ("sk-svcacct-x", ["openai"]),
        ("sk-or-v1-x", ["openrouter"]),
        ("gsk_x", ["groq"]),
        ("AIzaSyx", ["gemini"]),
        ("xai-x", ["xai"]),
        ("sk-kimi-x", ["kimi-coding"]),
        ("sk-0123", ["openai", "deepseek", "moonshot", "qwen"]),
        ("0123456789abcdef.x", []),
        ("", []),
    ],
)
def test_issuers_of_a_key(key: str, whose: list[str]) -> None:
    assert issuers_of(key) == whose


def answers(status: int, body: bytes = LISTED) -> Callable[[httpx.Request], httpx.Response]:
    """A vendor that says this to the key, and 401 to nobody's."""
    return lambda request: streamed(status, body) if "the-key" in str(request.headers.raw) else streamed(401, b"{}")


def streamed(status: int, body: bytes) -> httpx.Response:
    """An answer as a connection gives it: its bytes are still to be read."""
    return httpx.Response(status, stream=httpx.ByteStream(body))


@pytest.mark.parametrize(
    ("name", "answer", "state"),
    [
        ("anthropic", answers(200), "accepted"),
        ("anthropic", answers(401), "refused"),
        ("openai", answers(403), "refused"),
        ("gemini", answers(400), "refused"),
        ("mistral", answers(404), "untested"),
        ("openai", answers(500), "untested"),
        ("openai", answers(429), "untested"),
        ("openai", answers(200, b"<html>"), "untested"),
        ("openrouter", answers(200), "accepted"),
    ],
)
async def test_check_key_tells_what_the_vendor_says(
    name: str, answer: Callable[..., httpx.Response], state: str, tmp_path: Path
) -> None:
    provider = Builder(settings_of(tmp_path), create_plugin_manager()).providers[name]
    check = await check_key(httpx.MockTransport(answer), provider, as_credential(name, "the-key"))
    assert check.state == state
    assert bool(check.detail) == (state != "accepted")
    assert "the-key" not in check.detail


async def test_check_key_asks_for_the_key_where_the_list_is_open_to_all(tmp_path: Path) -> None:
    provider = Builder(settings_of(tmp_path), create_plugin_manager()).providers["openrouter"]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url} {request.headers['authorization']}")
        return streamed(200 if request.url.path.endswith("/models") else 401, LISTED)

    check = await check_key(httpx.MockTransport(answer), provider, as_credential("openrouter", "sk-or-x"))
    assert (check.state, len(check.models)) == ("refused", 1)
    assert asked[-1] == "https://openrouter.ai/api/v1/key Bearer sk-or-x"


async def test_check_key_says_when_anybody_gets_the_list(tmp_path: Path) -> None:
    provider = Builder(settings_of(tmp_path), create_plugin_manager()).providers["openai"]
    check = await check_key(httpx.MockTransport(lambda _: streamed(200, LISTED)), provider, as_credential("openai", "x"))
    assert (check.state, len(check.models)) == ("untested", 1)
    assert "to anybody" in check.detail


async def test_check_key_that_reaches_nobody_is_untested(tmp_path: Path) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    provider = Builder(settings_of(tmp_path), create_plugin_manager()).providers["openrouter"]
    check = await check_key(httpx.MockTransport(unreachable), provider, as_credential("openrouter", "x"))
    assert check == KeyCheck("untested", "it cannot be reached (ConnectError)")


Ask = Callable[..., tuple[object, str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Plays keys to a question; gives what it returned and what was shown."""
    monkeypatch.setenv("COLUMNS", "80")

    def play(question: Callable[[], object], typed: str) -> tuple[object, str]:
        found: list[object] = []
        command = click.Command("question", callback=lambda: found.append(question()))
        said = CliRunner().invoke(command, input=typed)
        return found[0] if found else said.exception, said.output

    return play


@pytest.mark.parametrize(
    ("typed", "chosen"), [("\n", 0), ("2\n", 1), ("two\n", 1), (" TWO \n", 1), ("0\n3\nx\n-1\n1 2\n1\n", 0), ("", SystemExit)]
)
def test_choose_takes_a_number_or_a_word(ask: Ask, typed: str, chosen: object) -> None:
    found, _ = ask(lambda: choose([("one", "the first"), ("two", "the second")]), typed)
    assert found == chosen or isinstance(found, SystemExit)


@pytest.mark.parametrize(
    ("typed", "chosen"), [("\n", []), ("none\n", []), ("all\n", [0, 1]), ("2\n", [1]), ("2, 1\n", [0, 1]), ("x\n3\n1 1\n", [0])]
)
def test_choose_some_takes_numbers(ask: Ask, typed: str, chosen: list[int]) -> None:
    assert ask(lambda: choose_some(["a", "b"], "Which"), typed)[0] == chosen


@pytest.fixture
def said_of_keys(monkeypatch: pytest.MonkeyPatch) -> list[KeyCheck]:
    """What vendors say, in order; the last one for ever."""
    script = [KeyCheck("accepted")]
    monkeypatch.setattr(keys, "try_key", lambda *_: script.pop(0) if len(script) > 1 else script[0])
    return script


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        ("\n", None, ()),
        ("sk-ant-api03-x\n", "anthropic:key", ("This looks like a key of Anthropic", "It works")),
        ("sk-ant-oat01-x\n", "anthropic:token", ("its terms do not allow for",)),
        ("with blanks\n\n", None, ("error: what was pasted contains spaces", "try: copy the key once more")),
        ("sk-0123\n\n", "openai:key", ("Keys like this come from openai, deepseek, moonshot, qwen.",)),
        ("sk-0123\ndeepsek\ndeepseek\n", "deepseek:key", ("there is no provider 'deepsek'", "did you mean 'deepseek'?")),
        ("0123.abc\nZ.ai (GLM)\n", "zai:key", ("Which provider is the key from? One of anthropic, openai",)),
        ("0123.abc\n\n", None, ()),
        ("0123.abc\nollama\n\n", None, ("there is no provider 'ollama' that takes keys",)),
    ],
)
def test_take_key_keeps_what_is_a_key(
    ask: Ask, said_of_keys: list[KeyCheck], tmp_path: Path, typed: str, kept: str | None, shown: tuple[str, ...]
) -> None:
    settings = settings_of(tmp_path)
    providers = Builder(settings, create_plugin_manager()).providers
    done, output = ask(lambda: keys.take_key(settings, providers), typed)
    assert done == (kept is not None)
    for part in shown:
        assert part in " ".join(output.split())
    store = settings.home / "credentials.json"
    assert (list(json.loads(store.read_text())["profiles"]) if store.exists() else [None]) == [kept]
    assert "sk-" not in output.replace("sk-ant-oat tokens", "")


def test_take_key_that_cannot_be_tested_asks_before_it_is_kept(ask: Ask, said_of_keys: list[KeyCheck], tmp_path: Path) -> None:
    said_of_keys[:] = [KeyCheck("untested", "it cannot be reached (ConnectError)"), KeyCheck("refused", "it answered 401")]
    settings = settings_of(tmp_path)
    providers = Builder(settings, create_plugin_manager()).providers
    done, output = ask(lambda: keys.take_key(settings, providers), "gsk_x\nn\ngsk_x\n\n")
    assert done is False
    assert "could not be tested: it cannot be reached" in output
    assert "error: Groq refuses this key: it answered 401" in output
    assert not (settings.home / "credentials.json").exists()


def test_take_key_refuses_a_chatgpt_token(ask: Ask, tmp_path: Path) -> None:
    import base64

    claims = base64.urlsafe_b64encode(json.dumps({"account_id": "a"}).encode()).decode().rstrip("=")
    settings = settings_of(tmp_path)
    done, output = ask(lambda: keys.take_key(settings, {}), f"e30.{claims}.x\n")
    assert done is False
    assert "choose the ChatGPT plan" in output


async def test_local_servers_are_those_that_answer(tmp_path: Path) -> None:
    import asyncio

    async with ScriptedUpstream(Play.json({}, 404)) as ollama, ScriptedUpstream(Play.json({}, 404)) as silent:
        ollama.models = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (len(LISTED), LISTED)
        )
        addresses = {"ollama": f"{ollama.url}/v1", "lmstudio": f"{silent.url}/v1"}
        nobody = dict.fromkeys(("vllm", "llamacpp"), "http://127.0.0.1:1/v1")
        settings = settings_of(tmp_path, providers={name: {"api_base": url} for name, url in (addresses | nobody).items()})
        providers = Builder(settings, create_plugin_manager()).providers
        found = await asyncio.to_thread(local_servers, settings, providers)
    assert [(server.provider.name, [model.id for model in server.models]) for server in found] == [("ollama", ["some-model"])]


@pytest.mark.parametrize("listed", [b'{"object": "list", "data": []}', b'{"object": "list", "data": null}', b'{"models": []}'])
async def test_local_servers_without_a_model_are_found_too(tmp_path: Path, listed: bytes) -> None:
    import asyncio

    async with ScriptedUpstream(Play.json({}, 404)) as ollama:
        ollama.models = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (len(listed), listed)
        )
        settings = settings_of(tmp_path, providers={"ollama": {"api_base": f"{ollama.url}/v1"}})
        provider = Builder(settings, create_plugin_manager()).providers["ollama"]
        found = await asyncio.to_thread(local_servers, settings, {"ollama": provider})
    assert [(server.provider.name, list(server.models)) for server in found] == [("ollama", [])]


def test_wizard_parts_local_server_without_models_is_not_taken(ask: Ask, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, providers={"ollama": {"api_base": "http://127.0.0.1:1/v1"}})
    server = LocalServer(Builder(settings, create_plugin_manager()).providers["ollama"], [])
    outcome, output = ask(lambda: wizard._use_local(settings, server), "")
    assert outcome is None
    assert "try: ollama pull" in output


async def test_wizard_parts_local_server_answers_once_it_was_chosen(ask: Ask, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    provider = Builder(settings, create_plugin_manager()).providers["ollama"]
    check = await check_key(httpx.MockTransport(lambda _: streamed(200, LISTED)), provider, None)
    outcome, _ = ask(lambda: wizard._use_local(settings, LocalServer(provider, check.models)), "")
    assert outcome == "ready"
    assert Builder(settings, create_plugin_manager()).usable_now() == ["ollama"]
    assert [model.id for model in load_lists(settings.home).by_provider["ollama"].models] == ["some-model"]


def test_clients_here_are_on_the_path_or_have_settings(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "codex").write_text("#!/bin/sh\n")
    (programs / "codex").chmod(0o755)
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text("{}")
    found = clients_here({"PATH": str(programs)}, tmp_path)
    assert [client.name for client in found] == ["claude-code", "codex"]


def test_has_openclaw_by_its_settings(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "OPENCLAW_STATE_DIR": str(tmp_path / "oc")}
    assert not has_openclaw(Settings(), environ)
    (tmp_path / "oc").mkdir()
    (tmp_path / "oc" / "openclaw.json").write_text("{}")
    assert has_openclaw(Settings(), environ)


def test_wizard_parts_what_is_missing_is_said_in_five_aligned_lines() -> None:
    lines = list(missing_lines())
    assert len(lines) == 5
    assert len({line.index("  openclaw") for line in lines} | {line.index(" openclaw") for line in lines}) <= 2


def test_credentials_that_cannot_be_used_are_told_with_the_reason(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings.home.mkdir()
    (settings.home / "credentials.json").write_text("{")
    (settings.home / "credentials.json").chmod(0o600)
    [line] = unusable_lines(Builder(settings, create_plugin_manager()).credentials, settings)
    assert "credentials.json" in line


def test_wizard_parts_every_beginning_of_a_key_is_told_apart_or_asked_for() -> None:
    for name, preset in presets().items():
        for start in preset.key_begins:
            assert name in issuers_of(f"{start}x"), start
