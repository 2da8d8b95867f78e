"""The command ``openclaw-oauthrouter``: loads only the subcommand that runs."""

from __future__ import annotations

import importlib
import logging
import os
import sys

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

COMMANDS = (
    "serve",
    "demo",
    "route",
    "tiers",
    "models",
    "auth",
    "client-keys",
    "status",
    "logs",
    "config",
    "plugins",
    "token",
    "dashboard",
    "trace",
    "top",
    "report",
    "replay",
    "tune",
    "spend",
    "prices",
    "doctor",
    "openclaw",
    "setup",
    "run",
    "migrate",
    "service",
    "completion",
)
"""Each is a module beside this one, with an attribute ``command``; in the order in which people need them."""


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


@click.group(cls=FolderGroup, context_settings={"help_option_names": ["-h", "--help"]}, params=common_options())
@click.version_option(__version__, prog_name="openclaw-oauthrouter")
@click.pass_context
def root(ctx: click.Context) -> None:
    """A local LLM gateway: one address, all of your own credentials, the cheapest capable model.

    \b
    openclaw-oauthrouter demo            see it work, without credentials
    openclaw-oauthrouter auth add openai add a credential
    openclaw-oauthrouter serve           run the gateway
    openclaw-oauthrouter doctor          find out what is wrong
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
