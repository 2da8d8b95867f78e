"""Keeps a single request from being too large."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.spending import Limit, PlannedCall
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import RequestTokensTooHighError


class RequestTokens:
    """``maxRequestInputTokens``, then ``maxRequestOutputTokens``."""

    name = "request-tokens"
    limits: Sequence[Limit] = ()

    def __init__(self, settings: SpendSettings) -> None:
        self.idle = settings.max_request_input_tokens is None and settings.max_request_output_tokens is None
        self._most_input = settings.max_request_input_tokens
        self._most_output = settings.max_request_output_tokens

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """No limits for the ledger.

        :raises RequestTokensTooHighError: the estimate exceeds a cap
        """
        _keep("input", call.estimate.input_tokens, self._most_input, "maxRequestInputTokens")
        _keep("output", call.estimate.output_tokens, self._most_output, "maxRequestOutputTokens")
        return ()


def _keep(side: str, tokens: int, most: int | None, setting: str) -> None:
    if most is not None and tokens > most:
        raise RequestTokensTooHighError(
            f"the request needs about {tokens:,} {side} tokens, more than the {most:,} that spendControls.{setting} allows"
        )
