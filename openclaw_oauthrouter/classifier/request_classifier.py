"""Classifies whole requests: features, then plugins' classifiers within a time budget, then the configured one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Classification, RequestFeatures
from openclaw_oauthrouter.canonical.value import changed
from openclaw_oauthrouter.classifier.features import Unwrapped, features_of
from openclaw_oauthrouter.classifier.flight import Trouble
from openclaw_oauthrouter.classifier.soundness import fault_of
from openclaw_oauthrouter.config.routing import Profile
from openclaw_oauthrouter.interfaces import Classifier, PromptWrapper

log = logging.getLogger(__name__)

COMPATIBLE = "rules-v1"
"""The original's classifier: it knows nothing of what happens in flight."""

Ask = Callable[[RequestFeatures], Any]
"""The answer is a third party's, and so may be anything."""


class RequestClassifier:
    """What the router asks for ``auto`` requests.

    :param classifiers: the configured classifier, by profile
    :param ask_plugins: the hook ``oauthrouter_classify``; ``None`` where nobody implements it
    :param budget_seconds: a plugin slower than this is passed over
    :param clock: a monotonic one
    :param spare: made of nothing but our own parts; answers where the configured classifier, or what it is made of, is a third party's and
        fails. ``None`` where all of it is ours: a fault of ours is not to be hidden
    :ivar faults: what plugins did wrong, and how often; ``/debug/provider-health`` tells it, and with it ``doctor``
    """

    def __init__(
        self,
        *,
        prompt_wrappers: Sequence[PromptWrapper],
        classifiers: Mapping[Profile, Classifier],
        ask_plugins: Ask | None,
        budget_seconds: float,
        clock: Clock,
        spare: RequestClassifier | None = None,
    ) -> None:
        self.faults: dict[str, int] = {}
        self._unwrapped = Unwrapped(prompt_wrappers)
        self._classifiers = classifiers
        self._ask_plugins = ask_plugins
        self._budget_seconds = budget_seconds
        self._clock = clock
        self._trouble = Trouble()
        self._spare = spare

    def __call__(
        self, request: ChatRequest, known: Conversation | None, profile: Profile, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]:
        """Classify one request.

        :param known: what is remembered of its conversation
        """
        if self._spare is None:
            features, classified = self._classified(request, known, profile, input_tokens)
        else:
            try:
                features, classified = self._classified(request, known, profile, input_tokens)
                wrong = fault_of(classified)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - third parties' parts may raise anything
                self._fault(f"the configured classifier raised {type(error).__name__}", error)
                return self._spare(request, known, profile, input_tokens)
            if wrong is not None:
                self._fault(f"the configured classifier {wrong}")
                return self._spare(request, known, profile, input_tokens)
        if features.flight is None or classified.method == COMPATIBLE:
            return features, classified
        chance = self._trouble.chance(features.flight, input_tokens)
        return features, changed(classified, trouble=chance)

    def _classified(
        self, request: ChatRequest, known: Conversation | None, profile: Profile, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]:
        features = features_of(request, unwrapped=self._unwrapped, known=known, input_tokens=input_tokens)
        return features, self._from_plugins(features) or self._classifiers[profile].classify(features)

    def _from_plugins(self, features: RequestFeatures) -> Classification | None:
        if self._ask_plugins is None:
            return None
        started = self._clock()
        try:
            answer = self._ask_plugins(features)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything; the request is classified all the same
            self._fault(f"oauthrouter_classify raised {type(error).__name__}", error)
            return None
        if self._clock() - started > self._budget_seconds:
            self._fault("oauthrouter_classify took longer than routing.classifier_budget_ms")
            return None
        if answer is None:
            return None
        wrong = fault_of(answer)
        if wrong is not None:
            self._fault(f"oauthrouter_classify {wrong}")
            return None
        classified: Classification = answer
        return classified

    def _fault(self, what: str, error: BaseException | None = None) -> None:
        if what not in self.faults:
            log.warning("%s; another classifier answers instead", what, exc_info=error)
        self.faults[what] = self.faults.get(what, 0) + 1
