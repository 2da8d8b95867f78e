"""What the README says runs, and what it names exists."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.config.loading import ENVIRONMENT, load_settings
from openclaw_oauthrouter.config.routing import default_tiers
from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.start import start_proxy
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")


def command_lines() -> Iterator[list[str]]:
    """Every command line of the bash blocks, without its comment."""
    for block in blocks(PAGE, "bash"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


async def run(code: str) -> dict[str, object]:
    """Run a block that may await at its top level, as ``python -m asyncio`` would."""
    names: dict[str, object] = {}
    compiled = compile(code, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await eval(compiled, names)
    else:
        await asyncio.to_thread(exec, compiled, names)
    return names


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OAUTHROUTER_CONFIG", raising=False)
    monkeypatch.setenv("OAUTHROUTER_HOME", str(tmp_path / "state"))


async def test_readme_openai_client_gets_its_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = [block for block in blocks(PAGE, "python") if "from openai import" in block]
    [(variable, address)] = re.findall(r"(OPENAI_BASE_URL)=(\S+)", code)
    [(key, words)] = re.findall(r"(OPENAI_API_KEY)=\$\(openclaw-oauthrouter (.*?)\)", code)
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(demo_upstream())
        handle = await stack.enter_async_context(await start_proxy(port=0, **settings))
        monkeypatch.setenv(variable, address.replace("http://127.0.0.1:8402", handle.base_url))
        monkeypatch.setenv(key, CliRunner().invoke(root, shlex.split(words)).stdout.strip())
        await run(code + "\nclient.close()\n")
    assert "This is the demo speaking" in capsys.readouterr().out


async def test_readme_python_interface(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = [block for block in blocks(PAGE, "python") if "start_proxy" in block]
    assert "port=8402" in code
    await run(code.replace("port=8402", "port=0"))
    said = capsys.readouterr().out
    assert "http://127.0.0.1:" in said
    assert "REASONING anthropic/claude-opus-5-5" in said


def test_readme_configuration_is_valid(tmp_path: Path) -> None:
    [text] = blocks(PAGE, "toml")
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    settings = load_settings(file, environ={}).settings
    assert settings.providers["my-endpoint"].models[0].id == "llama-4"
    assert settings.rate_limit_fallback.enabled
    assert settings.routing.tiers["SIMPLE"].primary == "my-endpoint/llama-4"


@pytest.mark.parametrize("words", list(command_lines()), ids=" ".join)
def test_readme_command_exists(words: list[str]) -> None:
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    elif words[0] == "openclaw-oauthrouter":
        command: click.Command = root
        context = click.Context(root)
        for word in words[1:]:
            if not isinstance(command, click.Group):
                break
            found = command.get_command(context, word)
            assert found is not None, f"{word!r} is no command of {command.name}"
            command = found
    else:
        assert words[0] in ("pip", "ssh", "docker", "curl")


def test_readme_variables_exist() -> None:
    named = set(re.findall(r"`(OAUTHROUTER_\w+)`", README))
    assert named
    assert named <= {*ENVIRONMENT, "OAUTHROUTER_CONFIG"}


def test_readme_tiers_are_the_default_ones() -> None:
    rows = dict(re.findall(r"^\| (SIMPLE|MEDIUM|COMPLEX|REASONING) \| `([^`]+)`", README, re.MULTILINE))
    assert rows == {name: tier.primary for name, tier in default_tiers().items()}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)", README))))
def test_readme_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
