"""``auth``: what credentials there are, why one cannot be used, and how to add, borrow or remove one; a secret is never shown."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.catalog.spelling import nearest as close_names
from openclaw_oauthrouter.changes.credentials import NO_KEY, KeyTest, check_takes_keys, keep, try_key
from openclaw_oauthrouter.cli.chatgpt_sign_in import PROFILE, SignInOptions, sign_in
from openclaw_oauthrouter.cli.grammar import Failure, UsageProblem, check_names, confirm, may_ask, nearest, unknown
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials import chatgpt_login, secret_text
from openclaw_oauthrouter.credentials.builtin import token_client
from openclaw_oauthrouter.credentials.chain import CredentialChain
from openclaw_oauthrouter.credentials.finding import Inventory
from openclaw_oauthrouter.credentials.overview import OverviewRow, overview
from openclaw_oauthrouter.credentials.sources.store import StoreFile, StoreSource
from openclaw_oauthrouter.errors import CredentialError

ANTHROPIC_TERMS = (
    "Note: Anthropic issues sk-ant-oat tokens for Claude Code; its terms do not allow for their use in other programs, and it may "
    "refuse them at any time. An API key is the safe choice."
)
_PASTE_AGAIN = "copy the key once more, and give it as one line"
_COLUMNS = ("Source", "Name", "Provider", "Kind", "Expires", "Usable")
_SIGN_IN_NAMES = {"openai", "chatgpt", chatgpt_login.PROVIDER}


@click.group(name="auth")
def command() -> None:
    """Show, add, test and remove credentials."""


@command.command()
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print rows as JSON.")
@click.pass_context
def status(context: click.Context, provider: str | None, as_json: bool) -> None:
    """List all credentials: source, provider, kind, expiry, and whether it can be used.

    With PROVIDER, it lists only that provider's, and says what to do if there is none. Ends with 1 if no credential can be used.
    """
    with _plain_errors():
        settings = _settings(context)
        chain = _chain(settings)
        if provider is not None:
            check_names("provider", [provider], _known_providers(settings), "openclaw-oauthrouter auth status")
        rows = list(
            overview(chain.sources, dict.fromkeys((*presets(), *settings.providers)), time.time(), settings.credentials.paused)
        )
        if provider is not None:
            rows = [row for row in rows if row.provider in (provider, "")]
        if as_json:
            click.echo(orjson.dumps([asdict(row) for row in rows], option=orjson.OPT_INDENT_2))
        elif rows or provider is None:
            _print_table(rows)
        if provider is not None and not as_json:
            click.echo(chain.explain(provider))
    context.exit(0 if any(row.usable for row in rows) else 1)


@command.command()
@click.argument("provider")
@click.option("--profile-id", help="Name to store it under.  [default: PROVIDER:key or PROVIDER:token]")
@click.option("--force", is_flag=True, help="Store it even if PROVIDER is unknown.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def add(context: click.Context, provider: str, profile_id: str | None, force: bool, as_json: bool) -> None:
    """Store a key or token of PROVIDER: anthropic, openai, openrouter, groq, ollama, …, or a name from the configuration.

    The key is read from a hidden prompt or from standard input. It is never part of the command line.
    """
    with _plain_errors():
        provider = provider.strip().lower()  # as entries of a store are read
        if not provider:
            raise click.BadParameter("name the provider, for example anthropic", param_hint="PROVIDER")
        settings = _settings(context)
        check_takes_keys(provider)
        if not force:
            _check_name(provider, settings)
        preset = presets().get(provider)
        secret = NO_KEY if preset is not None and preset.local else secret_text.clean(_read_secret(provider))
        name = keep(StoreFile(settings.home), provider, secret, profile_id)
        if secret_text.is_anthropic_oauth(secret):
            click.echo(ANTHROPIC_TERMS, err=True)
        _report(as_json, {"added": name, "provider": provider}, f"Kept {name!r}; {_chain(settings).explain(provider)}.")
        if preset is not None and preset.api_base is None and provider not in settings.providers:
            click.echo(f'{preset.title} needs an address too: providers.{provider}.api_base = "{preset.address_hint}"', err=True)


@command.command()
@click.argument("provider")
@click.option(
    "--paste", is_flag=True, help="For machines without a browser: open the page elsewhere, then paste the address you end up at."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=chatgpt_login.CALLBACK_PORT,
    show_default=True,
    help="Port of 127.0.0.1 to which the browser returns.",
)
@click.option(
    "--timeout",
    default=300,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait for the browser.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address of the page.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--authorize-url", default=chatgpt_login.AUTHORIZE_URL, envvar="OAUTHROUTER_SIWC_AUTHORIZE_URL", hidden=True)
@click.option("--token-url", default=chatgpt_login.TOKEN_URL, envvar="OAUTHROUTER_SIWC_TOKEN_URL", hidden=True)
@click.pass_context
def login(context: click.Context, /, provider: str, as_json: bool, **options: Any) -> None:
    """Sign in with ChatGPT to use a Plus or Pro plan. PROVIDER is `openai`.

    The sign-in belongs to the provider `openai-chatgpt`. The gateway renews it.
    """
    if provider not in _SIGN_IN_NAMES:
        raise UsageProblem(
            f"{provider!r} has no sign-in here; only 'openai' has one", f"openclaw-oauthrouter auth add {provider}"
        )
    with _plain_errors():
        settings = _settings(context)
        if options["paste"] and not may_ask():
            raise UsageProblem("--paste asks for an address, which --no-input forbids", "run it without --no-input")
        sign_in(StoreFile(settings.home), token_client(settings, time.time), SignInOptions(**options))
        _report(as_json, {"added": PROFILE, "provider": chatgpt_login.PROVIDER}, f"Signed in; kept as {PROFILE!r}.")


@command.command("import")
@click.option("--yes", is_flag=True, help="Copy everything without asking.")
@click.option("--overwrite", is_flag=True, help="Replace entries with the same name.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def import_(context: click.Context, yes: bool, overwrite: bool, as_json: bool) -> None:
    """Copy keys and tokens from other sources into the gateway's own store. Asks before each one.

    What is already in the store stays, unless you add --overwrite. If several sources have the same name, the first one counts.
    Sign-ins that another program renews (type oauth) are not copied, because the copy would sign that program out.
    """
    with _plain_errors():
        settings = _settings(context)
        store = StoreFile(settings.home)
        copied: list[str] = []
        skipped: list[str] = []
        for credential in _portable(_chain(settings)):
            name = credential.name
            kept = bool(store.get(name))
            if name in copied or (kept and not overwrite):
                why = (
                    "one of this name has just been copied" if name in copied else "our store has one of this name (--overwrite)"
                )
                click.echo(f"Not copied: {name!r} from {credential.source}; {why}.", err=True)
                skipped.append(name)
                continue
            how = "Overwrite ours with" if kept else "Copy"
            if yes or confirm(f"{how} {name!r} ({credential.provider}, {credential.kind}) from {credential.source}?", err=True):
                store.put(name, _copy(credential))
                copied.append(name)
        _report(as_json, {"imported": copied, "skipped": skipped}, f"Copied {len(copied)} into {store.path}.")


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def logout(context: click.Context, name: str, as_json: bool) -> None:
    """Remove a credential, or all credentials of a provider, from the gateway's own store. Other sources are not touched."""
    with _plain_errors():
        settings = _settings(context)
        removed = StoreFile(settings.home).remove(name.removeprefix(StoreSource.prefix))
        if not removed:
            raise _not_in_store(name, settings)
        _report(as_json, {"removed": removed}, f"Removed {', '.join(removed)}.")


