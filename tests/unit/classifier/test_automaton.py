"""The automaton in Python finds what ahocorasick-rs finds, in the same order, whatever the words and the text."""

from __future__ import annotations

import sys

import pytest
from ahocorasick_rs import AhoCorasick, Implementation
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_oauthrouter.classifier import lexicon
from openclaw_oauthrouter.classifier.automaton import PythonFinder, finder
from openclaw_oauthrouter.classifier.lexicon import Lexicon, Vocabulary

# Few characters, so that words overlap, repeat and hold one another; some of several bytes, for offsets count characters.
LETTERS = st.sampled_from("aab bc_é证\U0001f600")
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=5), max_size=12)
TEXTS = st.text(LETTERS, max_size=60)


@given(WORDS, TEXTS)
@example(["a", "a", "aa", "baa"], "abaaab")
@example(["abcd", "bc", "c"], "abcabcd")
@example(["ab", "bab", "b b"], "ab bab")
def test_python_finder_finds_what_the_compiled_one_finds(words: list[str], text: str) -> None:
    compiled = AhoCorasick(words, implementation=Implementation.ContiguousNFA, store_patterns=False)
    assert PythonFinder(words).find_matches_as_indexes(text, overlapping=True) == compiled.find_matches_as_indexes(
        text, overlapping=True
    )


@pytest.fixture(scope="module")
def vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """The shipped lists: compiled, and in Python."""
    compiled = Lexicon().prompt
    before, lexicon.finder = lexicon.finder, PythonFinder
    try:
        return compiled, Lexicon().prompt
    finally:
        lexicon.finder = before


SHIPPED = sorted(
    word for words in lexicon._lists("keywords").values() for entry in words for word in entry.lower().rstrip("*").split("|")
)


@given(st.lists(st.sampled_from(SHIPPED) | st.sampled_from([" ", ", ", "x", "'", "\n"]), max_size=30))
def test_vocabulary_of_the_shipped_lists_is_the_same(vocabularies: tuple[Vocabulary, Vocabulary], pieces: list[str]) -> None:
    compiled, python = vocabularies
    for text in ("".join(pieces), " ".join(pieces)):
        found, wanted = python.find(text), compiled.find(text)
        assert found == wanted
        assert list(found) == list(wanted)


def test_finder_does_without_the_compiled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(finder(["a"]), AhoCorasick)
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    assert isinstance(finder(["a"]), PythonFinder)
