"""A request that no dialect reads: it goes to one provider as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value

KEPT_ID = lazily(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
"""Ids of what providers keep: nothing that could lead elsewhere once it stands in a path."""


@value(frozen=True, slots=True)
class PassedRequest:
    """What a client sent, but for what ends here.

    :ivar path: below ``/v1/``, without a slash at either end
    :ivar query: without its question mark
    :ivar content_type: of the body; ``None`` where there is no body
    :ivar headers: the client's that may be forwarded, lower-case names
    """

    method: str
    path: str
    body: bytes = b""
    content_type: str | None = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