@command.command()
@click.argument("provider")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def test(context: click.Context, provider: str, as_json: bool) -> None:
    """Test the credential of PROVIDER by asking for its list of models, which costs nothing."""
    with _plain_errors():
        found = asyncio.run(_tested(_settings(context), provider.strip().lower()))
    _report(as_json, asdict(found), f"{provider}: {found.words}.")
    context.exit(0 if found.works else 1)


async def _tested(settings: Settings, name: str) -> KeyTest:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager
    from openclaw_oauthrouter.upstream.transport import create_transport

    builder = Builder(settings, create_plugin_manager())
    provider = builder.providers.get(name)
    if provider is None:
        raise unknown("provider", name, builder.providers, "openclaw-oauthrouter auth status")
    keyless = not provider.needs_credential and not builder.credentials.available(name)
    credential = None if keyless else next(iter(await builder.credentials.resolve(name)))
    transport = create_transport(settings.upstream)
    try:
        return await try_key(provider, credential, transport)
    finally:
        await transport.aclose()


@command.command()
@click.argument("name")
@click.pass_context
def pause(context: click.Context, name: str) -> None:
    """Stop using the credential NAME until `auth resume`, wherever it is stored. `auth status` lists the names."""
    _set_paused(context, name, paused=True)


@command.command()
@click.argument("name")
@click.pass_context
def resume(context: click.Context, name: str) -> None:
    """Use the credential NAME again."""
    _set_paused(context, name, paused=False)


