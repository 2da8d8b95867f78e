"""A third party's distribution, really installed into a fresh environment, changes the answers of a running gateway."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import SAMPLE, environment_with

ASK = """
import asyncio, json, sys, httpx
from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.start import start_proxy

async def main():
    async with demo_upstream() as settings:
        async with await start_proxy(port=0, home=sys.argv[1], **settings) as handle:
            headers = {"authorization": f"Bearer {handle.auth_token}"}
            async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False) as client:
                answers = []
                for prompt in ("hi", "urgent: hi"):
                    body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
                    answer = await client.post("/v1/chat/completions", json=body)
                    answers.append({"tier": answer.headers["x-oauthrouter-tier"], **answer.json()})
    print(json.dumps(answers))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(SAMPLE, tmp_path_factory.mktemp("third-party"))


def run(python: Path, *arguments: str) -> str:
    done = subprocess.run([str(python), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(180)
def test_third_party_its_overrides_are_seen_in_answers(python: Path, tmp_path: Path) -> None:
    simple, urgent = json.loads(run(python, "-c", ASK, str(tmp_path)))
    assert (simple["tier"], simple["model"]) == ("SIMPLE", "anthropic/claude-haiku-5-5")
    assert (urgent["tier"], urgent["model"]) == (
        "REASONING",
        "openai-codex/gpt-6.2-sol",
    )  # a plan serves it; the other is a paid key
    assert simple["translated_by"] == urgent["translated_by"] == "sample-router"


@pytest.mark.timeout(180)
def test_third_party_it_is_listed_with_its_hooks_and_asked_first(python: Path) -> None:
    rows = json.loads(run(python, "-m", "openclaw_oauthrouter", "plugins", "--json"))
    assert rows[0]["plugin"] == "sample-router"
    assert rows[0]["hooks"] == ["oauthrouter_classify", "oauthrouter_register_dialects", "oauthrouter_register_tiers"]
    assert not rows[0]["builtin"]
