"""``route`` explains prompts, bodies and recorded requests, by the gateway that runs or, saying so, without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli.root import root, run
from openclaw_oauthrouter.cli.route import _question
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.proxy.local_client import ask_gateway
from tests.unit.cli.test_asking_the_gateway import answering

CHAT = {"model": "auto", "messages": [{"role": "user", "content": "Prove that sqrt(2) is irrational"}]}
MESSAGES = {**CHAT, "max_tokens": 900, "system": "Be brief."}
RESPONSES = {"input": "Prove that sqrt(2) is irrational"}
TOOL_RESULT = {
    "messages": [
        {"role": "user", "content": "Prove that sqrt(2) is irrational"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "ok"}]},
    ]
}
NOTHING: dict[str, Any] = {
    "prompt": None,
    "system": None,
    "max_output_tokens": 4096,
    "body": None,
    "headers": (),
    "conversation": None,
    "client": None,
    "model": None,
    "profile": None,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("OAUTHROUTER_CONFIG", "OAUTHROUTER_LISTEN_HOST", "OAUTHROUTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OAUTHROUTER_LOCAL_TOKEN", "the-token")
    monkeypatch.setenv("OAUTHROUTER_PORT", "1")
    return tmp_path


def route(*arguments: str, said: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(root, ["route", *arguments], input=said)


@pytest.mark.parametrize("body", [CHAT, MESSAGES, RESPONSES, TOOL_RESULT, {"path": "/v1/messages?beta=true", "body": MESSAGES}])
@pytest.mark.parametrize("way", ["file", "standard input"])
def test_route_reads_the_body_of_a_request(body: Any, way: str, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    answer = route("--body", str(file), "--json") if way == "file" else route("--body", "-", "--json", said=json.dumps(body))
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["tier"] == "REASONING"
    assert told["gateway"] is None
    assert told["conversation"]["known"] is False
    assert "no gateway answers at http://127.0.0.1:1" in answer.stderr


def test_route_model_of_the_body_can_be_replaced() -> None:
    body = json.dumps({**CHAT, "model": "anthropic/claude-haiku-4-5"})
    assert json.loads(route("--body", "-", "--json", said=body).stdout)["method"] == "explicit"
    assert json.loads(route("--body", "-", "--json", "--model", "auto", said=body).stdout)["tier"] == "REASONING"


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("x-claude-code-request-class: auxiliary", "side"),
        ("X-Claude-Code-Request-Class:compaction", "compaction"),
        ("a: b", "main"),
    ],
)
def test_route_headers_of_the_request_count(header: str, kind: str) -> None:
    assert json.loads(route("--body", "-", "--json", "-H", header, said=json.dumps(MESSAGES)).stdout)["kind"] == kind


def test_route_tells_tier_candidates_with_their_sums_and_skips() -> None:
    answer = route("--body", "-", said=json.dumps(MESSAGES))
    told = json.loads(route("--body", "-", "--json", said=json.dumps(MESSAGES)).stdout)
    assert answer.stdout.startswith("REASONING  anthropic/claude-opus-5-5")
    for heading in ("sum", "this call", "to come", "windows", "below tier", "order"):
        assert heading in answer.stdout
    for hop in told["hops"]:
        assert hop["model"] in answer.stdout
        assert not hop["cost"] or f"{hop['cost']['total']:,}" in answer.stdout
    assert "nothing is known of it" in answer.stdout
    assert "dimensions found nothing" in answer.stdout


def test_route_asks_the_gateway_that_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(route("hi", "--json").stdout)
    del told["gateway"]
    told["conversation"] = {
        "key": "0" * 24,
        "known": True,
        "model": "a/b",
        "tier": "COMPLEX",
        "turns": 3,
        "inputTokens": 9,
        "idleSeconds": 1.0,
        "cached": {"a/b": 5000},
    }
    told["skipped"] = [{"model": "c/d", "reason": "the 5h limit is used up"}]
    gateway = {"version": "1", "home": str(home / ".openclaw" / "oauthrouter"), "demo": False, "config": str(home / "its.toml")}
    with answering(200, json.dumps({**gateway, **told}).encode()) as port:
        monkeypatch.setenv("OAUTHROUTER_PORT", str(port))
        answer = route("hi")
        (home / "other.toml").write_text("")
        other = route("hi", "--config", str(home / "other.toml"))
        (home / "its.toml").write_text("")
        its = route("hi", "--config", str(home / "its.toml"))
    assert f"asked the gateway at http://127.0.0.1:{port}" in answer.stderr
    assert f"conversation {'0' * 24}: 3 answers so far, at a/b, a COMPLEX task" in answer.stdout
    assert "in the cache of a/b: 5,000 tokens" in answer.stdout
    assert "skipped: the 5h limit is used up" in answer.stdout
    assert "runs with another configuration" in other.stderr
    assert "answers so far" not in other.stdout
    assert "asked the gateway" in its.stderr


def test_asking_the_gateway_what_it_refuses_is_told_in_its_words() -> None:
    with answering(400, b'{"error": {"message": "tools[0] has no name"}}') as port:
        settings = load_settings(environ={"OAUTHROUTER_PORT": str(port), "OAUTHROUTER_LOCAL_TOKEN": "t"}).settings
        with pytest.raises(InvalidRequestError, match=r"tools\[0\] has no name"):
            ask_gateway(settings, "POST", "/v1/route/explain", {"prompt": "hi"})


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(401, b"{}", "refuses our local token"), (200, b"<html>", "is not a gateway"), (200, b"[]", "is not a gateway")],
)
def test_route_says_why_no_gateway_is_asked(status: int, body: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(status, body) as port:
        monkeypatch.setenv("OAUTHROUTER_PORT", str(port))
        answer = route("hi", "--json")
    assert said in answer.stderr
    assert "no conversation, plan window or prompt cache is known" in answer.stderr
    assert json.loads(answer.stdout)["gateway"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hi", "--body", "FILE"], "a prompt beside it"),
        (["--body", "FILE", "--system", "x"], "a prompt beside it"),
        (["--body", "BROKEN"], "is not valid JSON"),
        (["--body", "LIST"], "must be a JSON object"),
        (["--body", "EMPTY"], 'send {"prompt": "…"}'),
        (["--body", "nowhere.json"], "No such file"),
        (["hi", "-H", "nothing"], "is not a header"),
        (["hi", "-H", ": x"], "is not a header"),
        (["hi", "--conversation", "mine"], "a conversation's key"),
        (["hi", "--model", "nobody/nothing"], "nobody/nothing"),
    ],
)
def test_route_misuse_is_2_and_says_what_is_wrong(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"FILE": json.dumps(CHAT), "BROKEN": "{", "LIST": "[]", "EMPTY": "{}"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert run(["route", *(str(tmp_path / one) if one in files else one for one in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_route_prompt_that_looks_like_a_body_is_pointed_out() -> None:
    answer = route("--json", said=json.dumps(CHAT))
    assert "`--body -` reads a request's body" in answer.stderr
    assert answer.exit_code == 0


def test_route_question_is_a_recorded_request_whatever_it_came_as() -> None:
    asked = _question(
        **{**NOTHING, "prompt": "hi", "headers": ("A: b",), "profile": "economy", "conversation": "0" * 24, "client": "me"}
    )
    assert asked == {
        "path": None,
        "headers": {"a": "b", "x-oauthrouter-profile": "economy"},
        "body": {"prompt": "hi", "max_tokens": 4096},
        "conversation": "0" * 24,
        "client": "me",
    }
