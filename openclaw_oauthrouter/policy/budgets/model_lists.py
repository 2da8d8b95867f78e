"""Models nobody may use, and the only ones anybody may."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.spending import Limit, PlannedCall
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import ModelNotAllowedError
from openclaw_oauthrouter.policy.model_names import ModelList


class ModelLists:
    """``denylistModels`` before ``allowlistModels``; an empty allow-list allows all."""

    name = "model-lists"
    limits: Sequence[Limit] = ()

    def __init__(self, settings: SpendSettings) -> None:
        self.idle = not (settings.denylist_models or settings.allowlist_models)
        self._denied = ModelList(settings.denylist_models)
        self._allowed = ModelList(settings.allowlist_models)

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """No limits for the ledger.

        :raises ModelNotAllowedError: the model is denied, or not among those allowed
        """
        if self._denied.bars(call.info):
            raise ModelNotAllowedError(f"model {call.info.name!r} is on the deny-list (spendControls.denylistModels)")
        if self._allowed and call.info not in self._allowed:
            raise ModelNotAllowedError(f"model {call.info.name!r} is not on the allow-list (spendControls.allowlistModels)")
        return ()
