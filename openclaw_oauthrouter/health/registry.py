"""What is known of providers, models and credentials being out of order, and what clears it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import PlanWindow, WindowShare
from openclaw_oauthrouter.errors import UpstreamBillingError, UpstreamError, UpstreamRateLimitError
from openclaw_oauthrouter.health.cooldowns import MOST_SUBJECTS, Cooldowns, Cooling, Subject
from openclaw_oauthrouter.health.failures import REPEATED, classify_failure
from openclaw_oauthrouter.health.plan_windows import PlanWindows
from openclaw_oauthrouter.health.repetitions import Repetitions
from openclaw_oauthrouter.health.window_shares import WindowShares
from openclaw_oauthrouter.health.windows import Reading, read_windows, speak_of_limits

_LIMIT_OF_MODELS = lazily(r"\b(opus|sonnet|haiku)\b[^.]{0,40}\b(?:limit|quota)\b")
"""A plan's words for a window that does not count all of its models, as in "You've reached your Opus usage limit"."""


class HealthRegistry:
    """``interfaces.Health``: cooldowns by the evidence of each failure, and the windows providers report.

    :param clock: Unix seconds
    :param rule_for: the table of failures
    :param steady: seconds of a clock that only runs forward; ``clock`` when absent
    """

    def __init__(
        self,
        clock: Clock,
        *,
        rule_for: Callable[[UpstreamError], FailureRule] = classify_failure,
        steady: Clock | None = None,
    ) -> None:
        self._clock = clock
        self._rule_for = rule_for
        self._listeners: list[Callable[[], None]] = []
        self.cooldowns = Cooldowns(clock, steady)
        self._repetitions = Repetitions()
        self.windows = PlanWindows(clock)
        self._shares = WindowShares()
        self._called: dict[tuple[str, str | None], float] = {}

    @property
    def troubled(self) -> bool:
        """See ``Health``."""
        return bool(self.cooldowns.states or self.windows.used_up)

    def blocked(self, provider: str, model: str, credential: str | None = None) -> str | None:
        """See ``Health``. Once a minute one call is let through to what is blocked, to see whether it works again.

        Of several reasons, the one that lasts longest is told.
        """
        if self.cooldowns.states:
            for subject in _subjects(provider, model, credential):
                reason = self.cooldowns.blocked(subject)
                if reason is not None:
                    cooling = self.cooldowns.of(subject)
                    left = self.cooldowns.left(cooling) if cooling is not None else 0.0
                    return self.windows.blocked(provider, credential, model, beyond=left) or reason
        return self.windows.blocked(provider, credential, model)

    def windows_of(self, provider: str, model: str, credential: str | None = None) -> Sequence[PlanWindow]:
        """See ``Health``."""
        return [_plan_window(reading) for reading in self.windows.telling(provider, credential, model)]

    def exhausted(self, provider: str, model: str, credential: str | None = None) -> str | None:
        """See ``Health``."""
        return self.windows.blocked(provider, credential, model)

    def calling(self, provider: str, model: str, credential: str | None) -> None:
        """See ``Health``."""
        if len(self._called) >= MOST_SUBJECTS:
            self._called.clear()
        self._called[provider, credential] = self._clock()
        if self.cooldowns.states:
            for subject in _subjects(provider, model, credential):
                self.cooldowns.calling(subject)
        if self.windows.used_up:
            self.windows.calling(provider, credential, model)

    def told(self, provider: str, model: str, credential: str | None = None) -> UpstreamError | None:
        """See ``Health``."""
        waits = [wait for subject in _subjects(provider, model, credential) if (wait := self.cooldowns.told(subject))]
        if not waits:
            return None
        seconds, cooling = max(waits, key=lambda wait: wait[0])
        words = f"{provider} asked to be left alone for another {math.ceil(seconds)} s: {cooling.reason}"
        return _failure_of(cooling, words, provider, seconds)

    def standing(self, provider: str, model: str, credential: str | None = None) -> UpstreamError:
        """See ``Health``."""
        for subject in _subjects(provider, model, credential):
            cooling = self.cooldowns.of(subject)
            if cooling is not None:
                told = self.cooldowns.told(subject)
                words = self.cooldowns.blocked(subject) or cooling.reason
                return _failure_of(cooling, words, provider, told[0] if told else None)
        words = self.windows.blocked(provider, credential, model) or "it is left alone for now"
        return UpstreamRateLimitError(words, code="usage_limit_reached", provider=provider)

    def failed(
        self, provider: str, model: str, credential: str | None, error: UpstreamError, request_key: int | None = None
    ) -> None:
        """See ``Health``. A client's mistake leaves nothing alone, unless it comes back for other requests too."""
        rule = self._rule_for(error)
        if rule.scope == "credential" and self._is_of_some_models(provider, model, credential, error, rule):
            self._changed()
            return
        if rule.scope == "request" and self._repetitions.again(provider, model, error, request_key):
            rule = REPEATED
        names = {"provider": "", "model": model, "credential": credential or ""}
        if rule.scope in names and self.cooldowns.begin(Subject(rule.scope, provider, names[rule.scope]), rule, error):
            self._changed()

    def _is_of_some_models(
        self, provider: str, model: str, credential: str | None, error: UpstreamError, rule: FailureRule
    ) -> bool:
        """Whether a refusal is about a limit that counts some models only: that window rests, the account serves the others.

        Headers tell it, else the words do; then the window is as long as the cooldown would be.
        """
        if not isinstance(error, UpstreamRateLimitError | UpstreamBillingError):
            return False
        named = _LIMIT_OF_MODELS.search(error.message.lower())
        if named is not None and named[1] in model.lower() and self.windows.blocked(provider, credential, model) is None:
            now = self._clock()
            seconds = error.retry_after or (rule.cooldown.seconds if rule.cooldown else 0.0)
            reading = Reading(named[1], None, now + seconds, exhausted=True, models=named[1], observed_at=now)
            self.windows.observe(provider, credential, model, [reading])
        return self.windows.model_alone_used_up(provider, credential, model)

    def succeeded(self, provider: str, model: str, credential: str | None) -> None:
        """See ``Health``."""
        self._repetitions.forget(provider, model)
        if not self.cooldowns.states and not self.windows.used_up:
            return
        cleared = [self.cooldowns.clear(subject) for subject in _subjects(provider, model, credential)]
        freed = self.windows.answered(provider, credential, model)
        if freed or any(cleared):
            self._changed()

    def observe_headers(
        self, provider: str, credential: str | None, headers: Mapping[str, str], model: str | None = None
    ) -> None:
        """See ``Health``."""
        readings = read_windows(headers, self._clock(), model or "") if speak_of_limits(headers) else ()
        if not readings:
            return
        self._shares.observe(provider, credential, readings)
        if self.windows.observe(provider, credential, model, readings):
            self.cooldowns.clear(Subject("credential", provider, credential or ""))
        self._changed()

    def windows_told_at(self, provider: str, credential: str | None) -> float:
        """See ``Health``."""
        return self.windows.told_at(provider, credential)

    def called_at(self, provider: str, credential: str | None) -> float:
        """See ``Health``."""
        return self._called.get((provider, credential), 0.0)

    def charged(self, provider: str, model: str, credential: str | None, dollars: float) -> Sequence[WindowShare]:
        """See ``Health``."""
        return self._shares.charge(provider, credential, model, dollars, self._clock())

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have something called after each change."""
        self._listeners.append(listener)

    def snapshot(self) -> JsonObject:
        """See ``Health``: ``{"cooldowns": […], "windows": […]}``, times in UTC."""
        now = self._clock()
        return {
            "cooldowns": [
                {
                    "scope": subject.scope,
                    "provider": subject.provider,
                    "name": subject.name or None,
                    "until": _utc(state.until),
                    "seconds_left": round(state.until - now, 1),
                    "failures": state.failures,
                    "reason": state.reason,
                }
                for subject, state in self.cooldowns.items()
                if state.until > now
            ],
            "windows": [
                {"provider": provider, "credential": credential or None, "model": model or None, **_as_json(reading, now)}
                for (provider, credential, model), reading in self.windows.items()
            ],
        }

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()


def _failure_of(cooling: Cooling, words: str, provider: str, retry_after: float | None) -> UpstreamError:
    """The failure that began a cooldown, as far as a client need know it."""
    error = UpstreamError(words, code=cooling.code or None, retry_after=retry_after, provider=provider)
    error.status_code, error.retryable = cooling.status, cooling.retryable
    error.error_type = cooling.kind  # type: ignore[misc]
    return error


def _subjects(provider: str, model: str, credential: str | None) -> Sequence[Subject]:
    return (Subject("provider", provider), Subject("model", provider, model), Subject("credential", provider, credential or ""))


def _plan_window(reading: Reading) -> PlanWindow:
    return PlanWindow(reading.name, reading.used or 0.0, reading.seconds, reading.resets_at, reading.extra)


def _as_json(reading: Reading, now: float) -> JsonObject:
    runs_out_at = None if reading.per_model else _plan_window(reading).runs_out_at(now)
    return {
        "window": reading.name,
        "used": reading.used,
        "exhausted": reading.exhausted and (reading.resets_at or 0.0) > now,
        "resets_at": None if reading.resets_at is None else _utc(reading.resets_at),
        "runs_out_at": None if runs_out_at is None else _utc(runs_out_at),
        "observed_at": _utc(reading.observed_at),
    }


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
