"""The command ``openclaw-oauthrouter``: loads only the subcommand that runs."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from openclaw_oauthrouter import __version__, cli
from openclaw_oauthrouter.cli.grammar import (
    EXIT_FAILED,
    EXIT_MISUSED,
    command_in,
    common_options,
    complete,
    explain_usage,
    has_colours,
    show_problem,
)
from openclaw_oauthrouter.errors import (
    ConfigurationError,
    ConflictError,
    GatewayUnavailableError,
    OAuthRouterError,
    RequestError,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Mapping[str, str] = {
    "serve": "Run the gateway until Ctrl-C or SIGTERM.",
    "demo": "Start a gateway with built-in answers, send one prompt per tier, print the results, and keep serving.",
    "route": "Show which tier PROMPT gets and why, and which models would be tried.",
    "tiers": "Show the models of each tier in the order in which they are tried.",
    "models": "Show the models of PROVIDERS, or of every provider that can be used.",
    "auth": "Show, add, test and remove credentials.",
    "client-keys": "Give clients their own tokens, with their own limits.",
    "status": "Show whether a gateway is running, which one, and whether it can answer.",
    "logs": "Show the gateway's log; `trace` shows its requests.",
    "config": "Show and change the configuration.",
    "plugins": "List the plugins and their hooks, in the order in which they are called.",
    "token": "Print the local token, for $(openclaw-oauthrouter token).",
    "dashboard": "Print a link that signs one browser in to the dashboard.",
    "trace": "Show recorded requests, oldest first.",
    "top": "Watch the gateway live: rate, tiers, models, cost, and the latest requests.",
    "report": "Summarise recent requests: tiers, models, cost, savings, failures, and the slowest ones.",
    "replay": "Route the recorded requests again with today's settings, and show what would change and what it would cost.",
    "tune": "Fit the borders between the tiers to your own agents' tasks, and show the share of each tier before and after.",
    "spend": "Show what was spent today, this week and this month, by model, provider and client key.",
    "prices": "Show what models cost, or install newer prices from a file.",
    "doctor": "Check everything a request passes through, without spending a token.",
    "openclaw": "Connect OpenClaw to this gateway.",
    "setup": "Point other programs at this gateway.",
    "run": "Start a client that uses this gateway, for this one run.",
    "migrate": "Copy the settings in FILE from LiteLLM, claude-code-router or the original OAuthRouter into our configuration.",
    "service": "Run the gateway as a service of your user account.",
    "completion": "Complete commands and options with the Tab key, in bash, zsh and fish.",
}
"""Each is a module beside this one, with an attribute ``command``; in the order in which people need them. What each does is said here
in the words of its own help, so that help and the Tab key need not load all of them."""


class FolderGroup(click.Group):
    """A group that imports a command's module only when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{cli.__name__}.{cmd_name.replace('-', '_')}").command
        return complete(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, their sentences whole: click would cut them to a line each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands that begin so, or else options."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=words) for name, words in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(cls=FolderGroup, context_settings={"help_option_names": ["-h", "--help"]}, params=common_options())
@click.version_option(__version__, prog_name="openclaw-oauthrouter")
@click.pass_context
def root(ctx: click.Context) -> None:
    """A local LLM gateway: one address, all of your own credentials, the cheapest capable model.

    \b
    openclaw-oauthrouter demo              see it work, without credentials
    openclaw-oauthrouter auth add openai   add a credential
    openclaw-oauthrouter serve             run the gateway
    openclaw-oauthrouter doctor            find out what is wrong
    """


def run(arguments: list[str] | None = None) -> int:
    """Run the command line.

    :return: exit code: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        colour = None if has_colours(os.environ) else False
        result = root.main(args=arguments, prog_name="openclaw-oauthrouter", standalone_mode=False, obj={}, color=colour)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except _NO_ARGUMENTS as error:
        click.echo(error.ctx.get_help() if error.ctx is not None else error.format_message(), err=True)
        return EXIT_MISUSED
    except click.UsageError as error:
        show_problem(*explain_usage(error))
        return EXIT_MISUSED
    except click.ClickException as error:
        show_problem(error.format_message(), getattr(error, "advice", "") or command_in(error.format_message()))
        return error.exit_code
    except OAuthRouterError as error:
        show_problem(error.message, getattr(error, "advice", "") or command_in(error.message))
        return EXIT_MISUSED if _is_misuse(error) else EXIT_FAILED
    except OSError as error:
        show_problem(_words(error), "see that the folder exists, and that you may read and write there" if error.filename else "")
        return EXIT_FAILED
    return result if isinstance(result, int) else 0


def _is_misuse(error: OAuthRouterError) -> bool:
    """Whether the command line or the configuration is at fault, and not what a command met on its way."""
    if isinstance(error, GatewayUnavailableError | ConflictError):
        return False
    return isinstance(error, ConfigurationError | RequestError)


_NO_ARGUMENTS: tuple[type[click.UsageError], ...] = tuple(filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)]))
"""A group without a command; older versions of click print its help themselves."""


def _words(error: OSError) -> str:
    if error.filename is None:
        return error.strerror or str(error)
    return f"{str(error.filename)!r}: {error.strerror}"
