"""Work that is asked for is known by how it is asked for: in ten languages, whatever it is about; what is small stays SIMPLE."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.classifier.asked import MOST_LETTERS, asked_for, shipped_asking
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.rules import Rules

from .prompts import HARD, SMALL, WORK
from .requests import said


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(builtin_dimensions(Parameters.load(learned=True).weights))


def tiers(rules: Rules, prompts: tuple[str, ...]) -> dict[str, Tier]:
    return {prompt: rules.classify(said(prompt)).tier for prompt in prompts}


@pytest.mark.parametrize("language", WORK)
def test_rules_work_is_not_simple_and_not_the_hardest(rules: Rules, language: str) -> None:
    found = tiers(rules, WORK[language])
    assert [prompt for prompt, tier in found.items() if tier in (Tier.SIMPLE, Tier.REASONING)] == []


@pytest.mark.parametrize("language", SMALL)
def test_rules_small_prompts_are_simple(rules: Rules, language: str) -> None:
    assert [prompt for prompt, tier in tiers(rules, SMALL[language]).items() if tier is not Tier.SIMPLE] == []


@pytest.mark.parametrize("language", HARD)
def test_rules_hard_prompts_are_not_simple_and_most_go_above_medium(rules: Rules, language: str) -> None:
    found = tiers(rules, HARD[language])
    assert Tier.SIMPLE not in found.values()
    assert sum(tier.rank >= Tier.COMPLEX.rank for tier in found.values()) >= len(found) * 0.6


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rename it", "work is asked for (rename)"),
        ("Hi! Could you please help me to merge these two?", "work is asked for (merge)"),
        ("it is 2 GB, shrink it", "work is asked for (shrink)"),
        ("corrige-le", None),  # one word is too little to say what
        ("corrige-le dans la page", "work is asked for (corrige)"),
        ("переименуйте её везде", "work is asked for (переименуй)"),
        ("die Zeile hier anpassen", "work is asked for (anpassen)"),
        ("frobnicate the widgets", "work is asked for (a verb by its place)"),  # by its place, whatever the verb
        ("rellena las celdas vacías", "work is asked for (a verb by its place)"),
        ("réécris l'introduction", "work is asked for (a verb by its place)"),
        ("заполни пустые ячейки", "work is asked for (a verb by its place)"),
        ("املأ الخلايا الفارغة", "work is asked for (a verb by its place)"),
        ("leere Zellen mit null füllen", "work is asked for (a verb by its ending)"),
        ("könntest du diese Zahlen nachrechnen?", "work is asked for (a verb by its ending)"),
        ("ロゴを差し替えてください", "work is asked for (a verb by its ending)"),
        ("formula that adds up hours", "a piece of work (formula)"),
        ("Kündigungsschreiben für den Handyvertrag", "a piece of work (schreiben)"),
        ("the spinner never disappears", "something does not work (never)"),
        ("why is my useEffect empty", "a name in a program"),
        ("wieso ist total_price leer?", "a name in a program"),
        ("git says detached HEAD", "work with a program (git)"),
        ("how do I undo this in git?", "work with a program (git)"),
    ],
)
def test_asked_for_says_why(text: str, why: str | None) -> None:
    assert asked_for(text) == why


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "?!",
        "test",
        "check!",
        "we merge every day",
        "you hide it",
        "to build is to live",
        "add 3 and 4",
        "convert 10 km to miles",
        "add milk to my shopping list",
        "in the end it rains",
        "is the sky blue",
        "sing the anthem",
        "pressing the button does what?",
        "alle Wege führen nach Rom",
        "wir gehen mit den Kindern essen",
        "viele Grüße aus dem schönen Süden",
        "tout le monde le sait",
        "todo el mundo lo sabe",
        "люди часто ошибаются",
        "صباح الخير",
        "kann ein Roboter sich betrinken?",
        "もう一度言ってください",
        "what is git?",
        "is kubectl hard to learn?",
        "what is a formula for?",
        "translate 'cat' into French",
        "translate the word cat into French",
        "「犬」を英語に訳して",
        "把“猫”翻译成英文",
        "how do you say 'fix' in Russian?",
        "どうして",
        "おやすみなさい",
        "आप कैसे हो",
        "I love my iPhone, YouTube and PowerPoint",
        "公式とは何ですか",
        "x" * 5000,
    ],
)
def test_asked_for_is_silent_where_nothing_is_asked(text: str) -> None:
    assert asked_for(text) is None


def test_asked_for_leaves_long_texts_to_the_score() -> None:
    text = "fix the header. " + "a" * MOST_LETTERS
    assert asked_for(text) is None


def test_rules_the_reason_is_told_and_lifts_the_score_to_the_border(rules: Rules) -> None:
    classified = rules.classify(said("fusiona estas dos ramas"))
    assert classified.minimum_tiers == ("at least MEDIUM: work is asked for (fusiona)",)
    assert classified.score == rules.cut_points[0]


@pytest.mark.parametrize("profile", ["economy", "balanced", "quality"])
def test_rules_work_is_not_simple_under_any_profile(rules: Rules, profile: str) -> None:
    assert rules.for_profile(profile).classify(said("fusiona estas dos ramas")).tier is Tier.MEDIUM


def test_asking_all_patterns_compile_and_each_has_signs() -> None:
    for signs, ascii_signs, pattern in shipped_asking().trouble:
        assert all(signs)
        assert set(ascii_signs) <= set(signs)
        assert pattern.search("") is None


@pytest.mark.parametrize(
    "text",
    [
        "sk_live_4242secret does what",
        "why is sk_live_4242secret rejected",
        "our 4242secret keeps crashing",
        "the 4242secret never loads",
        "four4242secretxy the values",
        "zzsecretzz the values",
        "zzsecretzz leere Zellen mit dem zzsecretzzen",
        "zzsecretzzschreiben für den Vertrag",
        "/home/zzsecretzz/app.py",
        "zzsecretzzを4242secretて",
        "zzsecretzz को 4242secretो",
    ],
)
def test_asked_for_names_no_words_of_the_users(text: str) -> None:
    assert "secret" not in (asked_for(text) or "")


@given(
    st.lists(
        st.sampled_from(
            ("fix", "the", "add", " ", "  ", "* *", "- ", "?", "!", ".", "…", "\n", "て", "把", "l'", "ة", "ो", "-", "’", "1")
        ),
        max_size=12,
    )
)
def test_asked_for_copes_with_any_marks_and_blanks(pieces: list[str]) -> None:
    for text in ("".join(pieces), " ".join(pieces)):
        assert asked_for(text) is None or isinstance(asked_for(text), str)


@given(st.text(max_size=MOST_LETTERS))
def test_asked_for_copes_with_any_text(text: str) -> None:
    assert asked_for(text) is None or isinstance(asked_for(text), str)
