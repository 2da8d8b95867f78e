"""Takes a key: recognises whose it is, tries it for nothing, keeps it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence

import click

from openclaw_oauthrouter.catalog.presets import issuers_of, presets
from openclaw_oauthrouter.changes.credentials import as_credential, keep
from openclaw_oauthrouter.cli.auth import ANTHROPIC_TERMS
from openclaw_oauthrouter.cli.first_minute.asking import ask_secret, say
from openclaw_oauthrouter.cli.grammar import confirm, nearest, show_problem
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.sources.store import StoreFile
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.upstream.kept_lists import KeptList, load_lists, origin_of, save_lists
from openclaw_oauthrouter.upstream.key_check import KeyCheck, check_key
from openclaw_oauthrouter.upstream.transport import create_transport

_WITHOUT_KEYS = frozenset({"openai-codex", "openai-chatgpt"})
_SECONDS = 10.0


def pasted(text: str) -> str:
    """The key in what was pasted: alone, in quotes, behind ``export NAME=`` or ``Bearer``; without what a terminal puts around it."""
    text = secret_text.clean(re.sub(r"\x1b\[20[01]~", "", text))
    text = re.sub(r"^(?:export\s+)?[A-Z][A-Z0-9_]*=", "", text)
    text = text.strip("\"'")
    return secret_text.clean(re.sub(r"^(?:authorization:\s*)?bearer\s+", "", text, flags=re.IGNORECASE))


def take_key(settings: Settings, providers: Mapping[str, Provider]) -> bool:
    """Ask for a key until one is kept.

    :return: whether one was; not when the person went back
    :raises CredentialError: the store is damaged
    """
    while True:
        secret = pasted(ask_secret("Paste the key; it is not shown (Enter goes back)"))
        if not secret:
            return False
        problem = secret_text.problem_of(secret)
        if problem is not None:
            show_problem(f"what was pasted {problem}", "copy the key once more, and paste it as one line")
            continue
        if secret_text.is_chatgpt_token(secret):
            show_problem("this is a token of a ChatGPT sign-in, which expires within days", "choose the ChatGPT plan instead")
            return False
        name = _whose(secret, [name for name in providers if _takes_keys(name)])
        if name is None:
            return False
        if _try_and_keep(settings, providers[name], secret):
            return True


def title_of(provider: str) -> str:
    """A provider's name for people."""
    preset = presets().get(provider)
    return provider if preset is None else preset.title


def keep_list(settings: Settings, provider: Provider, check: KeyCheck) -> None:
    """Let the gateway know the provider's models from its first request on."""
    if check.models:
        now, origin = time.time(), origin_of(provider.origin)
        lists = load_lists(settings.home).with_list(provider.name, KeptList(origin, tuple(check.models), now, None, now))
        save_lists(settings.home, lists)


def try_key(settings: Settings, provider: Provider, secret: str) -> KeyCheck:
    """One request that costs nothing."""

    async def attempt() -> KeyCheck:
        transport = create_transport(settings.upstream)
        try:
            return await check_key(transport, provider, as_credential(provider.name, secret), _SECONDS)
        finally:
            await transport.aclose()

    return asyncio.run(attempt())


def _takes_keys(name: str) -> bool:
    preset = presets().get(name)
    return name not in _WITHOUT_KEYS and (preset is None or not preset.local)


def _whose(secret: str, known: Sequence[str]) -> str | None:
    """The provider whose key it is; ``None`` when the person goes back."""
    likely = [name for name in issuers_of(secret) if name in known]
    if len(likely) == 1:
        say(f"This looks like a key of {title_of(likely[0])}.")
        return likely[0]
    say(
        f"Which provider is the key from? Keys like this come from {', '.join(likely)}."
        if likely
        else f"Which provider is the key from? One of {', '.join(known)}."
    )
    by_title = {title_of(name).lower(): name for name in known}
    while True:
        default = likely[0] if likely else ""
        said = str(
            click.prompt("Provider (Enter goes back)" if not likely else "Provider", default=default, show_default=bool(default))
        )
        said = said.strip().lower()
        if not said:
            return None
        name = by_title.get(said, said)
        if name in known:
            return name
        hint = nearest(said, known)
        show_problem(f"there is no provider {said!r} that takes keys{f'; {hint}' if hint else ''}", f"one of {', '.join(known)}")


def _try_and_keep(settings: Settings, provider: Provider, secret: str) -> bool:
    title = title_of(provider.name)
    say(f"Asking {title} for its list of models, which costs nothing …")
    check = try_key(settings, provider, secret)
    if check.state == "refused":
        preset = presets().get(provider.name)
        where = f"copy it once more from {preset.keys}" if preset is not None and preset.keys else ""
        show_problem(f"{title} refuses this key: {check.detail}", where)
        return False
    if check.state == "untested":
        say(f"The key could not be tested: {check.detail}.")
        if not confirm("Keep it anyway?", default=True):
            return False
    store = StoreFile(settings.home)
    kept = keep(store, provider.name, secret)
    keep_list(settings, provider, check)
    if secret_text.is_anthropic_oauth(secret):
        say(ANTHROPIC_TERMS)
    works = f"It works: {len(check.models)} models. " if check.state == "accepted" else ""
    say(f"{works}Kept as {kept!r} in {store.path}.")
    return True
