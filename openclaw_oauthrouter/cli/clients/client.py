"""What a client program has to be told to use this gateway: for one run, and for good."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.value import value

if TYPE_CHECKING:
    from openclaw_oauthrouter.edits.edit import Edit

WINDOW = 200_000
"""Tokens of context to reckon with on ``auto``: the least that the shipped tiers' models have, so that a client compacts in time."""

MOST_OUTPUT = 32_000
"""Tokens a client may ask ``auto`` for; every model of the shipped tiers writes as many."""


@value(frozen=True, slots=True)
class Target:
    """Where a client is pointed.

    :ivar address: of the gateway, without ``/v1``
    :ivar token: the local token; for files and variables that hold nothing else
    :ivar token_command: prints the token, for clients that can be told a command
    :ivar token_file: holds the token, when it stands in a file of its own
    :ivar model: what the client asks for unless its user says otherwise
    :ivar select: make it the client's model, where the client can have others
    """

    address: str
    token: str = field(repr=False)
    token_command: tuple[str, ...] = ()
    token_file: Path | None = None
    model: str = "auto"
    select: bool = False
    window: int = WINDOW

    @property
    def openai(self) -> str:
        """Base address of OpenAI-style clients."""
        return f"{self.address}/v1"


@value(frozen=True, slots=True)
class Place:
    """Where a client's files lie.

    :ivar environ: variables that may say so
    """

    home: Path
    environ: Mapping[str, str]

    def folder(self, variable: str, usual: str) -> Path:
        """The folder a variable names, else the usual one below the home folder."""
        named = self.environ.get(variable)
        return Path(named).expanduser() if named else self.home / usual


@value(frozen=True, slots=True)
class FileEdits:
    """Changes to one file of a client's.

    :ivar holds_keys: every value in it is somebody's key, whatever it is called
    """

    path: Path
    edits: tuple[Edit, ...]
    holds_keys: bool = False


Variables = Mapping[str, str | None]
"""Environment variables; ``None`` takes one away, for the client would prefer it."""


def usual_variables(target: Target) -> Variables:
    """What the SDKs of OpenAI and Anthropic read, and most programs built on them."""
    return {
        "OAUTHROUTER_LOCAL_TOKEN": target.token,
        "OPENAI_BASE_URL": target.openai,
        "OPENAI_API_BASE": target.openai,
        "OPENAI_API_KEY": target.token,
        "ANTHROPIC_BASE_URL": target.address,
        "ANTHROPIC_AUTH_TOKEN": target.token,
        "ANTHROPIC_API_KEY": None,
    }


def nothing(_target: Target, _words: Sequence[str]) -> list[str]:
    """No arguments of ours."""
    return []


def no_files(_target: Target, _place: Place) -> list[FileEdits]:
    """Nothing to change."""
    return []


def no_profile(_target: Target) -> Mapping[str, str]:
    """No file is needed."""
    return {}


@value(frozen=True, slots=True)
class Client:
    """One program.

    :ivar name: as in ``setup NAME`` and ``run NAME``
    :ivar programs: its commands, the likeliest first; none when it is not started from a shell
    :ivar variables: for ``run``
    :ivar arguments: for ``run``, put before the user's own, which are given
    :ivar profile: for ``run``, files that last as long as the program: name -> text; ``{profile}`` in arguments and variables is their
        folder
    :ivar files: for ``setup``
    :ivar selects: whether ``setup --default-model`` means something to it
    :ivar afterwards: said once ``setup`` is done
    :ivar guide: what to do by hand where there is no file to change
    """

    name: str
    label: str
    programs: tuple[str, ...] = ()
    variables: Callable[[Target], Variables] = usual_variables
    arguments: Callable[[Target, Sequence[str]], list[str]] = nothing
    profile: Callable[[Target], Mapping[str, str]] = no_profile
    files: Callable[[Target, Place], list[FileEdits]] = no_files
    selects: bool = False
    afterwards: Callable[[Target], str] | None = None
    guide: Callable[[Target], str] | None = None
    other_names: tuple[str, ...] = ()


def says(words: Sequence[str], *options: str) -> bool:
    """Whether the user's own arguments hold one of these options, as ``-m x``, ``--model x`` or ``--model=x``."""
    return any(word == option or word.startswith(f"{option}=") for word in words for option in options)


def as_json(value: object) -> str:
    """Compact JSON; its strings and lists are TOML's and YAML's too."""
    return json.dumps(value, ensure_ascii=False)
