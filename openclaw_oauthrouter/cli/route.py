"""``route``: explain where a prompt or a request would go, without sending anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.grammar import UsageProblem, may_ask

if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.json import JsonObject
    from openclaw_oauthrouter.cli.running import Subject


@click.command("route")
@click.argument("prompt", required=False)
@click.option("--system", help="System prompt.")
@click.option(
    "--max-output-tokens", type=click.IntRange(1), default=4096, show_default=True, help="Length limit of the answer, in tokens."
)
@click.option(
    "--body",
    type=click.File("rb"),
    metavar="FILE",
    help="Explain a request instead: a file with its body (Chat Completions, Messages or Responses), or with its path, headers and body. "
    "- is standard input.",
)
@click.option(
    "--header",
    "-H",
    "headers",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="A header of the request, such as 'x-claude-code-request-class: auxiliary'. Repeatable.",
)
@click.option("--conversation", metavar="KEY", help="Its next turn is what is explained. The trace tells the key.")
@click.option("--client", metavar="NAME", help="Explain it as this client's: with its conversations, limits and models.")
@click.option("--model", help="Ask for this model, whatever the body says, such as auto.")
@click.option(
    "--profile", type=click.Choice(["economy", "balanced", "quality"]), help="Use this profile instead of the configured one."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def command(obj: dict[str, Any], /, as_json: bool, **asked: Any) -> None:
    """Show which tier PROMPT gets and why, and which models would be tried. Nothing is sent.

    Without PROMPT and --body, it reads the prompt from standard input.

    A gateway that runs is asked, because it knows conversations, plan windows and prompt caches.
    """
    from openclaw_oauthrouter.cli.explained import show

    question = _question(**asked)
    answer = _answer(obj, question)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    show(answer)


def _question(
    prompt: str | None,
    system: str | None,
    max_output_tokens: int,
    body: Any,
    headers: tuple[str, ...],
    conversation: str | None,
    client: str | None,
    model: str | None,
    profile: str | None,
) -> JsonObject:
    """What the gateway is asked: a recorded request."""
    from openclaw_oauthrouter.proxy.asked import recorded_form

    if body is None:
        text = _sendable(_read_prompt() if prompt is None else prompt)
        told: JsonObject = {"prompt": text, "max_tokens": max_output_tokens}
        if system:
            told["system"] = _sendable(system)
    else:
        if prompt is not None or system is not None:
            raise UsageProblem("--body holds the whole request; a prompt beside it would be another one")
        told = _read_body(body)
    question = recorded_form(told)
    question["headers"] = {**question["headers"], **dict(map(_header, headers))}
    if profile:
        question["headers"]["x-oauthrouter-profile"] = profile
    if model:
        question["body"] = {**question["body"], "model": model}
    if conversation:
        question["conversation"] = conversation
    if client:
        question["client"] = client
    return question


def _sendable(text: str) -> str:
    """Without the halves of letters that a shell's other encoding leaves."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_prompt() -> str:
    if sys.stdin.isatty():
        if not may_ask():
            raise UsageProblem("the prompt is missing, and cannot be asked for with --no-input")
        click.echo("Type the prompt, then Ctrl-D:", err=True)
    text = sys.stdin.read()
    if text.lstrip().startswith("{") and any(f'"{name}"' in text for name in ("messages", "input")):
        click.secho("(taken for a prompt; `--body -` reads a request's body)", dim=True, err=True)
    return text


def _read_body(file: Any) -> JsonObject:
    from openclaw_oauthrouter.errors import InvalidRequestError
    from openclaw_oauthrouter.parsing.body import parse_body

    content = file.read()
    try:
        return parse_body(content)
    except InvalidRequestError as error:
        raise UsageProblem(f"{getattr(file, 'name', '-')!r}: {error.message}", "a file with the JSON of one request") from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageProblem(f"{text!r} is not a header", "--header 'x-session-id: 1'")
    return name.strip().lower(), value.strip()


def _answer(obj: dict[str, Any], question: JsonObject) -> JsonObject:
    """The running gateway's, or what the configuration alone makes of it; standard error says which."""
    from openclaw_oauthrouter.cli.running import subject_of
    from openclaw_oauthrouter.config.server import local_address

    subject = subject_of(obj, announce=False)
    server = subject.settings.server
    address = local_address(server.listen_host, server.port)
    named = obj.get("config")
    if subject.running and named is not None and not _is_same(subject, named):
        _note(f"the gateway at {address} runs with another configuration; this is what {named} alone would do")
    elif subject.running:
        from openclaw_oauthrouter.proxy.local_client import ask_gateway

        answer = ask_gateway(subject.settings, "POST", "/v1/route/explain", question)
        _note(
            f"asked the {'demo ' if subject.demo else ''}gateway at {address}: its conversations, plan windows and caches count"
        )
        return {**answer, "gateway": address}
    else:
        _note(f"{subject.problem}; so no conversation, plan window or prompt cache is known, but prices and tiers are")
    return {**_alone(subject, question), "gateway": None}


def _is_same(subject: Subject, named: Path) -> bool:
    return subject.config is not None and Path(subject.config).resolve() == named.resolve()


def _alone(subject: Subject, question: JsonObject) -> JsonObject:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager
    from openclaw_oauthrouter.proxy.explain import explain_alone

    builder = Builder(subject.settings, create_plugin_manager())
    no_credentials = not builder.usable_now()
    if no_credentials:
        click.echo("no provider has a credential yet; this is what would happen if all had one", err=True)
    return explain_alone(builder.dialects, builder.router_alone(assume_credentials=no_credentials), question)


def _note(words: str) -> None:
    click.secho(f"({words})", dim=True, err=True)
