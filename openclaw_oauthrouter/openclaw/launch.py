"""How other programs start this gateway: the words of the command, and the variables that say where things lie."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "OAUTHROUTER_CONFIG"
_PLACES = ("OAUTHROUTER_HOME", CONFIG_VARIABLE, "OPENCLAW_STATE_DIR")
_PORT = "OAUTHROUTER_PORT"


def serve_arguments(config: Path | None = None) -> list[str]:
    """What follows the interpreter.

    :param config: the file named with ``--config``; made absolute, since whoever starts the gateway does so from another folder
    """
    return _arguments("serve", config)


def token_arguments(config: Path | None = None) -> list[str]:
    """What follows the interpreter for the local token to be printed, from whatever folder it is run.

    :param config: the file that holds the token
    """
    return _arguments("token", config)


def _arguments(command: str, config: Path | None) -> list[str]:
    named = ["--config", str(config.absolute())] if config else []
    return ["-P", "-m", "openclaw_oauthrouter", *named, command]


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of this environment that the started gateway needs too; never a secret, for others can read these files."""
    places = {name: str(Path(os.path.expanduser(environ[name])).absolute()) for name in _PLACES if environ.get(name)}
    return places | ({_PORT: environ[_PORT]} if environ.get(_PORT) else {})