def _set_paused(context: click.Context, name: str, *, paused: bool) -> None:
    from openclaw_oauthrouter.changes.settings_file import SettingChange
    from openclaw_oauthrouter.cli.config import settings_file

    settings = _settings(context)
    before = settings.credentials.paused
    if paused:
        rows = overview(_chain(settings).sources, dict.fromkeys((*presets(), *settings.providers)), time.time())
        check_names("credential", [name], [row.name for row in rows if row.name], "openclaw-oauthrouter auth status")
    elif name not in before:
        hint = nearest(name, before)
        raise UsageProblem(f"{name!r} is not paused{f'; {hint}' if hint else ''}", "openclaw-oauthrouter auth status")
    after = [*dict.fromkeys((*before, name))] if paused else [one for one in before if one != name]
    file = settings_file(context.obj)
    plan = file.plan([SettingChange(("credentials", "paused"), after or None)])
    if plan.change.needed:
        file.make(plan)
    click.echo(f"{name} is {'paused' if paused else 'used again'}; a running gateway notices within seconds.")


def _settings(context: click.Context) -> Settings:
    from openclaw_oauthrouter.cli.settings import command_settings

    return command_settings(context.obj, announce=False).settings


def _check_name(provider: str, settings: Settings) -> None:
    """Ask before a credential is kept that nobody will look for.

    :raises UsageProblem: the name is not known, and nobody can be asked or the answer is no
    """
    known = _known_providers(settings)
    if provider in known:
        return
    close = [*_called(provider), *close_names(provider, known)]
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    if (
        sys.stdin.isatty()
        and may_ask()
        and click.confirm(f"There is no provider {provider!r}{hint}{'' if hint else '.'} Keep the key anyway?", err=True)
    ):
        return
    advice = f"openclaw-oauthrouter auth add {close[0]}" if close else f"one of {', '.join(sorted(known))}; or --force"
    raise UsageProblem(f"nothing was kept: there is no provider {provider!r}{hint}", advice)


def _not_in_store(name: str, settings: Settings) -> click.ClickException:
    """Why nothing of a name could be removed: it is misspelt, or what it names is kept elsewhere."""
    names = [*StoreFile(settings.home).names(), *_known_providers(settings)]
    if name in names:
        return Failure(f"our own store holds nothing of {name!r}", "openclaw-oauthrouter auth status")
    return unknown("credential or provider", name, names, "openclaw-oauthrouter auth status")


def _called(word: str) -> list[str]:
    """Providers that people know under a word: ``kimi`` is served by Moonshot AI, ``glm`` by Z.ai."""
    return [
        name
        for name, preset in presets().items()
        if word in preset.title.lower() or any(own.lower().startswith(word) for own in preset.own_ids)
    ]


def _known_providers(settings: Settings) -> set[str]:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    return {*presets(), *settings.providers, *Builder(settings, create_plugin_manager()).providers}


def _chain(settings: Settings) -> CredentialChain:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    return Builder(settings, create_plugin_manager()).credentials


def _read_secret(provider: str) -> str:
    if sys.stdin.isatty():
        if not may_ask():
            raise UsageProblem("the key cannot be asked for with --no-input", "give the key on standard input")
        return str(click.prompt(f"Key or token of {provider}", hide_input=True, err=True))
    return sys.stdin.read()


def _portable(chain: CredentialChain) -> Iterator[Credential]:
    """Credentials that can be copied: alive, nobody's to renew, and no ready-made header."""
    for source in chain.sources:
        if not isinstance(source, Inventory) or source.name == StoreSource.name:
            continue
        try:
            findings = source.findings()
        except CredentialError as error:
            click.echo(f"{source.name}: {error.message}", err=True)
            continue
        alive = [finding.credential for finding in findings if finding.error(time.time()) is None]
        yield from (item for item in alive if item and item.kind in ("api_key", "token") and item.header is None)


def _copy(credential: Credential) -> dict[str, Any]:
    secret = credential.secret.reveal()
    entry: dict[str, Any] = {"type": credential.kind, "provider": credential.provider}
    entry |= {"token": secret} if credential.kind == "token" else {"key": secret}
    if credential.expires_at is not None:
        entry["expires"] = int(credential.expires_at * 1000)
    return entry


def _print_table(rows: Sequence[OverviewRow]) -> None:
    if not rows:
        click.echo("No credentials found. Add one with `openclaw-oauthrouter auth add anthropic`.")
        return
    table = create_table(*_COLUMNS)
    for row in rows:
        cells = (row.source, row.name, row.provider, row.kind or "", _date(row.expires_at), "yes" if row.usable else "no")
        table.add_row(*cells)
    create_console().print(table)
    for row in rows:
        if row.reason:
            click.echo(f"- {row.reason if row.name in row.reason else f'{row.name!r} {row.reason}'}")


def _date(unix_seconds: float | None) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%MZ") if unix_seconds is not None else ""


def _report(as_json: bool, data: dict[str, Any], text: str) -> None:
    click.echo(orjson.dumps(data) if as_json else text)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What is wrong with a credential or its file as one line and exit code 1."""
    try:
        yield
    except CredentialError as error:
        raise Failure(error.message, _PASTE_AGAIN if error.code == "not_a_secret" else "") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'file'}: {error.strerror}") from None
