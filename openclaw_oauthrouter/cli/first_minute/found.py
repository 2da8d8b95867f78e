"""What there is on this machine already: model servers that answer, OpenClaw, and client programs that could use the gateway."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.listings import EmptyListingError, ListedModel, ListingError
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.cli.clients import CLIENTS
from openclaw_oauthrouter.cli.clients.client import Client, Place, Target, no_files
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.places import openclaw_state_dir
from openclaw_oauthrouter.interfaces import ListsModels, Provider
from openclaw_oauthrouter.upstream.model_lists import fetch_models
from openclaw_oauthrouter.upstream.transport import create_transport

_SECONDS = 3.0
"""For a server of this machine to list its models."""


@value(frozen=True, slots=True)
class LocalServer:
    """A model server that answers.

    :ivar models: what it serves; may be nothing yet
    """

    provider: Provider
    models: Sequence[ListedModel]


def local_servers(settings: Settings, providers: Mapping[str, Provider], seconds: float = _SECONDS) -> list[LocalServer]:
    """Ask Ollama, LM Studio and the like at their usual addresses; those that do not answer are left out."""

    async def ask_all() -> list[LocalServer]:
        transport = create_transport(settings.upstream)
        try:
            local = [provider for name, provider in providers.items() if name in presets() and presets()[name].local]
            answers = await asyncio.gather(*(_ask(transport, provider, seconds) for provider in local))
        finally:
            await transport.aclose()
        return [answer for answer in answers if answer is not None]

    return asyncio.run(ask_all())


async def _ask(transport: httpx.AsyncBaseTransport, provider: Provider, seconds: float) -> LocalServer | None:
    if not isinstance(provider, ListsModels):
        return None
    try:
        return LocalServer(provider, await fetch_models(transport, provider, None, seconds))
    except EmptyListingError:
        return LocalServer(provider, ())
    except ListingError:
        return None


def has_openclaw(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether OpenClaw is installed, or was."""
    return (
        shutil.which("openclaw", path=environ.get("PATH")) is not None
        or openclaw_state_dir(settings, environ).joinpath("openclaw.json").is_file()
    )


def clients_here(environ: Mapping[str, str], home: Path) -> list[Client]:
    """Client programs on the search path or with settings in the home folder that one command can point at the gateway."""
    return [client for client in CLIENTS.values() if client.files is not no_files and _is_here(client, environ, home)]


def _is_here(client: Client, environ: Mapping[str, str], home: Path) -> bool:
    if any(shutil.which(program, path=environ.get("PATH")) for program in client.programs):
        return True
    return any(change.path.is_file() for change in client.files(Target("", "", ("true",)), Place(home, environ)))
