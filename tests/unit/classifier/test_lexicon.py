"""Keywords match as whole words, once, in any script."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.classifier.lexicon import Lexicon, Vocabulary

INSIDE_LONGER_WORDS = {
    "code": "a letter completely various constraints important classical definition undefined",
    "reasoning": "improve disapproved waterproofing",
    "creative": "history prehistory storyteller's clause",
    "constraints": "understand thunder wander",
    "format": "executable vegetables stable",
    "domain": "basic basically",
}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon()


@pytest.mark.parametrize("name", INSIDE_LONGER_WORDS)
def test_lexicon_no_keyword_inside_a_longer_word(lexicon: Lexicon, name: str) -> None:
    for word in INSIDE_LONGER_WORDS[name].split():
        assert name not in lexicon.prompt.find(word), word


@pytest.mark.parametrize(
    ("text", "name", "keywords"),
    [
        ("prove the theorem", "reasoning", ("prove", "theorem")),
        ("two functions, one returns", "code", ("functions", "returns")),
        ("докажите теорему", "reasoning", ("докажите", "теорем")),
        ("请证明这个定理", "reasoning", ("证明", "定理")),
        ("この定理を証明してください", "reasoning", ("定理", "証明")),
        ("이 명제를 증명하세요", "reasoning", ("증명",)),
        ("demuestra el teorema", "reasoning", ("demuestra", "teorema")),
        ("beweise den lehrsatz", "reasoning", ("beweise", "lehrsatz")),
        ("démontrer le théorème", "reasoning", ("démontrer", "théorème")),
        ("prove o teorema", "reasoning", ("prove", "teorema")),
    ],
)
def test_languages(lexicon: Lexicon, text: str, name: str, keywords: tuple[str, ...]) -> None:
    assert lexicon.prompt.find(text)[name] == keywords


@pytest.mark.parametrize("word", ["定理", "首都", "生成", "最小", "最大", "量子"])
def test_lexicon_word_of_two_languages_counts_once(lexicon: Lexicon, word: str) -> None:
    found = lexicon.prompt.find(word)
    assert found
    assert all(hits == (word,) for hits in found.values())


def test_spellings_of_one_keyword_count_once() -> None:
    vocabulary = Vocabulary({"list": ["prove|proves|proved", "proof"]})
    assert vocabulary.find("he proves what she proved: prove it") == {"list": ("proves",)}


def test_lexicon_keyword_listed_twice_counts_once() -> None:
    assert Vocabulary({"list": ["最大", "最大|最大"]}).find("最大最大") == {"list": ("最大",)}


def test_stems_match_at_the_beginning_of_words_only() -> None:
    vocabulary = Vocabulary({"list": ["доказ*"]})
    assert vocabulary.find("доказательство") == {"list": ("доказ",)}
    assert vocabulary.find("недоказанный") == {}


def test_overlapping_keywords_of_several_lists_all_count() -> None:
    vocabulary = Vocabulary({"one": ["step by step"], "two": ["step", "by step"]})
    assert vocabulary.find("step by step") == {"one": ("step by step",), "two": ("step", "by step")}


def test_lexicon_apostrophe_belongs_to_the_word() -> None:
    assert Vocabulary({"list": ["let"]}).find("let's go") == {}


def test_lexicon_every_list_speaks_every_language(lexicon: Lexicon) -> None:
    from openclaw_oauthrouter.classifier.lexicon import data_names, read_data

    for folder in ("keywords", "conversation"):
        for name in data_names(folder):
            languages = list(read_data(folder, name))
            assert languages[:9] == ["en", "zh", "ja", "ru", "es", "de", "fr", "pt", "ko"], name
            assert set(languages[9:]) <= {"it", "nl", "sv", "tr", "pl", "ar", "hi", "vi", "id"}, name
