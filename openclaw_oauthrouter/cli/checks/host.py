"""OpenClaw: is it there, does its configuration lead here, and does it take it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, failure, ok, warning
from openclaw_oauthrouter.config.places import openclaw_config_file, openclaw_state_dir
from openclaw_oauthrouter.edits.json5_text import read, value_at
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.command import OLDEST, OpenClaw, find_openclaw
from openclaw_oauthrouter.openclaw.former import DEFAULT_MODEL, former_things, unimported_profiles
from openclaw_oauthrouter.openclaw.installation import configured_python, installed_route, selected

_INSTALL = "openclaw-oauthrouter openclaw install"


def check_openclaw(around: Surroundings) -> Iterator[Result]:
    """The host, if there is one; using the gateway without OpenClaw is fine."""
    host = find_openclaw(around.environ)
    if host is None:
        yield ok("openclaw", "not installed, or not on the search path; other clients do not need it")
        return
    yield _judge_version(host)
    path = openclaw_config_file(around.settings, around.environ)
    try:
        document = read(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, UnicodeDecodeError, ConfigurationError) as error:
        yield failure("openclaw.json", f"{path}: {error}", "correct the file")
        return
    yield from _check_route(document)
    yield from _check_start(around, document)
    if installed_route(document):
        yield _validate(host)
        yield _check_model(host, document)


def _judge_version(host: OpenClaw) -> Result:
    version = host.version()
    shown = ".".join(map(str, version)) if version else "unknown"
    if version is None or version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return warning(
            "openclaw", f"version {shown} at {host.path}", f"{oldest} is the oldest this package is tested with; update it"
        )
    return ok("openclaw", f"{shown} at {host.path}")


def _check_route(document: Any) -> Iterator[Result]:
    route = installed_route(document)
    for former in former_things(document, plugin=route in ("linked", "copied")):
        yield failure("openclaw.json", former.explanation, _INSTALL)
    if route is None:
        yield warning("openclaw plugin", "OpenClaw does not know this gateway", _INSTALL)
        return
    python = configured_python(document)
    if python is None or not Path(python).is_file():
        yield failure("openclaw plugin", f"installed ({route}), but its interpreter {python!r} does not exist", _INSTALL)
    else:
        yield ok("openclaw plugin", f"installed ({route})")


def _check_start(around: Surroundings, document: Any) -> Iterator[Result]:
    """What keeps OpenClaw's gateway from starting at all."""
    for path in unimported_profiles(openclaw_state_dir(around.settings, around.environ)):
        detail = f"OpenClaw has not imported {path}, which an older version left; its gateway does not start beside it"
        yield failure("openclaw profiles", detail, "openclaw doctor --fix (be online: it renews sign-ins at once)")
    if value_at(document, ("gateway", "mode")) is None:
        detail = "gateway.mode is not set, so OpenClaw's gateway does not start by itself"
        yield warning("openclaw gateway", detail, "openclaw onboard --mode local, or: openclaw config set gateway.mode local")


def _validate(host: OpenClaw) -> Result:
    done = host.run(["config", "validate"])
    if done.returncode:
        return failure("openclaw.json", (done.stdout + done.stderr).strip()[-300:], "correct what it names")
    return ok("openclaw.json", "OpenClaw finds it valid")


def _check_model(host: OpenClaw, document: Any) -> Result:
    done = host.run(["models", "list", "--json"])
    try:
        listed = DEFAULT_MODEL in json.dumps(json.loads(done.stdout[done.stdout.index("{") :]))
    except ValueError:
        listed = False
    if not listed:
        return failure("model", f"OpenClaw does not list {DEFAULT_MODEL}", "openclaw plugins inspect oauthrouter")
    if not selected(document):
        return ok("model", f"{DEFAULT_MODEL} can be selected (openclaw models set {DEFAULT_MODEL})")
    return ok("model", f"{DEFAULT_MODEL} is the agents' default")
