"""The learned term is small, plain and explains itself."""

from __future__ import annotations

import subprocess
import sys

from openclaw_oauthrouter.canonical.routing import RequestFeatures
from openclaw_oauthrouter.classifier.excerpt import tokens_of
from openclaw_oauthrouter.classifier.learned import SURFACE_FEATURES, LearnedScore, surface_features
from openclaw_oauthrouter.classifier.lexicon import read_data

TOY = {
    "scale": 10,
    "bias": -0.1,
    "surface": dict.fromkeys(SURFACE_FEATURES, 0.0),
    "words": {"prove": 20, "hi": -20},
    "pairs": {"prove that": 10},
}


def features(text: str) -> RequestFeatures:
    return RequestFeatures(text, len(text))


def test_words_and_pairs_weigh_and_are_named() -> None:
    term = LearnedScore(1.0, TOY)
    hard, easy = term.score(features("Prove that it holds")), term.score(features("hi"))
    assert easy.score < -0.1 < 0.1 < hard.score
    assert hard.signal is not None
    assert "(prove, prove that)" in hard.signal
    assert easy.signal is not None
    assert "(hi)" in easy.signal


def test_repeating_a_word_does_not_add_weight() -> None:
    term = LearnedScore(1.0, TOY)
    assert term.score(features("prove")).score == term.score(features("prove prove prove")).score


def test_ideographs_are_tokens_of_their_own() -> None:
    assert tokens_of("a1定理 x_y") == ["a", "1", "定", "理", "x", "y"]
    assert tokens_of("don't 42") == ["don", "t", "4", "2"]


def test_figures_of_shape_are_bounded() -> None:
    for text in ("", "hi", "定理" * 900, "$\\frac{1}{2}$ = x^2; f() {}" * 100, "\n?\n"):
        tokens = tokens_of(text)
        surface = surface_features(text, tokens, len(set(tokens)))
        assert len(surface) == len(SURFACE_FEATURES)
        assert all(0 <= figure <= 1.3 for figure in surface)


def test_learned_shipped_model_is_small() -> None:
    import json
    from importlib.resources import files

    text = files("openclaw_oauthrouter.classifier").joinpath("data", "learned.json").read_text("utf-8")
    assert len(text.encode()) <= 100_000
    assert list(read_data("learned.json")["surface"]) == list(SURFACE_FEATURES)
    assert json.loads(text)["words"]


def test_classifying_needs_no_numerical_library() -> None:
    program = (
        "import sys\n"
        "from openclaw_oauthrouter.classifier.rules import Rules\n"
        "from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions\n"
        "from openclaw_oauthrouter.classifier.parameters import Parameters\n"
        "from openclaw_oauthrouter.canonical.routing import RequestFeatures\n"
        "Rules(builtin_dimensions(Parameters.load(learned=True).weights)).classify(RequestFeatures('hi', 2))\n"
        "assert not {'numpy', 'scipy', 'quart'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=50)
