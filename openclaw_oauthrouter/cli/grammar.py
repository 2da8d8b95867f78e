"""The one grammar of all commands: the same options everywhere, one way of saying what is wrong and what to try."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any

import click

EXIT_FAILED = 1
EXIT_MISUSED = 2
JSON_HELP = "Print JSON, for scripts."


class UsageProblem(click.UsageError):
    """A word on the command line that means nothing; ends with 2.

    :ivar advice: what to try instead of the command's ``--help``
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class Failure(click.ClickException):
    """Something did not work, though the command was right; ends with 1.

    :ivar advice: what to try
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


def unknown(kind: str, word: str, known: Iterable[str], advice: str = "") -> UsageProblem:
    """A word that names nothing, with the name that was probably meant; the arguments are those of ``check_names``."""
    hint = nearest(word, known)
    return UsageProblem(f"there is no {kind} {word!r}{f'; {hint}' if hint else ''}", advice)


def check_names(kind: str, words: Iterable[str], known: Iterable[str], advice: str = "") -> None:
    """See that each word names something.

    :param kind: what they name: ``provider``, ``model``
    :param advice: what lists those there are
    :raises UsageProblem: with the nearest name
    """
    names = list(known)
    for word in words:
        if word not in names:
            raise unknown(kind, word, names, advice)


def common_options() -> list[click.Option]:
    """What every command takes, before its name or after it."""

    def keep(name: str, effect: Callable[[click.Context], None] | None = None) -> Callable[..., Any]:
        def store(context: click.Context, _: click.Parameter, value: Any) -> Any:
            kept = context.ensure_object(dict)
            if value:
                kept[name] = value
                if effect is not None:
                    effect(context)
            return value

        return store

    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            expose_value=False,
            callback=keep("config"),
            metavar="FILE",
            help="Configuration file (TOML or JSON).  [default: OAUTHROUTER_CONFIG, else config.toml in the state folder]",
        ),
        click.Option(
            ["--verbose"], is_flag=True, expose_value=False, callback=keep("verbose", _verbose), help="Log what the command does."
        ),
        click.Option(
            ["--no-color"], is_flag=True, expose_value=False, callback=keep("no_color", _colourless), help="No colours."
        ),
        click.Option(
            ["--no-input"], is_flag=True, expose_value=False, callback=keep("no_input"), help="Never ask; fail instead."
        ),
    ]


def complete(command: click.Command) -> click.Command:
    """Give a command, and those below it, the common options and the common words.

    An option of the command's own with the same name stays what it is.
    """
    if isinstance(command, click.Group):
        for child in command.commands.values():
            child.short_help = child.get_short_help_str(_WHOLE)  # which click would cut to a line in the list of commands
            complete(child)
    names = {name for parameter in command.params for name in parameter.opts}
    for option in common_options():
        if not names & set(option.opts):
            command.params.append(option)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name == "as_json":
            parameter.help = JSON_HELP
        if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType) and parameter.metavar is None:
            parameter.metavar = "N"  # and not INTEGER RANGE
    if not isinstance(command, click.Group) and "--json" not in names and command.name not in _WITHOUT_JSON:
        _speak_json(command)
    return command


_WHOLE = 1000
"""Longer than the first sentence of any command's help."""

_WITHOUT_JSON = frozenset({"run"})
"""What ``run`` prints is its client's."""


def _speak_json(command: click.Command) -> None:
    """Give a command that only says what it did ``--json``: an object with its lines. It asks nothing then."""
    act = command.callback
    if act is None:
        return

    def speak(*arguments: Any, as_json: bool, **options: Any) -> Any:
        if not as_json:
            return act(*arguments, **options)
        context = click.get_current_context()
        context.ensure_object(dict)["no_input"] = True
        said, code = StringIO(), 0
        try:
            with redirect_stdout(said):
                return act(*arguments, **options)
        except click.exceptions.Exit as leaving:
            code = leaving.exit_code
            raise
        finally:
            # What went wrong otherwise is told on standard error, like everything that goes wrong.
            if sys.exc_info()[0] in (None, click.exceptions.Exit):
                click.echo(json.dumps({"command": context.command_path, "ok": code == 0, "lines": said.getvalue().splitlines()}))

    command.callback = speak
    command.params.append(click.Option(["--json", "as_json"], is_flag=True, help=JSON_HELP))


def asks(obj: dict[str, Any]) -> bool:
    """Whether a command may ask the person before it something."""
    return not obj.get("no_input")


