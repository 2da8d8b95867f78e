"""Everything the sources hold, as rows for people: whether it can be used, why not, and never its value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.errors import CredentialError
from openclaw_oauthrouter.interfaces import CredentialSource


@value(frozen=True, slots=True)
class OverviewRow:
    """One credential, or one source that cannot be read.

    :ivar kind: ``api_key``, ``token`` or ``oauth``; ``None`` when unknown
    :ivar expires_at: Unix seconds; ``None`` when it does not expire
    :ivar reason: why it cannot be used and what to do, or what will happen to it
    :ivar paused: the user leaves it alone (``credentials.paused``); it is not usable meanwhile
    """

    source: str
    name: str
    provider: str
    kind: str | None
    expires_at: float | None
    usable: bool
    reason: str
    paused: bool = False


def overview(
    sources: Iterable[CredentialSource], providers: Iterable[str], now: float, paused: Collection[str] = ()
) -> Iterator[OverviewRow]:
    """All credentials of all sources, in the order in which they are asked.

    :param providers: asked for of sources that cannot list what they hold
    :param now: Unix seconds
    :param paused: names of those that are left alone
    """
    for row in _all_rows(sources, providers, now):
        is_paused = bool(row.name) and row.name in paused
        yield (
            replace(row, usable=False, paused=True, reason=f"is paused; `auth resume {row.name}` ends that") if is_paused else row
        )


def _all_rows(sources: Iterable[CredentialSource], providers: Iterable[str], now: float) -> Iterator[OverviewRow]:
    providers = tuple(providers)
    for source in sources:
        try:
            if isinstance(source, Inventory):
                yield from (_finding_row(finding, now) for finding in source.findings())
            else:
                yield from (_credential_row(item) for provider in providers for item in source.find(provider))
        except CredentialError as error:
            yield OverviewRow(source.name, "", "", None, None, False, error.message)


def _finding_row(finding: Finding, now: float) -> OverviewRow:
    error = finding.error(now)
    if error is None:
        reason = ""
    elif finding.problem is None and finding.renewable:
        reason = "has expired and will be renewed with the next request"
    else:
        reason = error.message
    usable = error is None or (finding.problem is None and finding.renewable)
    return OverviewRow(finding.source, finding.name, finding.provider, finding.kind, finding.expires_at, usable, reason)


def _credential_row(item: Credential) -> OverviewRow:
    return OverviewRow(item.source, item.name, item.provider, item.kind, item.expires_at, True, "")
