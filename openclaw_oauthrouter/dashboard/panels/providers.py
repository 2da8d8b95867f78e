"""Which providers answer, and which are left alone for a while."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord

_REMEMBERED = 50
_FINE = 0.9
"""Share of the latest calls answered below which a provider is shown as one to watch."""


class Providers:
    """Each provider's latest calls, and what ``/debug/provider-health`` says is out of order."""

    name = "providers"
    title = "Providers"
    source = "health"

    def __init__(self) -> None:
        self._outcomes: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def update(self, record: RequestRecord) -> None:
        """Remember how each call of a provider ended."""
        for attempt in record.attempts:
            self._outcomes[attempt.provider].append(attempt.outcome == "ok")

    def show(self, snapshot: JsonObject) -> JsonObject:
        """States: cooldowns first."""
        cooldowns = [_cooling(cooldown) for cooldown in snapshot.get("cooldowns", ())]
        stopped = {cooldown["provider"] for cooldown in snapshot.get("cooldowns", ()) if cooldown["scope"] == "provider"}
        calls = [self._called(provider) for provider in sorted(self._outcomes) if provider not in stopped]
        return {"view": "states", "items": cooldowns + calls, "empty": "No provider was called yet."}

    def _called(self, provider: str) -> JsonObject:
        outcomes = self._outcomes[provider]
        answered = sum(outcomes)
        state = "ok" if answered >= _FINE * len(outcomes) else "warn"
        return {"label": provider, "state": state, "note": f"answered {answered} of the last {len(outcomes)} calls"}


def _cooling(cooldown: JsonObject) -> JsonObject:
    provider, name = cooldown["provider"], cooldown.get("name")
    label = provider if not name else f"{provider} · {name}"
    until = datetime.fromisoformat(cooldown["until"]).timestamp()
    return {"label": label, "state": "bad", "note": cooldown.get("reason"), "until": until}
