"""docs/http-api.md: every curl line is run against a gateway and answers what the page shows; no path, header or error is missing."""

from __future__ import annotations

import asyncio
import json
import os
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter import errors
from openclaw_oauthrouter.proxy import answer_headers
from openclaw_oauthrouter.proxy.app import create_quart_app
from openclaw_oauthrouter.proxy.start import start_proxy
from openclaw_oauthrouter.routing import hints
from tests.docs.conftest import TOKEN, Open
from tests.docs.pages import DOCS
from tests.support.tools import tool
from tests.support.upstream import Play, ScriptedUpstream

PAGE = (DOCS / "http-api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```bash\n(curl .*?)```\n+```(json|text)\n(.*?)```", PAGE, re.DOTALL)
ANY = "…"
TURNED_AWAY = ("503", "server_error", "too_many_connections")
"""Said before there is a request, so not by an error class."""

EMBEDDING = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}


def assert_shown(shown: Any, real: Any, where: str = "answer") -> None:
    """What the page shows is in the real answer."""
    if shown == ANY:
        return
    if isinstance(shown, dict):
        assert isinstance(real, dict), where
        for key, value in shown.items():
            assert key in real, f"{where}.{key}"
            assert_shown(value, real[key], f"{where}.{key}")
    elif isinstance(shown, list) and shown[-1:] == [ANY]:
        for item in shown[:-1]:
            assert any(fits(item, candidate) for candidate in real), f"{where} lacks {item}"
    elif isinstance(shown, list):
        assert len(shown) == len(real), where
        for number, (item, candidate) in enumerate(zip(shown, real, strict=True)):
            assert_shown(item, candidate, f"{where}[{number}]")
    else:
        assert shown == real, where


def fits(shown: Any, real: Any) -> bool:
    try:
        assert_shown(shown, real)
    except AssertionError:
        return False
    return True


async def run(command: str, url: str, lines: int | None) -> str:
    """The output of a command of the page: all of it, or its first lines."""
    environ = {"PATH": os.environ["PATH"], "TOKEN": TOKEN}
    command = "exec " + command.replace("http://127.0.0.1:8402", url)
    process = await asyncio.create_subprocess_exec("sh", "-c", command, stdout=asyncio.subprocess.PIPE, env=environ)
    assert process.stdout
    try:
        async with asyncio.timeout(20):
            if lines is None:
                return (await process.stdout.read()).decode()
            return b"".join([await process.stdout.readline() for _ in range(lines)]).decode()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def test_http_api_every_example_answers_what_the_page_shows(gateway: Open, stack: AsyncExitStack) -> None:
    tool("curl")
    endpoint = await stack.enter_async_context(ScriptedUpstream(Play.json(EMBEDDING)))
    client = await gateway(providers={"my-endpoint": {"api_base": endpoint.url}})
    url = str(client.base_url).rstrip("/")
    await client.post("/v1/chat/completions", json={"model": "auto", "messages": [{"role": "user", "content": "hi"}]})
    assert len(EXAMPLES) == PAGE.count("```bash\ncurl ")
    for command, kind, shown in EXAMPLES:
        if kind == "json":
            assert_shown(json.loads(shown), json.loads(await run(command, url, None)), command)
        else:
            pattern = re.escape(shown.strip()).replace(ANY, ".*?")
            output = await run(command, url, len(shown.splitlines()))
            assert re.match(pattern, output, re.DOTALL), (command, output)


async def test_http_api_every_path_is_on_the_page(gateway: Open, tmp_path: Path) -> None:
    async with await start_proxy(port=0, home=tmp_path, auth_token=TOKEN, credentials={"order": ["config"]}) as handle:
        rules = [rule.rule for rule in create_quart_app(handle.live).url_map.iter_rules()]
    paths = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path) for path in (*rules, *handle.live.paths.by_pattern)}
    assert len(paths) > 15
    assert {path for path in paths if not re.search(rf"{re.escape(path)}[`\s]", PAGE)} == set()


def test_http_api_every_header_of_ours_is_on_the_page() -> None:
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (answer_headers, hints)]
    ours = {name for source in sources for name in re.findall(r'"(x-[a-z-]*[a-z])"', source)} - {"x-request-id"}
    assert len(ours) >= 9
    assert {name for name in ours if f"`{name}`" not in PAGE} == set()


async def test_answers_carry_the_headers_the_page_names(gateway: Open) -> None:
    client = await gateway()
    answer = await client.post("/v1/chat/completions", json={"model": "auto", "messages": [{"role": "user", "content": "hi"}]})
    for name in ("model", "tier", "confidence", "reason", "cost"):
        assert answer.headers[f"x-oauthrouter-{name}"]
    wrong = await client.post("/v1/chat/completions", json={"model": "auto"}, headers={"x-oauthrouter-tier": "HUGE"})
    assert wrong.status_code == 400


def own_errors() -> set[tuple[str, str, str]]:
    """Status, type and code of every error that is not a provider's doing."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OAuthRouterError)]
    ours = [kind for kind in kinds if not issubclass(kind, errors.UpstreamError) and kind.default_code]
    return {(str(kind.status_code), kind.error_type, str(kind.default_code)) for kind in ours}


def test_http_api_every_error_of_ours_is_on_the_page_as_it_is() -> None:
    rows = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE))
    assert rows == own_errors() | {TURNED_AWAY}


async def test_http_api_dashboard_signs_in_by_code_and_by_token(gateway: Open) -> None:
    client = await gateway()
    path = (await client.post("/debug/dashboard/code")).json()["path"]
    stranger = httpx.AsyncClient(base_url=client.base_url, trust_env=False)
    async with stranger:
        assert (await stranger.get("/debug/dashboard")).status_code == 401
        for way in (path, f"/debug/dashboard?token={TOKEN}"):
            assert (await stranger.get(way)).status_code == 303
        assert (await stranger.get("/debug/dashboard")).status_code == 200
        stranger.cookies.clear()
        assert (await stranger.get(path)).status_code == 401, "a code works once"
