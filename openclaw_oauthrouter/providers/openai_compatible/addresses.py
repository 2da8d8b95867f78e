"""Where an OpenAI-compatible endpoint really is, whatever part of its address its documentation shows.

Vendors print the host alone (``https://api.deepseek.com``), a path with a version somewhere in it
(``https://generativelanguage.googleapis.com/v1beta/openai``, Vertex's ``…/v1/projects/…/endpoints/openapi``), a path without any
(``https://models.github.ai/inference``), or the whole endpoint (``…/v1/chat/completions``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

_VERSION = re.compile(r"/v\d+[a-z0-9.]*(?:/|$)")
_ENDPOINT = re.compile(r"/(?:chat/completions|responses|completions|embeddings)$")
_AT_THE_ROOT = ("githubcopilot.com", "perplexity.ai")
"""Hosts (and those below them) that documented their endpoints without any path before ``/chat/completions``."""


@lru_cache(maxsize=64)
def endpoint_root(api_base: str, vendor_path: str = "") -> tuple[str, str]:
    """What ``/chat/completions`` is appended to, and the query that follows it.

    ``/v1`` is added where the address has no path at all. A path is taken as it is, for nobody can know what stands behind it.

    :param api_base: the configured address; a pasted endpoint is cut back to what stands before it
    :param vendor_path: what a vendor known by name has behind its host: added to any address of it (a mirror's, a proxy's) without a
        version of its own
    :return: the root without a trailing slash; the query with its ``?``, or ``""``
    """
    address, mark, query = api_base.partition("?")
    address = address.rstrip("/")
    parts = urlsplit(address)
    whole = _ENDPOINT.search(parts.path)
    if whole:
        address = address[: -len(whole[0])]
    elif not _VERSION.search(parts.path):
        address += vendor_path or ("" if parts.path or _is_at_the_root(parts.hostname or "") else "/v1")
    return address, mark + query


def _is_at_the_root(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _AT_THE_ROOT)
