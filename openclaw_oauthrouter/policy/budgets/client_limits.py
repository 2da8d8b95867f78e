"""Rules that hold for one client key only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_oauthrouter.canonical.spending import DAY, Limit, PlannedCall, client_scope
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.errors import ModelNotAllowedError
from openclaw_oauthrouter.policy.model_names import ModelList
from openclaw_oauthrouter.policy.money import microdollars


class ClientLimits:
    """``server.clientKeys``: models, requests a day, money a day."""

    name = "client-limits"

    def __init__(self, clients: Mapping[str, ClientKeySettings], *, hard: bool = False) -> None:
        self.idle = not clients
        self._allowed = {name: ModelList(settings.allowlist_models) for name, settings in clients.items()}
        self._limits = {name: _limits(name, settings, hard) for name, settings in clients.items()}
        self.limits: Sequence[Limit] = tuple(limit for limits in self._limits.values() for limit in limits)

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """The limits of the call's client.

        :raises ModelNotAllowedError: the client may not use the model
        """
        client = call.client
        if client is None or client not in self._limits:
            return ()
        allowed = self._allowed[client]
        if allowed and call.info not in allowed:
            raise ModelNotAllowedError(
                f"model {call.info.name!r} is not on the allow-list of client {client!r} (server.clientKeys)"
            )
        return self._limits[client]


def _limits(name: str, settings: ClientKeySettings, hard: bool) -> tuple[Limit, ...]:
    limits = []
    if settings.daily_request_budget is not None:
        limits.append(Limit(DAY, "requests", settings.daily_request_budget, client_scope(name), hard=hard))
    if settings.daily_cost_budget is not None:
        most = microdollars(settings.daily_cost_budget)
        limits.append(Limit(DAY, "microdollars", most, client_scope(name), hard=hard))
    return tuple(limits)
