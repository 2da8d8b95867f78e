"""Client keys: one more token for a person or a program, made here, shown once, and kept in the configuration file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.changes.settings_file import SettingChange
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import InvalidRequestError, NotFoundError

LIMITS = ("allowlist_models", "daily_request_budget", "daily_cost_budget")

_NAME = lazily(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def new_key(
    name: str, limits: Mapping[str, Any], settings: Settings, new_token: Callable[[], Secret]
) -> tuple[SettingChange, Secret]:
    """A key to be added, and its token, which is not shown again.

    :param limits: by the names of ``LIMITS``; those absent or ``None`` do not limit
    :raises InvalidRequestError: the name is none, or taken
    """
    if _NAME.fullmatch(name) is None or name == "default":
        raise InvalidRequestError(
            "a client key's name has 1 to 64 letters, digits, '.', '_' or '-', and is not 'default'",
            param="name",
            code="bad_name",
        )
    if name in settings.server.client_keys:
        raise InvalidRequestError(f"there is a client key {name!r} already", param="name", code="name_taken")
    unknown = next((limit for limit in limits if limit not in LIMITS), None)
    if unknown is not None:
        raise InvalidRequestError(f"a client key has no {unknown[:80]!r}; it has {', '.join(LIMITS)}", param=unknown[:80])
    token = new_token()
    said = {limit: value for limit, value in limits.items() if value not in (None, [])}
    return SettingChange(("server", "client_keys", name), {"token": token.reveal(), **said}), token


def removed_key(name: str, settings: Settings) -> SettingChange:
    """A key to be taken out.

    :raises NotFoundError: there is none of this name
    """
    if name not in settings.server.client_keys:
        raise NotFoundError(f"there is no client key {name[:80]!r}", param="name")
    return SettingChange(("server", "client_keys", name))
