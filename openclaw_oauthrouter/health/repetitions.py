"""Notices a refusal that comes back word for word for other requests: then it is not the request that is at fault."""

from __future__ import annotations

import re

from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.health.cooldowns import MOST_SUBJECTS

_IDS = re.compile(r"\b(?:req|request|id|trace|cf-ray)\S*[:= ]+\S+|\b[0-9a-f]{8}-?[0-9a-f-]{8,}\b|\breq\w*_\w+", re.IGNORECASE)
"""What differs from answer to answer although the words are the same."""


class Repetitions:
    """The last refusal of each model, and of which request."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[str, int]] = {}

    def again(self, provider: str, model: str, error: UpstreamError, request_key: int | None) -> bool:
        """Take note of a refusal; ``True`` when the one before said the same of another request.

        :param request_key: tells requests apart; ``None`` when nobody knows, and then nothing is noticed
        """
        if request_key is None or error.upstream_status is None:
            return False
        said = f"{error.upstream_status} {_IDS.sub('', error.message)}"
        key = (provider, model)
        before = self._last.pop(key, None)
        if len(self._last) >= MOST_SUBJECTS:
            del self._last[next(iter(self._last))]
        self._last[key] = (said, request_key)
        return before is not None and before[0] == said and before[1] != request_key

    def forget(self, provider: str, model: str) -> None:
        """It has answered, so it refuses some requests only."""
        self._last.pop((provider, model), None)
