"""``demo``: the whole pipeline at work, without credentials."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.serve import run, told_to_stop, until_stopped
from openclaw_oauthrouter.errors import ConfigurationError

if TYPE_CHECKING:
    from openclaw_oauthrouter.proxy.start import ProxyHandle

PROMPTS = (
    "hi",
    "Write a Python function that reverses a string.",
    "Design a multi-tenant event pipeline with exactly-once delivery; compare two storage layouts and their failure modes.",
    "Prove that sqrt(2) is irrational",
)
"""One for each tier."""

WIDTHS = {"prompt": 12, "tier": 9, "sure": 4, "model": 18, "latency": 7, "cost": 8, "saved": 5}
"""Columns of the table; they fit 80 characters."""


@click.command("demo")
@click.option("--once", is_flag=True, help="Stop after the table.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port; 0 means any free one.  [default: 8402]")
@click.option("--json", "as_json", is_flag=True, help="For scripts; implies --once.")
@click.pass_obj
def command(obj: dict[str, Any], once: bool, port: int | None, as_json: bool) -> None:
    """Start a gateway with built-in answers, send one prompt per tier, print the results, and keep serving.

    Your own budgets, providers and records are not touched.
    """
    run(_demo(obj, once or as_json, port, as_json))


async def _demo(obj: dict[str, Any], once: bool, port: int | None, as_json: bool) -> None:
    from openclaw_oauthrouter.cli.demo_settings import demo_world
    from openclaw_oauthrouter.config.loading import load_settings
    from openclaw_oauthrouter.proxy.start import start

    own = load_settings(obj.get("config"), overrides={} if port is None else {"server": {"port": port}})
    async with demo_world() as into_demo:
        loaded = into_demo(own)
        async with await start(loaded.settings) as handle:
            rows = [await _ask(handle, prompt) for prompt in PROMPTS]
            _print(rows, as_json)
            if not once:
                told = told_to_stop()
                code = handle.live.observers.logins.issue()
                click.echo(f"serving on {handle.base_url}; dashboard: {handle.base_url}/debug/dashboard?code={code}; Ctrl-C ends")
                await until_stopped(handle, told)


async def _ask(handle: ProxyHandle, prompt: str) -> dict[str, object]:
    import httpx

    body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
    headers = {"authorization": f"Bearer {handle.auth_token}"}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False, timeout=30) as client:
        started = time.perf_counter()
        answer = await client.post("/v1/chat/completions", json=body)
        seconds = time.perf_counter() - started
        if answer.is_error:
            raise ConfigurationError(f"the demo's own request was refused, so look at the configuration: {answer.text}")
        trace = await client.get("/debug/routing-trace", params={"n": 1})
    event = trace.json()["events"][-1]
    return {
        "prompt": prompt,
        "tier": event["routingTier"],
        "confidence": event["routingConfidence"],
        "model": answer.json()["model"],
        "latencyMs": round(seconds * 1000, 1),
        "cost": (event.get("cost") or {}).get("actual"),
        "saved": event.get("savings"),
        "answer": answer.json()["choices"][0]["message"]["content"],
    }


def _print(rows: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(rows, indent=2))
        return
    from rich.box import SIMPLE
    from rich.table import Table

    from openclaw_oauthrouter.cli.output import create_console

    table = Table(title="One prompt per tier", box=SIMPLE, padding=(0, 1, 0, 0))
    for name, width in WIDTHS.items():
        table.add_column(name, no_wrap=True, min_width=width, max_width=None if name == "model" else width)
    for row in rows:
        cost, saved = row["cost"], row["saved"]
        table.add_row(
            str(row["prompt"]),
            str(row["tier"]),
            f"{row['confidence']:.2f}",
            str(row["model"]).rpartition("/")[2],
            f"{row['latencyMs']:.0f} ms",
            f"${cost:.5f}" if isinstance(cost, float) else "?",
            f"{saved:.0%}" if isinstance(saved, float) else "?",
        )
    create_console().print(table)
