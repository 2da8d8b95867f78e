"""Fits the learned term: which words, pairs of words and surface figures go with prompts that need a strong model.

Two questions are asked of the wording. *Mistakes*: does a weak model fail (graded answers to exam questions)? *Bands*: how hard is the
kind of prompt (chit-chat, short fact, word problem, competition)? The first separates inside a kind, the second between kinds; the
term is the first plus ``BAND_SHARE`` times the second.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse
from corpus import Prompt
from linear import Array, Problem, balanced, solve, stepped

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.classifier.excerpt import tokens_of
from openclaw_oauthrouter.classifier.learned import EVIDENCE, SURFACE_FEATURES, surface_features

BAND_SHARE = 0.8
"""How much the kind of a prompt counts beside what a weak model makes of it."""
RARE = 6
"""Fewest prompts a word has to occur in."""
KEPT = 4400
"""Words and pairs that are kept; the file stays below 100 kB."""
PENALTY_MISTAKES = 0.3
PENALTY_BANDS = 3.0
PENALTY_SURFACE = 1.0
SPREAD = 4.0
"""What the raw score is divided by, so that nearly all of it lies between -1 and 1."""
SCALE = 200
"""Weights are stored as whole numbers of this fraction."""

Word = str | tuple[str, str]
Reading = tuple[frozenset[Word], tuple[float, ...]]
"""Words and pairs of a prompt, and its surface."""


def read(prompt: Prompt) -> Reading:
    """A prompt's words and pairs, and its surface, exactly as the classifier sees them."""
    text = prompt.features.text.lower()
    tokens = tokens_of(text)
    words = set(tokens)
    return frozenset({*words, *pairwise(tokens)}), surface_features(text, tokens, len(words), prompt.features.letters)


def fit(prompts: Sequence[Prompt]) -> JsonObject:
    """The model as ``learned.json`` holds it."""
    readings = [read(prompt) for prompt in prompts]
    vocabulary = _frequent(readings)
    coefficients = _coefficients(prompts, readings, vocabulary)
    usage = _matrix(readings, vocabulary)[0].getnnz(axis=0) ** 0.5
    order = np.argsort(-np.abs(coefficients[: len(vocabulary)]) * usage, kind="stable")[:KEPT]
    words = list(vocabulary)
    kept = {words[position]: rank for rank, position in enumerate(sorted(order))}
    return _model(kept, _coefficients(prompts, readings, kept))


def _frequent(readings: Sequence[Reading]) -> dict[Word, int]:
    counts = Counter(word for words, _ in readings for word in words)
    frequent = [word for word, count in counts.items() if count >= RARE]
    frequent.sort(key=lambda word: (-counts[word], _spelt(word)))
    return {word: position for position, word in enumerate(frequent)}


def _coefficients(prompts: Sequence[Prompt], readings: Sequence[Reading], vocabulary: Mapping[Word, int]) -> Array:
    """Words, then surface figures, then one intercept."""
    words, shapes = _matrix(readings, vocabulary)
    penalty = np.concatenate([np.ones(len(vocabulary)), np.full(len(SURFACE_FEATURES), PENALTY_SURFACE), [1e-6]])
    graded = [position for position, prompt in enumerate(prompts) if prompt.weak is not None]
    mistakes = _mistakes([prompts[position] for position in graded], words[graded], shapes[graded], penalty)
    banded = [position for position, prompt in enumerate(prompts) if prompt.band is not None]
    bands = _bands([prompts[position] for position in banded], words[banded], shapes[banded], penalty)
    return mistakes + BAND_SHARE * bands


def _mistakes(prompts: Sequence[Prompt], words: Array, shapes: Array, penalty: Array) -> Array:
    matrix = sparse.hstack([words, shapes, np.ones((len(prompts), 1))]).tocsr()
    signs = np.array([1.0 if (prompt.weak or 0.0) < 0.5 else -1.0 for prompt in prompts])
    scale = np.where(np.arange(len(penalty)) < words.shape[1], PENALTY_MISTAKES, 1.0)
    zero = np.zeros(len(penalty))
    return solve(Problem(matrix, signs, np.ones(len(prompts)), penalty * scale, zero, np.zeros(len(prompts))))


def _bands(prompts: Sequence[Prompt], words: Array, shapes: Array, penalty: Array) -> Array:
    """One score and three thresholds: "harder than band 0", "than 1", "than 2"."""
    bands = np.array([prompt.band for prompt in prompts])
    weights = balanced(bands, [prompt.group for prompt in prompts])
    count = len(prompts)
    blocks = [sparse.hstack([words, shapes, np.tile(np.eye(3)[step], (count, 1))]) for step in range(3)]
    matrix = sparse.vstack(blocks).tocsr()
    signs = np.concatenate([np.where(bands > step, 1.0, -1.0) for step in range(3)])
    size = words.shape[1] + shapes.shape[1]
    scale = np.where(np.arange(size) < words.shape[1], PENALTY_BANDS, 1.0)
    full = np.concatenate([penalty[:size] * scale, np.full(3, 1e-6)])
    found = solve(Problem(matrix, signs, stepped(weights), full, np.zeros(size + 3), np.zeros(3 * count)))
    return np.concatenate([found[:size], [found[size + 1]]])


def _matrix(readings: Sequence[Reading], vocabulary: Mapping[Word, int]) -> tuple[Array, Array]:
    rows, columns, values = [], [], []
    for row, (words, _) in enumerate(readings):
        known = sorted(vocabulary[word] for word in words if word in vocabulary)
        rows += [row] * len(known)
        columns += known
        values += [1 / math.sqrt(len(known) + EVIDENCE)] * len(known)
    matrix = sparse.csr_matrix((values, (rows, columns)), (len(readings), len(vocabulary)))
    return matrix, np.array([surface for _, surface in readings])


def _model(kept: Mapping[Word, int], coefficients: Array) -> JsonObject:
    rounded = {word: round(float(coefficients[position]) / SPREAD * SCALE) for word, position in kept.items()}
    used = {word: weight for word, weight in rounded.items() if weight}
    surface = coefficients[len(kept) : len(kept) + len(SURFACE_FEATURES)] / SPREAD
    return {
        "scale": SCALE,
        "bias": round(float(coefficients[-1]) / SPREAD, 3),
        "surface": {name: round(float(weight), 3) for name, weight in zip(SURFACE_FEATURES, surface, strict=True)},
        "words": {word: used[word] for word in sorted(word for word in used if isinstance(word, str))},
        "pairs": {" ".join(word): used[word] for word in sorted(word for word in used if not isinstance(word, str))},
    }


def _spelt(word: Word) -> str:
    return word if isinstance(word, str) else " ".join(word)
