"""Keeps the generated parts of docs/providers.md and docs/commands.md: ``python -m tests.docs.generated_pages --write``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from inspect import cleandoc

import click

from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.cli.grammar import common_options
from openclaw_oauthrouter.cli.root import root
from tests.docs.pages import DOCS

BEGIN, END = "<!-- generated: begin -->\n", "<!-- generated: end -->\n"


def providers() -> str:
    """A row for each provider known by name."""
    rows = [f"| `{row.name}` | {row.title} | {_added(row)} | {_key(row)} |" for row in presets().values()]
    head = "| name | what it is | added by | environment variable, or where keys are made |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(rows) + "\n"


def _added(row: Preset) -> str:
    if row.name == "openai-chatgpt":
        return "`auth login openai`"
    if row.name == "openai-codex":
        return "`openclaw models auth login`, or `credentials.codex_cli`"
    return f"`auth add {row.name}`" + (" and `api_base`" if row.api_base is None else "")


def _key(row: Preset) -> str:
    if row.local:
        return f"none; expected at `{row.api_base}`"
    said = ", ".join(f"`{name}`" for name in row.variables)
    return "; ".join(part for part in (said, f"[keys]({row.keys})" if row.keys else "") if part) or "a sign-in"


def commands() -> str:
    """A section for each command: what it does, how it is called, its own options."""
    return "\n".join(_command(path, command) for path, command in every_command(root, ()) if path)


def every_command(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands with their words, in the order of ``--help``."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from every_command(child, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> str:
    help_text = re.sub(r"\n?\x08\n(.*?)(?=\n\n|\Z)", _as_code, cleandoc(command.help or ""), flags=re.DOTALL)
    paragraphs = [_plain(part) if not part.startswith("```") else part for part in re.split(r"\n\n+", help_text.strip())]
    lines = [f"{'##' if len(path) == 1 else '###'} {' '.join(path)}", "", "\n\n".join(paragraphs), ""]
    if not isinstance(command, click.Group):
        words = " ".join(_argument(parameter) for parameter in command.params if isinstance(parameter, click.Argument))
        lines += ["```", " ".join(("openclaw-oauthrouter", *path, words)).strip(), "```", ""]
    lines += _options(command)
    return "\n".join(lines)


def _as_code(found: re.Match[str]) -> str:
    return f"\n\n```\n{found[1]}\n```"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("``", "`")).strip()


def _options(command: click.Command) -> list[str]:
    common = {name for option in common_options() for name in option.opts}
    own = [
        option
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not common & set(option.opts)
    ]
    if not own:
        return []
    rows = [f"| {_names(option)} | {_plain(_told(option)).replace('|', chr(92) + '|')} |" for option in own]
    return ["| option | meaning |", "| --- | --- |", *rows, ""]


def _told(option: click.Option) -> str:
    shown = option.show_default and not option.is_flag and option.default is not None
    return f"{option.help or ''} [default: {option.default}]" if shown else option.help or ""


def _names(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_value(option)}"
    return ", ".join(f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts)).replace("|", "\\|")


def _value(parameter: click.Parameter) -> str:
    """What stands for a value; click's own way of saying it differs between its versions."""
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(str(choice) for choice in parameter.type.choices)
    if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType):
        return "N"
    return "FILE" if isinstance(parameter.type, click.Path) else "TEXT"


def _argument(parameter: click.Argument) -> str:
    name = parameter.metavar or (
        _value(parameter) if isinstance(parameter.type, click.Choice) else (parameter.name or "").upper()
    )
    many = "…" if parameter.nargs == -1 and not parameter.metavar else ""
    return f"{name}{many}" if parameter.required else f"[{name}{many}]"


PAGES: Mapping[str, Callable[[], str]] = {"providers.md": providers, "commands.md": commands}


def with_generated(page: str, text: str) -> str:
    """A page with its generated part replaced."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1]


if __name__ == "__main__" and "--write" in sys.argv:
    for name, make in PAGES.items():
        path = DOCS / name
        path.write_text(with_generated(path.read_text(encoding="utf-8"), make()), encoding="utf-8")
