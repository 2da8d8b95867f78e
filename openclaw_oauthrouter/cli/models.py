"""``models``: which models can be asked for, with windows and prices; fetches the providers' lists on demand."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import click
import orjson

from openclaw_oauthrouter.cli.grammar import Failure, check_names
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.cli.settings import command_settings

if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.routing import ModelInfo
    from openclaw_oauthrouter.config import Settings
    from openclaw_oauthrouter.routing.router import Router

_COLUMNS = ("Model", "$ in / out", "Window", "Output", "Images", "Tools", "Ability", "Retires")


@click.command("models")
@click.argument("providers", nargs=-1)
@click.option("--refresh", is_flag=True, help="Ask the providers for their current lists.")
@click.option("--all", "everything", is_flag=True, help="Include retired models, and providers without a credential.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(context: click.Context, providers: tuple[str, ...], refresh: bool, everything: bool, as_json: bool) -> None:
    """Show the models of PROVIDERS, or of every provider that can be used.

    A running gateway uses the lists that --refresh fetches.
    """
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    settings = command_settings(context.obj).settings
    builder = Builder(settings, create_plugin_manager())
    check_names("provider", providers, builder.providers, "openclaw-oauthrouter models --all")
    if refresh:
        for problem in asyncio.run(_refresh(settings, providers)):
            click.secho(problem, fg="yellow", err=True)
        builder = Builder(settings, create_plugin_manager())  # with what has been fetched
    router = builder.router_alone()
    rows = [_row(router, info) for info in _wanted(router, providers, everything=everything)]
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    elif rows:
        _print(rows)
    else:
        raise Failure("no provider that can be used lists a model", "openclaw-oauthrouter models --all")
    context.exit(0 if rows else 1)


async def _refresh(settings: Settings, names: tuple[str, ...]) -> list[str]:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager
    from openclaw_oauthrouter.upstream.discovery import Discovery, Upstreams
    from openclaw_oauthrouter.upstream.transport import create_transport

    plugins = create_plugin_manager()
    providers, credentials = Builder(settings, plugins).providers, Builder(settings, plugins).credentials
    transport = create_transport(settings.upstream)

    def usable(name: str) -> bool:
        return not providers[name].needs_credential or credentials.available(name)

    discovery = Discovery(
        settings.home, settings.upstream.model_lists, time.time, lambda: Upstreams(providers, credentials, transport, usable)
    )
    try:
        await discovery.refresh(names=names)
    finally:
        await transport.aclose()
    kept = discovery.lists.by_provider
    return [
        f"{name}: {kept[name].problem}"
        for name in providers
        if usable(name) and (not names or name in names) and name in kept and kept[name].problem
    ]


def _wanted(router: Router, names: tuple[str, ...], *, everything: bool) -> list[ModelInfo]:
    today = router.eligibility.day()
    return [
        info
        for name, provider in router.choosing.providers.items()
        if (name in names if names else everything or router.eligibility.usable(name))
        for info in provider.models()
        if everything or today is None or info.retires is None or info.retires > today
    ]


def _row(router: Router, info: ModelInfo) -> dict[str, Any]:
    price = router.prices.price(info)
    return {
        "model": info.name,
        "price": {"input": price.input, "output": price.output} if price else None,
        "contextWindow": info.max_input_tokens or info.context_window,
        "maxOutputTokens": info.max_output_tokens,
        "images": info.images,
        "documents": info.documents,
        "tools": info.tools,
        "ability": info.ability,
        "family": info.family,
        "released": info.released.isoformat() if info.released else None,
        "retires": info.retires.isoformat() if info.retires else None,
        "successor": info.successor,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    table = create_table(*_COLUMNS)
    for row in rows:
        price = row["price"]
        table.add_row(
            row["model"],
            f"{price['input']:g} / {price['output']:g}" if price else "not known",
            f"{row['contextWindow']:,}" if row["contextWindow"] else "",
            f"{row['maxOutputTokens']:,}" if row["maxOutputTokens"] else "",
            {True: "yes", False: "no", None: "unsure"}[row["images"]],
            "yes" if row["tools"] else "no",
            f"{row['ability']:g}" if row["ability"] is not None else "",
            row["retires"] or "",
        )
    create_console().print(table)
