"""``plugins``: who implements which hook."""

from __future__ import annotations

import json

import click


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def command(as_json: bool) -> None:
    """List the plugins and their hooks, in the order in which they are called.

    Plugins of others are found through the entry-point group "openclaw"; see docs/plugin-hooks.md.
    """
    from openclaw_oauthrouter.plugins import create_plugin_manager, describe

    rows = describe(create_plugin_manager())
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from openclaw_oauthrouter.cli.output import create_console, create_table

    table = create_table("plugin", "origin", "hooks", title="Plugins, in the order they are asked")
    for row in rows:
        hooks = row["hooks"]
        table.add_row(
            str(row["plugin"]),
            "built in" if row["builtin"] else "third party",
            "\n".join(hooks) if isinstance(hooks, list) else "",
        )
    create_console().print(table)
