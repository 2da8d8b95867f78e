"""Short cuts over a text come to what the plain way comes to, whatever the text."""

from __future__ import annotations

import math
import re

from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.routing import RequestFeatures
from openclaw_oauthrouter.classifier.dimensions import MultiStepPatterns
from openclaw_oauthrouter.classifier.excerpt import (
    KIND,
    MANY_WORDS,
    ORDINARY_USE,
    _kinds,
    letters_in,
    letters_said,
    tokens_of,
)
from openclaw_oauthrouter.classifier.learned import SURFACE_FEATURES, surface_features

_TOKEN = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]|\d|[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]+"
)
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]")
_HANGUL = re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")
_NUMBERED = re.compile(r"^\s{0,3}(?:\d{1,2}[.)]|step \d)\s", re.MULTILINE | re.IGNORECASE)

MARKS = "abz09 \n_-.,'\"’“—éßμ東京ไทย한글😀½²٣\x1c\x85\u2028\u3000\xa0ªº\ud800"
texts = st.text(st.sampled_from(MARKS), max_size=60) | st.text(max_size=60)
pieces = st.sampled_from(["\n", "\n\n", " ", "1.", "12)", "step 3", "Step 4 ", "x", "\t", "3. ", "\r", "٣.", "\xa0"])
words = st.lists(st.sampled_from(["a", "foo", "foobar", "x" * 9, "é"]), max_size=150)


@given(texts.map(str.lower))
@example("a\u3000b")
def test_tokens_are_what_the_pattern_finds(text: str) -> None:
    assert tokens_of(text) == _TOKEN.findall(text)


@given(texts)
def test_letters_weigh_wide_characters(text: str) -> None:
    wide, hangul = len(_WIDE.findall(text)), len(_HANGUL.findall(text))
    assert letters_in(text) == len(text) + (wide - hangul) * (2.7 - 1) + hangul * (2.0 - 1)


@given(words, st.sampled_from([" ", "\n", "\x1f ", "\t\v"]))
def test_letters_said_counts_filler_once(said: list[str], between: str) -> None:
    text = between.join(said)
    full = letters_in(text)
    found = text.split()
    wanted = full if len(found) < MANY_WORDS else full * min(1.0, ORDINARY_USE * len(set(found)) / len(found))
    assert letters_said(text) == wanted


@given(st.lists(pieces, max_size=14).map("".join))
def test_numbered_lines_are_what_the_pattern_finds(text: str) -> None:
    steps = len(_NUMBERED.findall(text))
    score = MultiStepPatterns(1.0).score(RequestFeatures(text, len(text))).score
    assert score == (0.0 if steps < 2 else 0.5 if steps < 4 else 1.0)


@given(st.text(st.sampled_from("ab1 9\n\t\r\v\f.-é東٣\ud800"), max_size=80))
@example("\n \n\n  12345678901 \n")
@example("é\n \n\n  12345678901 \n")
def test_kinds_are_the_beginnings_of_lines(text: str) -> None:
    found = [kind.decode() if isinstance(kind, bytes) else kind for kind in _kinds(text)]
    assert found == [re.sub("[1-9]", "0", line).lstrip()[:KIND] for line in text.split("\n")]


@given(st.text(st.sampled_from("ab1\\$^=`;{()_?？[\"“,，、'-.\n é"), max_size=80), st.sampled_from(["", "```", "()", "é"]))
def test_surface_counts_marks_of_the_text(text: str, more: str) -> None:
    text += more
    tokens = tokens_of(text)
    size = len(text) or 1
    found = dict(zip(SURFACE_FEATURES, surface_features(text, tokens, len(set(tokens))), strict=True))
    digits = sum(character in "0123456789" for character in text)
    code = text.count("```") * 3 + sum(map(text.count, (";", "{", "()", "_")))
    assert found["digits"] == min(1.0, digits / size * 5)
    assert found["latex"] == min(1.0, text.count("\\") / 10)
    assert found["formula"] == min(1.0, sum(map(text.count, "$^=")) / 10)
    assert found["code"] == min(1.0, code / 15)
    assert found["lines"] == math.log1p(text.count("\n")) / 5
    assert found["questions"] == min(1.0, sum(map(text.count, "?？")) / 3)
    assert found["brackets"] == min(1.0, sum(map(text.count, "([")) / size * 40)
    assert found["quotes"] == min(1.0, sum(map(text.count, '"“')) / 6)
    assert found["commas"] == min(1.0, sum(map(text.count, ",，、")) / size * 30)