def may_ask() -> bool:
    """The same, for code that is called by the command that runs."""
    context = click.get_current_context(silent=True)
    return context is None or not isinstance(context.obj, dict) or asks(context.obj)


def confirm(question: str, *, default: bool = True, err: bool = False) -> bool:
    """Ask yes or no.

    :param err: on standard error, where standard output is for programs
    :raises UsageProblem: ``--no-input``
    """
    if not may_ask():
        raise UsageProblem(f"{question!r} cannot be asked with --no-input", "the same with --yes")
    try:
        return click.confirm(question, default=default, err=err)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=err)
        raise UsageProblem(f"{question!r} was not answered: standard input has ended", "the same with --yes") from None


def nearest(word: str, known: Iterable[str]) -> str:
    """``"did you mean 'serve'?"``, or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def has_colours(environ: Mapping[str, str]) -> bool:
    """Whether the environment lets commands use colours: no-color.org, and terminals that have none."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def explain_usage(error: click.UsageError) -> tuple[str, str]:
    """What is wrong with the words of a command, and what to try."""
    context = error.ctx
    path = context.command_path if context is not None else "openclaw-oauthrouter"
    advice = getattr(error, "advice", "") or f"{path} --help"
    message = _no_such_option(error) if isinstance(error, click.NoSuchOption) else _reworded(error.format_message().rstrip("."))
    if context is not None and isinstance(context.command, click.Group) and message.startswith("No such command "):
        word = message.partition("'")[2].partition("'")[0]
        close = get_close_matches(word, context.command.list_commands(context), n=1, cutoff=0.6)
        if close:
            advice = f"{path} {close[0]}"
        message = f"there is no command {word!r}"
    # Click begins with a capital; our own words may begin with a name.
    return message if isinstance(error, UsageProblem) else message[:1].lower() + message[1:], advice


_REWORDED = (
    (r"-?[\d.]+ is not in the range (\S+)<=x<=(\S+)", r"it must be between \1 and \2"),
    (r"-?[\d.]+ is not in the range x>=(\S+)", r"it must be \1 or more"),
    (r"-?[\d.]+ is not in the range x<=(\S+)", r"it must be \1 or less"),
    (r"-?[\d.]+ is not in the range x>(\S+)", r"it must be more than \1"),
    (r"is not a valid integer( range)?", "is not a whole number"),
    (r"is not a valid float( range)?", "is not a number"),
    (r"[Gg]ot unexpected extra argument \((.*)\)", r"unexpected argument '\1'"),
    (r"[Gg]ot unexpected extra arguments \((.*)\)", r"unexpected arguments '\1'"),
)
"""Click's words, and plainer ones."""


def _no_such_option(error: click.NoSuchOption) -> str:
    """Click suggests whatever shares a few letters; we what was probably meant."""
    command = error.ctx.command if error.ctx is not None else None
    known = [name for parameter in command.params for name in parameter.opts] if command is not None else []
    close = get_close_matches(error.option_name.lstrip("-"), [name.lstrip("-") for name in known], n=1, cutoff=0.6)
    hint = f"; did you mean '--{close[0]}'?" if close and len(close[0]) > 1 else ""
    return f"there is no option {error.option_name!r}{hint}"


def _reworded(message: str) -> str:
    for pattern, words in _REWORDED:
        message = re.sub(pattern, words, message)
    return _with_nearest(message)


def _with_nearest(message: str) -> str:
    """Click names the choices there are; say too which one was probably meant."""
    found = re.search(r"'([^']*)' is not one of (.*)$", message)
    if found is None:
        return message
    hint = nearest(found[1].lower(), re.findall(r"'([^']*)'", found[2]))
    return f"{message}; {hint}" if hint else message


def command_in(message: str) -> str:
    """The command that a message ends up recommending, in backticks; ``""`` when it recommends none."""
    found = re.findall(r"`(openclaw(?:-oauthrouter)? [^`]+)`", message)
    return found[-1] if found else ""


def show_problem(message: str, advice: str = "") -> None:
    """One style for all: ``error: …`` and, where there is some advice, ``try: …``."""
    # Also after a command has ended, when there is no context any more that knows of colours.
    click.secho(f"error: {message}", fg="red", err=True, color=None if has_colours(os.environ) else False)
    if advice:
        click.echo(f"try: {advice}", err=True)


def _verbose(_: click.Context) -> None:
    logging.getLogger().setLevel(logging.INFO)


def _colourless(context: click.Context) -> None:
    context.find_root().color = False
    context.color = False
    os.environ["NO_COLOR"] = "1"  # rich and the programs we start look there
