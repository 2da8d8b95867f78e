"""Notices a refusal that comes back word for word for other requests: then it is not the request that is at fault."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.health.cooldowns import MOST_SUBJECTS

_IDS = lazily(
    r"""\b(?:request|req|trace|span|correlation|log|event|session|cf)?[ _-]?(?:id|ray)\b["']?\s*[:=]?\s*["']?[\w.-]*\d[\w.-]*"""
    r"""|\b\w{2,12}_\w*\d\w*\b|\b[0-9a-f]{8}-?[0-9a-f-]{8,}\b|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*|\b\d{10,}\w*""",
    re.IGNORECASE,
)
"""What differs from answer to answer although the words are the same."""


MOST_REMEMBERED = 8
"""Refusals of one model: several clients may each have their own, in turns."""


class Repetitions:
    """The last refusals of each model, and of which request each was."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], dict[str, int]] = {}

    def again(self, provider: str, model: str, error: UpstreamError, request_key: int | None) -> bool:
        """Take note of a refusal; ``True`` when an earlier one said the same of another request.

        :param request_key: tells requests apart; ``None`` when nobody knows, and then nothing is noticed
        """
        if request_key is None or error.upstream_status is None:
            return False
        said = f"{error.upstream_status} {_IDS.sub('', error.message)}"
        key = (provider, model)
        before = self._last.pop(key, {})
        if len(self._last) >= MOST_SUBJECTS:
            del self._last[next(iter(self._last))]
        self._last[key] = before
        earlier = before.pop(said, None)
        if len(before) >= MOST_REMEMBERED:
            del before[next(iter(before))]
        before[said] = request_key
        return earlier is not None and earlier != request_key

    def forget(self, provider: str, model: str) -> None:
        """It has answered, so it refuses some requests only."""
        if self._last:
            self._last.pop((provider, model), None)
