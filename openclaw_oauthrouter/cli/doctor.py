"""``doctor``: checks each step from the interpreter to the host, one line each, with what to do where one fails."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check everything a request passes through, without spending a token.

    Ends with 1 if something prevents requests from being answered.
    """
    from openclaw_oauthrouter.cli.checks.examination import CHECKS, examine, show

    results = list(examine(CHECKS, context.obj.get("config")))
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2))
    else:
        show(results)
    context.exit(1 if any(result.state == "failure" for result in results) else 0)
