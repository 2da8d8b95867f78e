"""``route``: explain where a prompt would go, without starting or sending anything."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.grammar import UsageProblem, may_ask

if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.routing import RoutingDecision


@click.command("route")
@click.argument("prompt", required=False)
@click.option("--system", help="System prompt.")
@click.option(
    "--max-output-tokens", type=click.IntRange(1), default=4096, show_default=True, help="Length limit of the answer, in tokens."
)
@click.option(
    "--profile", type=click.Choice(["economy", "balanced", "quality"]), help="Use this profile instead of the configured one."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def command(
    obj: dict[str, Any], prompt: str | None, system: str | None, max_output_tokens: int, profile: str | None, as_json: bool
) -> None:
    """Show which tier PROMPT gets and why, and which models would be tried. Nothing is sent.

    Without PROMPT, it reads standard input.
    """
    text = _sendable(_read_prompt() if prompt is None else prompt)
    decision = _decide(obj, text, _sendable(system or ""), max_output_tokens, profile)
    if as_json:
        from openclaw_oauthrouter.proxy.explain import decision_as_json

        click.echo(json.dumps(decision_as_json(decision), indent=2))
        return
    _show(decision)


def _sendable(text: str) -> str:
    """Without the halves of letters that a shell's other encoding leaves."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_prompt() -> str:
    if sys.stdin.isatty():
        if not may_ask():
            raise UsageProblem("the prompt is missing, and cannot be asked for with --no-input")
        click.echo("Type the prompt, then Ctrl-D:", err=True)
    return sys.stdin.read()


def _decide(obj: dict[str, Any], text: str, system: str, max_output_tokens: int, profile: str | None) -> RoutingDecision:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.canonical.content import TextPart
    from openclaw_oauthrouter.canonical.request import ChatRequest, Message
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.plugins import create_plugin_manager
    from openclaw_oauthrouter.routing.hints import hints_of

    messages = [Message("user", (TextPart(text),))]
    if system:
        messages.insert(0, Message("system", (TextPart(system),)))
    request = ChatRequest("openai_chat_completions", "auto", tuple(messages), max_output_tokens=max_output_tokens)
    settings, plugins = command_settings(obj, announce=False).settings, create_plugin_manager()
    no_credentials = not Builder(settings, plugins).usable_now()
    if no_credentials:
        click.echo("no provider has a credential yet; this is what would happen if all had one", err=True)
    router = Builder(settings, plugins).router_alone(assume_credentials=no_credentials)
    return router.route(request, hints_of({"x-oauthrouter-profile": profile} if profile else {}), None).decision


def _show(decision: RoutingDecision) -> None:
    from rich.text import Text

    from openclaw_oauthrouter.cli.output import create_console, create_table

    console = create_console()
    headline = f"  {decision.model}   confidence {decision.confidence:.2f}   {decision.method}"
    console.print(Text.assemble((str(decision.tier), "bold"), headline))
    console.print(decision.reasoning)
    classified = decision.classification
    table = create_table("dimension", "score", "weight", "share", "found")
    for one in classified.dimensions if classified else ():
        table.add_row(one.name, f"{one.score:+.2f}", f"{one.weight:.3f}", f"{one.score * one.weight:+.3f}", one.signal or "")
    console.print(table)
    for minimum in classified.minimum_tiers if classified else ():
        console.print(f"minimum tier: {minimum}")
    chain = create_table("model", "why", title="Tried in this order")
    for candidate in decision.candidates:
        chain.add_row(candidate.info.name, candidate.reason)
    for skipped in decision.skipped:
        chain.add_row(skipped.model, f"skipped: {skipped.reason}", style="dim")
    console.print(chain)
    against = f"{decision.baseline_model}: {_dollars(decision.baseline_cost)}"
    less = f", {decision.savings:.0%} less" if decision.savings is not None else ""
    console.print(f"expected cost {_dollars(decision.cost_estimate)}; {against}{less}")


def _dollars(amount: float | None) -> str:
    return "unknown" if amount is None else f"${amount:.4f}"
