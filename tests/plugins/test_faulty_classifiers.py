"""Whatever a third party's part of the classifier does, the request is classified, and the fault is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_oauthrouter import hookimpl
from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import Classification, DimensionScore, Tier
from openclaw_oauthrouter.classifier.request_classifier import RequestClassifier
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.plugins import create_plugin_manager

HI = ChatRequest("x", "auto", (Message("user", (TextPart("hi"),)),))
GOOD = Classification(Tier.COMPLEX, 1.0, 1.0, "theirs", "as they say", (DimensionScore("theirs", 1, 0.5),), ("a note",))


def answer(**fields: Any) -> Classification:
    return Classification(**{**{name: getattr(GOOD, name) for name in Classification.__match_args__}, **fields})


async def _later() -> None:
    """An answer that has to be awaited."""


def _raise(error: BaseException) -> Callable[..., Any]:
    def raising(*_: object) -> Any:
        raise error

    return raising


NONSENSE: dict[str, Callable[[], Any]] = {
    "a text": lambda: "REASONING",
    "a tier": lambda: Tier.REASONING,
    "a dictionary": lambda: {"tier": "REASONING"},
    "a list": lambda: [GOOD],
    "nothing, as a number": lambda: 0,
    "nothing, as a text": lambda: "",
    "a generator": lambda: (one for one in ()),
    "a coroutine": _later,
    "a tier that is not": lambda: answer(tier="HARDEST"),
    "a tier as text": lambda: answer(tier="COMPLEX"),
    "no score": lambda: answer(score=None),
    "a score that is no number": lambda: answer(score=float("nan")),
    "an endless confidence": lambda: answer(confidence=float("inf")),
    "no method": lambda: answer(method=None),
    "no reasoning": lambda: answer(reasoning=None),
    "no dimensions": lambda: answer(dimensions=None),
    "other dimensions": lambda: answer(dimensions=("length",)),
    "a dimension without a number": lambda: answer(dimensions=(DimensionScore("x", float("nan"), 1.0),)),
    "no notes": lambda: answer(minimum_tiers=None),
    "other notes": lambda: answer(minimum_tiers=(1,)),
    "another turn": lambda: answer(turn="later"),
    "other trouble": lambda: answer(trouble="much"),
}


def classifier_with(plugin: object, tmp_path: Any, **routing: Any) -> RequestClassifier:
    settings = load_settings(
        environ={}, overrides={"home": tmp_path, "routing": {"classifier_budget_ms": 60_000, **routing}}
    ).settings
    return Builder(settings, create_plugin_manager(extra=[plugin], load_entry_points=False)).request_classifier


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_hook_nonsense_is_passed_over_and_told(nonsense: Callable[[], Any], tmp_path: Any) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_classify(self) -> Any:
            return nonsense()

    classify = classifier_with(Theirs(), tmp_path)
    for _ in range(2):
        assert classify(HI, None, "balanced", 1)[1].method == "rules"
    ((fault, count),) = classify.faults.items()
    assert fault.startswith("oauthrouter_classify returned ")
    assert count == 2


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(3), RecursionError(), MemoryError(), AssertionError()])
def test_hook_whatever_it_raises_is_passed_over_and_told_without_its_words(error: BaseException, tmp_path: Any) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_classify(self) -> Any:
            raise error

    classify = classifier_with(Theirs(), tmp_path)
    assert classify(HI, None, "balanced", 1)[1].method == "rules"
    assert list(classify.faults) == [f"oauthrouter_classify raised {type(error).__name__}"]


def test_hook_a_sound_answer_stands_as_it_is(tmp_path: Any) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_classify(self, features: Any) -> Classification | None:
            return GOOD if features.text == "hi" else None

    classify = classifier_with(Theirs(), tmp_path)
    assert classify(HI, None, "balanced", 1)[1] == GOOD
    assert classify.faults == {}


FAULTY: dict[str, Callable[[], Any]] = {**NONSENSE, "an error": _raise(KeyError("x")), "an exit": _raise(SystemExit(1))}


@pytest.mark.parametrize("faulty", FAULTY.values(), ids=FAULTY)
def test_registered_classifier_that_fails_leaves_it_to_the_built_in_one(faulty: Callable[[], Any], tmp_path: Any) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_register_classifiers(self) -> Any:
            return [SimpleNamespace(name="theirs", classify=lambda features: faulty())]

    classify = classifier_with(Theirs(), tmp_path, classifier="theirs")
    assert classify(HI, None, "balanced", 1)[1].method == "rules"
    assert [fault.startswith("the configured classifier r") for fault in classify.faults] == [True]


@pytest.mark.parametrize("name", ["theirs", "tokenCount"])
@pytest.mark.parametrize(
    "score", [_raise(ZeroDivisionError()), lambda _: None, lambda _: 0.5, lambda _: DimensionScore("theirs", float("nan"), 1.0)]
)
def test_registered_dimension_that_fails_leaves_it_to_the_built_in_ones(
    name: str, score: Callable[..., Any], tmp_path: Any
) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_register_dimensions(self) -> Any:
            return [SimpleNamespace(name=name, weight=0.1, score=score)]

    classify = classifier_with(Theirs(), tmp_path)
    alone = classifier_with(object(), tmp_path)
    assert classify(HI, None, "balanced", 1) == alone(HI, None, "balanced", 1)
    assert sum(classify.faults.values()) == 1


@pytest.mark.parametrize("strip", [_raise(ValueError()), lambda _: None, lambda _: 7])
def test_registered_prompt_wrapper_that_fails_leaves_it_to_the_built_in_ones(strip: Callable[..., Any], tmp_path: Any) -> None:
    class Theirs:
        @hookimpl
        def oauthrouter_register_prompt_wrappers(self) -> Any:
            return [SimpleNamespace(name="theirs", strip=strip)]

    classify = classifier_with(Theirs(), tmp_path)
    features, classified = classify(HI, None, "balanced", 1)
    assert (features.text, classified.tier) == ("hi", Tier.SIMPLE)
    assert sum(classify.faults.values()) == 1


def test_our_own_parts_hide_nothing(tmp_path: Any) -> None:
    broken = SimpleNamespace(name="x", classify=_raise(KeyError("ours")))
    classify = RequestClassifier(
        prompt_wrappers=(),
        classifiers={"economy": broken, "balanced": broken, "quality": broken},
        ask_plugins=None,
        budget_seconds=1.0,
        clock=time.perf_counter,
    )
    with pytest.raises(KeyError):
        classify(HI, None, "balanced", 1)
