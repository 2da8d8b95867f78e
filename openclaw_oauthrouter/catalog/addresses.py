"""Where an endpoint really is and which API it speaks, whatever part of its address its documentation shows.

Vendors print the host alone (``https://api.deepseek.com``), a path with a version somewhere in it
(``https://generativelanguage.googleapis.com/v1beta/openai``, Vertex's ``…/v1/projects/…/endpoints/openapi``), a path without any
(``https://models.github.ai/inference``), or the whole endpoint (``…/v1/chat/completions``, ``…/v1/messages``,
``…/models/gemini-3.8-flash:generateContent``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.config.providers import ProviderKind

_VERSION = lazily(r"/v\d+[a-z0-9.]*(?:/|$)")
_VERSION_ALONE = lazily(r"/v\d+[a-z0-9.]*")
_OPENAI = lazily(r"/(?:chat/completions|responses|completions|embeddings|models)$")
_MESSAGES = lazily(r"/messages(?:/count_tokens|/batches)?$")
_GENERATE = lazily(r"/models/[^/]+:\w+$")
_OLLAMA = lazily(r"/api/(?:chat|generate|tags|show)$")
_CODEX = lazily(r"/backend-api(?:/codex(?:/responses)?)?$")
_AT_THE_ROOT = ("githubcopilot.com", "perplexity.ai")
"""Hosts (and those below them) that documented their endpoints without any path before ``/chat/completions``."""


def kind_of(name: str, api_base: str | None) -> ProviderKind:
    """Which provider class serves an address of which the user says no more.

    A path that ends in ``/anthropic`` or ``/messages`` speaks Messages, also at a vendor whose usual address does not: coding plans are
    documented so.
    """
    preset = presets().get(name)
    usual: ProviderKind = preset.kind if preset is not None else "openai-compatible"
    if api_base is None or usual != "openai-compatible":
        return usual
    parts = urlsplit(api_base)
    path = parts.path.rstrip("/")
    endpoint = _MESSAGES.search(path)
    if endpoint or re.search(rf"/anthropic(?:{_VERSION_ALONE.pattern})?(?:/models)?$", path):
        return "anthropic"
    if _GENERATE.search(path) or (parts.hostname == _GEMINI_HOST and "/openai" not in path):
        return "gemini"
    return usual


def anthropic_root(api_base: str) -> str:
    """What ``/v1/messages`` is appended to."""
    address = api_base.partition("?")[0].rstrip("/")
    cut = re.sub(rf"(?:{_VERSION_ALONE.pattern})?{_MESSAGES.pattern}", "", address)
    return re.sub(r"/v1(?:/models)?$", "", cut)


def gemini_root(api_base: str) -> str:
    """What ``/models/…`` is appended to; the address of Gemini's OpenAI-compatible endpoint leads to its own API."""
    address = api_base.partition("?")[0].rstrip("/")
    for ending in (_GENERATE, _OPENAI, re.compile(r"/openai$")):
        address = ending.sub("", address)
    return address if _VERSION.search(urlsplit(address).path) else f"{address}/v1beta"


def codex_root(api_base: str) -> str:
    """What ``/backend-api/codex/responses`` is appended to."""
    return _CODEX.sub("", api_base.rstrip("/"))


@lru_cache(maxsize=64)
def endpoint_root(api_base: str, vendor_path: str = "") -> tuple[str, str]:
    """What ``/chat/completions`` is appended to, and the query that follows it.

    ``/v1`` is added where the address has no path at all. Of a vendor's own host the documented path is known; any other path is taken as
    it is, for nobody can know what stands behind it.

    :param api_base: the configured address; a pasted endpoint is cut back to what stands before it
    :param vendor_path: what a vendor known by name has behind its host: added to any address of it (a mirror's, a proxy's) without a
        version of its own
    :return: the root without a trailing slash; the query with its ``?``, or ``""``
    """
    address, mark, query = api_base.partition("?")
    parts = urlsplit(address)
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    whole = _OPENAI.search(path)
    if whole:
        root = path[: -len(whole[0])]
    else:
        root = _documented(parts.hostname or "", path) or _completed(parts.hostname or "", _OLLAMA.sub("", path), vendor_path)
    return f"{host}{root}", mark + query


def _completed(host: str, path: str, vendor_path: str) -> str:
    """The path of a host that is nobody's in particular."""
    if _VERSION.search(path):
        return path
    if vendor_path:
        # The first part of the vendor's path may be there already.
        return vendor_path if path and f"{vendor_path}/".startswith(f"{path}/") else path + vendor_path
    return path or ("" if _is_at_the_root(host) else "/v1")


def _documented(host: str, path: str) -> str | None:
    """The path behind a vendor's own host, for an address that names none, a part of it, or the version alone."""
    root = _vendor_paths().get(host)
    if root is None:
        return None
    return root if not path or f"{root}/".startswith(f"{path}/") or _VERSION_ALONE.fullmatch(path) else None


@lru_cache(maxsize=1)
def _vendor_paths() -> dict[str, str]:
    found = (
        preset for preset in presets().values() if preset.kind == "openai-compatible" and preset.api_base and not preset.local
    )
    return {urlsplit(preset.api_base or "").hostname or "": vendor_path(preset) for preset in found}


def vendor_path(preset: Preset) -> str:
    """What stands between the host of a vendor and ``/chat/completions``."""
    return urlsplit(preset.api_base or preset.address_hint or "").path or "/v1"


def local_address(preset: Preset, api_base: str) -> str:
    """The address of a server on this machine, without the path of its other API: Ollama's and LM Studio's begin with ``/api``."""
    parts = urlsplit(api_base)
    return f"{parts.scheme}://{parts.netloc}" if preset.local and parts.path.startswith("/api") else api_base


def _is_at_the_root(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _AT_THE_ROOT)


_GEMINI_HOST = urlsplit(presets()["gemini"].api_base or "").hostname
