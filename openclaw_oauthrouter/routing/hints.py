"""What request headers ask of the router."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.routing import RouteHints, Tier
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.routing.model_ids import PROFILES

TIER_HEADER = "x-oauthrouter-tier"
PROFILE_HEADER = "x-oauthrouter-profile"
MAX_TIER_HEADER = "x-oauthrouter-max-tier"
_HINTS = frozenset((TIER_HEADER, PROFILE_HEADER, MAX_TIER_HEADER))
_NONE = RouteHints()


def hints_of(headers: Mapping[str, str]) -> RouteHints:
    """Read the hints.

    :raises InvalidRequestError: a header holds something that does not exist; names what does
    """
    if _HINTS.isdisjoint(headers):
        return _NONE
    profile = headers.get(PROFILE_HEADER)
    if profile is not None and profile not in PROFILES:
        raise InvalidRequestError(f"{PROFILE_HEADER} is {profile!r}; use one of {', '.join(PROFILES)}", param=PROFILE_HEADER)
    return RouteHints(_tier(headers, TIER_HEADER), profile, _tier(headers, MAX_TIER_HEADER))


def _tier(headers: Mapping[str, str], name: str) -> Tier | None:
    value = headers.get(name)
    if value is None:
        return None
    try:
        return Tier(value.strip().upper())
    except ValueError:
        raise InvalidRequestError(f"{name} is {value!r}; use one of {', '.join(Tier)}", param=name) from None
