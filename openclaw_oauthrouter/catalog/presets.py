"""Providers known by name: where they are, which API they speak, which variable holds their key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.families import read_table
from openclaw_oauthrouter.config.providers import ProviderKind


@value(frozen=True, slots=True)
class Preset:
    """One row of ``presets.toml``.

    :ivar title: for people
    :ivar kind: ``config.providers.ProviderKind``
    :ivar api_base: ``None`` when every user has an address of their own; ``address_hint`` shows what it looks like
    :ivar protocol: the dialect of models whose row says nothing else
    :ivar own_ids: how ids begin that mean this provider when no provider is named
    :ivar also: other dialects it speaks
    :ivar variables: environment variables that hold a key, the preferred one first
    :ivar keys: where keys are made
    :ivar key_begins: how its keys begin
    :ivar key_path: where on its host a key is tested for nothing, when everybody gets its list of models
    :ivar list_paths: where on its host a better list of models is than at ``/models`` of the API
    :ivar detail_path: where on its host one model is asked for
    :ivar local: runs on this machine and takes no key; asked only when it was added or configured
    :ivar plan: a subscription pays
    :ivar key_header: the key is sent in this header instead of as a bearer token
    :ivar allowed_fields: body fields the API knows; ``None`` sends all
    :ivar prices: the vendor in the published price tables
    :ivar models_of: the provider whose rows describe its models
    """

    name: str
    title: str
    kind: ProviderKind
    protocol: str
    api_base: str | None = None
    address_hint: str | None = None
    own_ids: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    keys: str | None = None
    key_begins: tuple[str, ...] = ()
    key_path: str | None = None
    list_paths: tuple[str, ...] = ()
    detail_path: str | None = None
    local: bool = False
    plan: bool = False
    key_header: str | None = None
    allowed_fields: tuple[str, ...] | None = None
    prices: str = ""
    models_of: str | None = None


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """All of them by name, in the order of the table: of two that serve a model, the earlier one is asked."""
    return MappingProxyType({row["name"]: _preset(row) for row in read_table("presets.toml")["preset"]})


def issuers_of(key: str) -> list[str]:
    """Names of the providers whose keys begin like this one, as exactly as any do; empty when none does."""
    fitting = [(len(start), name) for name, preset in presets().items() for start in preset.key_begins if key.startswith(start)]
    longest = max(fitting, default=(0, ""))[0]
    return [name for length, name in fitting if length == longest]


def _preset(row: Mapping[str, Any]) -> Preset:
    fields = dict(row)
    for name in ("variables", "allowed_fields", "also", "own_ids", "list_paths", "key_begins"):
        if name in fields:
            fields[name] = tuple(fields[name])
    fields.setdefault("prices", fields["name"])
    return Preset(**fields)
