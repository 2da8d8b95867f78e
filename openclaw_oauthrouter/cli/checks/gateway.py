"""The gateway: its plugins, its token, and who listens on its port."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, failure, ok, warning
from openclaw_oauthrouter.cli.running import other_home
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.provider_entry import base_url
from openclaw_oauthrouter.plugins import create_plugin_manager, describe
from openclaw_oauthrouter.proxy.local_client import ask_gateway, local_token
from openclaw_oauthrouter.proxy.local_token import read_token, token_path

_SECONDS = 3.0
_LATEST = 20
_RECENT_SECONDS = 3600.0
_HUNG_UP = 499
"""Status of a request whose client went away: nobody's failure."""

_SEE = "openclaw-oauthrouter trace -n 20; what each failure means: docs/failures.md"


def check_plugins(_: Surroundings) -> Iterator[Result]:
    """Every plugin loads and fits."""
    try:
        rows = describe(create_plugin_manager())
    except ConfigurationError as error:
        yield failure("plugins", error.message, "correct or uninstall the plugin that is named")
        return
    foreign = [str(row["plugin"]) for row in rows if not row["builtin"]]
    yield ok("plugins", f"{len(rows)} loaded" + (f", of third parties: {', '.join(foreign)}" if foreign else ""))


def check_token(around: Surroundings) -> Iterator[Result]:
    """There is a local token that only its owner can read."""
    path = token_path(around.settings.home)
    if around.settings.server.auth_token is not None:
        yield ok("local token", "configured")
    elif not path.is_file():
        yield ok("local token", "none yet; the first start makes one")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield warning("local token", f"others can read {path}", f"chmod 600 {path}")
    else:
        yield _judge_token(path)


def _judge_token(path: Path) -> Result:
    try:
        read_token(path)
    except OSError as error:
        return failure("local token", f"{path} cannot be read: {error.strerror}", f"check the owner of {path}")
    except ConfigurationError as error:
        return failure("local token", error.message, f"rm {shlex.quote(str(path))}, and restart the gateway")
    return ok("local token", str(path))


def check_port(around: Surroundings) -> Iterator[Result]:
    """The port is free, or it is ours that listens there."""
    address = base_url(around.settings)
    port = around.settings.server.port
    try:
        answer = httpx.get(f"{address}/models", headers=_authorization(around), timeout=_SECONDS, trust_env=False)
    except httpx.ConnectError:
        yield ok("port", f"{port} is free: no gateway is running (start one with: openclaw-oauthrouter serve)")
        return
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield failure("port", f"something on port {port} does not speak HTTP ({type(error).__name__})", _ANOTHER_PORT)
        return
    result = _judge(port, answer.status_code, "data" in answer.text)
    yield result
    if result.state == "ok":
        yield from _check_which(around)
        yield from _check_recent_requests(around)
        yield from _check_health(around)


def _check_which(around: Surroundings) -> Iterator[Result]:
    """Whether it is the configured gateway that answers; nothing to say when it is."""
    try:
        told = ask_gateway(around.settings, "GET", "/debug/gateway")
    except ConfigurationError:
        return  # an older gateway
    if told.get("demo"):
        yield ok("gateway", "it is the demo, which does not use the credentials listed below")
    elsewhere = other_home(around.settings, told)
    if elsewhere is not None:
        detail = (
            f"a different gateway answers: its state folder is {elsewhere}, and this configuration's is {around.settings.home}"
        )
        yield warning("gateway", detail, "stop it, or choose another port with OAUTHROUTER_PORT")


def _check_recent_requests(around: Surroundings) -> Iterator[Result]:
    """How the requests of the last hour ended; a gateway that answers none of them is no use, whatever else is in order."""
    try:
        events = ask_gateway(around.settings, "GET", f"/debug/routing-trace?n={_LATEST}").get("events")
    except ConfigurationError:
        return  # an older gateway, or none of ours: the port's own line has told
    since = (around.clock() - _RECENT_SECONDS) * 1000
    recent = [event for event in events if event.get("ts", 0) >= since] if isinstance(events, list) else []
    ended = [event for event in recent if isinstance(event.get("status"), int) and event["status"] != _HUNG_UP]
    failed = [event for event in ended if event["status"] >= httpx.codes.BAD_REQUEST]
    if not failed:
        yield ok("requests", f"all {len(ended)} in the last hour were answered" if ended else "none in the last hour")
        return
    last = failed[-1]
    said = str(last.get("errorMessage") or "no reason given").partition("\n")[0][:300]
    when = datetime.fromtimestamp(last["ts"] / 1000, UTC).strftime("%H:%M:%S UTC")
    detail = f"{len(failed)} of the last {len(ended)} failed; the latest at {when} with {last['status']}: {said}"
    if len(failed) == len(ended):
        yield failure("requests", f"every one: {detail}", _SEE)
    else:
        yield warning("requests", detail, _SEE)


def _check_health(around: Surroundings) -> Iterator[Result]:
    """Providers the running gateway leaves alone for now, and third-party classifiers it has passed over; nothing when there are none."""
    try:
        health = ask_gateway(around.settings, "GET", "/debug/provider-health")
    except ConfigurationError:
        return
    for row in _cooling(health):
        yield warning(
            "provider health", row, "the gateway tries again by itself; openclaw-oauthrouter trace shows what the provider said"
        )
    faults = health.get("classifierFaults")
    for fault, count in faults.items() if isinstance(faults, dict) else ():
        detail = f"{fault}: {count} times since the gateway read its configuration; another classifier answered instead"
        yield warning("classifier", detail, "correct or uninstall the plugin; the gateway's log says more")


def _cooling(health: JsonObject) -> Iterator[str]:
    rows = health.get("cooldowns")
    for row in rows if isinstance(rows, list) else ():
        named = f"{row.get('scope')} {row.get('name') or ''}".strip()
        yield f"{row.get('provider')} ({named}) rests until {row.get('until')}: {row.get('reason')}"


_ANOTHER_PORT = "stop it, or choose another port with OAUTHROUTER_PORT"


def _judge(port: int, status: int, plausible: bool) -> Result:
    if status == httpx.codes.OK and plausible:
        return ok("port", f"the gateway answers on {port}")
    if status == httpx.codes.UNAUTHORIZED:
        remedy = "it was started with another token or state folder; restart it, or set OAUTHROUTER_LOCAL_TOKEN to its token"
        return failure("port", f"something on port {port} refuses our local token", remedy)
    return failure("port", f"something else listens on port {port} (status {status})", _ANOTHER_PORT)


def _authorization(around: Surroundings) -> dict[str, str]:
    try:
        return {"authorization": f"Bearer {local_token(around.settings)}"}
    except ConfigurationError:
        return {}
