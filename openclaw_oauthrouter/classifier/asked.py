"""Whether a text asks for something to be done, as against asking what is so: known by how people ask, not by what it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.lexicon import read_data

BY_PLACE, BY_ENDING = "a verb by its place", "a verb by its ending"
"""What is told in place of a word that is on no list: words of the user's own are recorded nowhere."""
MOST_LETTERS = 300
"""Longer texts have words enough for the score."""
MOST_SENTENCES = 8
FEWEST = 3
"""Letters below which a word is no verb, and words below which a sentence asks for nothing."""
MOST_LEAD_IN = 8
"""Words of courtesy that may stand before what is asked."""
LEAST_WIDE = 6
"""Characters that a Japanese request has at least, where it is known by the form of its verb alone."""
FEWEST_BETWEEN = 20
"""Characters after a Chinese preposition among which its verb must stand."""

_SENTENCE_ENDS = (". ", "! ", "? ", "; ", ": ", ", ", " – ", " — ")
_WIDE_ENDS = str.maketrans(dict.fromkeys("。！？，；：、؟،؛।", "\n"))
_MARKS = ".,;:!?¡¿\"'`()[]{}<>«»„“”‘’「」『』…*-–—।。！？，"
_SIGN_OF_LIFE = lazily(
    r"(?:\b|(?<=[\u3040-\u9fff]))(?:ok|okay|pong|hi|hello|hallo|hola|bonjour|привет|你好)['\"”»」]?(?:と[\w]{2,6})?\W*$"
)
"""What is asked for to see whether anybody is there: "reply OK"."""
_QUOTED_WORD = lazily(r"""["'“„«‘「『][^\s"'”“»’」』]{1,14}["'”“»’」』]""")
_NAME = lazily(
    r"\W*(?:[a-z0-9]{2,}_[a-z0-9_]{2,}|[a-z]{3,}[A-Z][a-z]{2,}\w*|(?:[A-Z][a-z]+){3,}|[\w.]+\(\)|--?[a-z][a-z-]{2,}"
    r"|\.{0,2}/?(?:[\w.-]+/)+[\w-]+\.[a-z]{1,4})\W*"
)
"""What a word is when it names something in a program: snake_case, camelCase, a call, an option, a path."""
_NUMBER_AFTER = frozenset(("add", "convert", "combine", "divide", "round", "sum", "wandle", "convierte", "convertis", "converta"))


@dataclass(frozen=True, slots=True)
class Asking:
    """The words by which people ask. Made from ``data/asked.json``.

    :ivar never_first: words of courtesy that, before the verb and after nothing, make a statement of it
    :ivar first: verbs that begin a request
    :ivar first_with: verbs that do so before one of these words
    :ivar determiners: before which a word that begins a sentence is a verb, unless it is one of ``not_verbs``
    :ivar german: words of which one stands in nearly every German sentence
    :ivar begin_with: prepositions of scripts without blanks, each with the verbs one of which must follow
    :ivar trouble: of each language, signs of which one must stand in the text, those of them in ASCII, and the pattern that then decides
    :ivar of_words: stems that, beside a single quoted word, ask for that word in another language
    """

    lead_in: frozenset[str]
    never_first: frozenset[str]
    first: frozenset[str]
    first_with: Mapping[str, frozenset[str]]
    last: frozenset[str]
    last_ends: tuple[str, ...]
    not_last: frozenset[str]
    determiners: frozenset[str]
    not_verbs: frozenset[str]
    russian_ends: tuple[str, ...]
    not_russian: frozenset[str]
    arabic_not: frozenset[str]
    german: frozenset[str]
    german_subjects: frozenset[str]
    german_not_last: frozenset[str]
    could: tuple[str, ...]
    begin: tuple[str, ...]
    begin_with: Mapping[str, tuple[str, ...]]
    begin_lead_in: tuple[str, ...]
    end: tuple[str, ...]
    te_form: tuple[str, ...]
    not_te: tuple[str, ...]
    not_asked: tuple[str, ...]
    of_words: tuple[str, ...]
    questions: frozenset[str]
    trouble: tuple[tuple[tuple[str, ...], tuple[str, ...], re.Pattern[str]], ...]
    things: frozenset[str]
    things_end: tuple[str, ...]
    things_with: frozenset[str]
    end_things: tuple[str, ...]
    not_things: tuple[str, ...]
    programs: frozenset[str]
    looked_up: frozenset[str]
    looked_up_but: tuple[str, ...]

    def verb_of(self, text: str, lower: str) -> str | None:
        """The word that asks; ``None`` for a question, a statement, a remark, or something too small to be work.

        :param lower: the text in lower case
        """
        verb = self._found(lower, text)
        if verb is None or any(phrase in lower for phrase in self.not_asked):
            return None
        if any(stem in lower for stem in self.of_words) and _QUOTED_WORD.search(lower):
            return None
        return verb

    def _found(self, lower: str, text: str) -> str | None:
        sentences = _sentences(lower)
        if len(sentences) > MOST_SENTENCES:
            sentences = sentences[: MOST_SENTENCES // 2] + sentences[-MOST_SENTENCES // 2 :]
        asks_back = "?" in text or "؟" in text
        for place, sentence in enumerate(sentences):
            verb = self._begins(sentence, told=place == 0 and not asks_back)
            if verb is None and not sentence.isascii():
                verb = self._without_blanks(sentence)
            if verb:
                return verb
        could = sentences[0].startswith(self.could) if asks_back and sentences else False
        return self._ends(sentences, text if could or not asks_back else "") if sentences else None

    def _begins(self, sentence: str, *, told: bool) -> str | None:
        """:param told: whether it is no question, and nothing stands before it: then its first word tells by its place that it is a verb"""
        words = [word for word in (word.strip(_MARKS) for word in sentence.split(maxsplit=MOST_LEAD_IN + 2)) if word]
        for place, word in enumerate(words[:-1]):
            if place == 1 and words[0] in self.never_first:
                return None  # says what somebody does
            verb = self._verb(word)
            after = words[place + 1]
            if verb in self.first:
                return None if verb in _NUMBER_AFTER and after[:1].isdigit() else verb
            if _first_word(after) in self.first_with.get(verb, ()):
                return verb
            if word not in self.lead_in:
                return BY_PLACE if told and self._must_be_verb(word, after) else None
        return None

    def _must_be_verb(self, word: str, after: str) -> bool:
        """Told by where the word stands, or how it ends, for lists of verbs have no end.

        What begins a sentence, stands before an article or its like, and is none of the few words that may, is a verb that asks.
        """
        if len(word) < FEWEST or word in self.not_verbs or not word.isalpha():
            return False
        if "а" <= word[0] <= "я":
            return word.endswith(self.russian_ends) and word not in self.not_russian
        if "ء" <= word[0] <= "ي":
            return after.startswith("ال") and not word.startswith("ال") and word not in self.arabic_not
        following = _first_word(after)
        return following in self.determiners or following.startswith(("l'", "d'"))

    def _verb(self, word: str) -> str:
        """The form that is listed: without a pronoun hung on, or the ending of courtesy."""
        if word in self.first or word in self.first_with:
            return word
        bare, _, behind = word.partition("-")
        if behind in self.first:
            return behind  # double-check
        return bare[:-2] if bare.endswith("те") else bare

    def _ends(self, sentences: list[str], text: str) -> str | None:
        words = sentences[-1].split()
        last = words[-1].strip(_MARKS)
        if len(words) < 2 or not last or last in self.not_last or _first_word(sentences[0]).strip(_MARKS) in self.questions:
            return None
        if last in self.last:
            return last
        if last.endswith(self.last_ends):
            return BY_ENDING
        written = text.rstrip(_MARKS + " \n")[-len(last) :]
        return BY_ENDING if written.islower() and self._is_infinitive(words, last) else None

    def _is_infinitive(self, words: list[str], last: str) -> bool:
        """Whether a German sentence without a subject ends in what is to be done; nouns that end so are capitalized."""
        return (
            len(words) >= FEWEST
            and last.endswith(("en", "ern", "eln"))
            and last not in self.german_not_last
            and words[0] not in self.german_subjects
            and not self.german.isdisjoint(words)
        )

    def _without_blanks(self, sentence: str) -> str | None:
        sentence = sentence.strip(_MARKS)
        if sentence.endswith(self.end):
            return next(ending for ending in self.end if sentence.endswith(ending))
        if (
            len(sentence) > LEAST_WIDE
            and sentence.endswith(self.te_form)
            and not sentence.removesuffix("ください").endswith(self.not_te)
        ):
            return BY_ENDING
        for polite in self.begin_lead_in:
            sentence = sentence.removeprefix(polite)
        if len(sentence) > 1 and sentence.startswith(self.begin):
            return next(beginning for beginning in self.begin if sentence.startswith(beginning))
        verbs = self.begin_with.get(sentence[:1], ())
        return next((verb for verb in verbs if verb in sentence[1:FEWEST_BETWEEN]), None)

    def thing_of(self, lower: str) -> str | None:
        """The piece of work that a text names and says what for; ``None`` where it names none, or asks what one is."""
        words = [word for word in (word.strip(_MARKS) for word in lower.split(maxsplit=MOST_LEAD_IN)) if word]
        for place, word in enumerate(words[:3]):
            ending = next(filter(word.endswith, self.things_end), word) if len(word) > MOST_LEAD_IN else word
            if word in self.things or ending is not word:
                return ending if self.things_with.intersection(words[place + 1 :]) else None
            if word in self.questions:
                return None
        bare = lower.rstrip(_MARKS + " ")
        if bare.endswith(self.end_things) and not any(word in lower for word in self.not_things):
            return next(thing for thing in self.end_things if bare.endswith(thing))
        return None

    def program_of(self, lower: str) -> str | None:
        """The program that a text of some words is about; ``None`` where there is none, or the text asks what it is."""
        words = [word.strip(_MARKS) for word in lower.split()]
        if len(words) < FEWEST or self.programs.isdisjoint(words):
            return None
        found = next(word for word in words if word in self.programs)
        if words[0] in self.looked_up and not any(phrase in lower for phrase in self.looked_up_but):
            return None
        return found

    def trouble_of(self, lower: str) -> str | None:
        """A sign of what says that something does not work; ``None`` where nothing does."""
        ascii_only = lower.isascii()
        for signs, ascii_signs, pattern in self.trouble:
            # To look for a few signs costs a tenth of what the pattern does, and nearly every text has none of most languages.
            for sign in ascii_signs if ascii_only else signs:
                if sign in lower:
                    if pattern.search(lower):
                        return sign.strip()
                    break
        return None


def asked_for(text: str) -> str | None:
    """Why a short text is a request for work, in words; ``None`` where it is not, or where it is long.

    Named are words of our lists only, none that are the user's alone: the reason is recorded with the decision.
    """
    if len(text) > MOST_LETTERS:
        return None
    asking, lower = shipped_asking(), text.lower().replace("’", "'")
    if _SIGN_OF_LIFE.search(lower) is not None:
        return None
    verb = asking.verb_of(text, lower)
    if verb is not None:
        return f"work is asked for ({verb})"
    thing = asking.thing_of(lower)
    if thing is not None:
        return f"a piece of work ({thing})"
    trouble = asking.trouble_of(lower)
    if trouble is not None:
        return f"something does not work ({trouble})"
    program = asking.program_of(lower)
    if program is not None:
        return f"work with a program ({program})"
    return "a name in a program" if any(map(_is_name, text.split())) else None


def _is_name(word: str) -> bool:
    # Most words are lower-case throughout or capitalized, and have no marks within: those cannot be names.
    return not (word.isalpha() and (word.islower() or word.istitle())) and _NAME.fullmatch(word) is not None


def _first_word(text: str) -> str:
    """Empty where there is nothing but blanks."""
    words = text.split(None, 1)
    return words[0] if words else ""


def _sentences(text: str) -> list[str]:
    for end in _SENTENCE_ENDS:
        text = text.replace(end, "\n")
    if not text.isascii():
        text = text.translate(_WIDE_ENDS)
    return [stripped for stripped in (one.strip() for one in text.split("\n")) if stripped]


@lru_cache(maxsize=1)
def shipped_asking() -> Asking:
    """The words this room ships, read once a process."""
    return _asking(read_data("asked.json"))


def _asking(data: JsonObject) -> Asking:
    first_with = {verb: frozenset(words.split()) for verbs, words in data["first_with"].items() for verb in verbs.split()}
    begin_with = {one: tuple(verbs.split()) for ones, verbs in data["begin_with"].items() for one in ones.split()}
    return Asking(
        lead_in=frozenset(data["lead_in"].split()),
        never_first=frozenset(data["never_first"].split()),
        first=frozenset(word for words in data["first"].values() for word in words.split()),
        first_with=first_with,
        last=frozenset(data["last"].split()),
        last_ends=tuple(data["last_ends"].split()),
        not_last=frozenset(data["not_last"].split()),
        determiners=frozenset(data["determiners"].split()),
        not_verbs=frozenset(data["not_verbs"].split()),
        russian_ends=tuple(data["russian_ends"].split()),
        not_russian=frozenset(data["not_russian"].split()),
        arabic_not=frozenset(data["arabic_not"].split()),
        german=frozenset(data["german"].split()),
        german_subjects=frozenset(data["german_subjects"].split()),
        german_not_last=frozenset(data["german_not_last"].split()),
        could=tuple(data["could"]),
        begin=tuple(data["begin"].split()),
        begin_with=begin_with,
        begin_lead_in=tuple(data["begin_lead_in"].split()),
        end=tuple(data["end"].split()),
        te_form=tuple(data["te_form"].split()),
        not_te=tuple(data["not_te"].split()),
        not_asked=tuple(data["not_asked"]),
        of_words=tuple(data["of_words"].split()),
        questions=frozenset(data["questions"].split()),
        trouble=tuple(
            (tuple(signs.split("|")), tuple(sign for sign in signs.split("|") if sign.isascii()), lazily(pattern))
            for signs, pattern in data["trouble"].values()
        ),
        things=frozenset(data["things"].split()),
        things_end=tuple(data["things_end"].split()),
        things_with=frozenset(data["things_with"].split()),
        end_things=tuple(data["end_things"].split()),
        not_things=tuple(data["not_things"].split()),
        programs=frozenset(data["programs"].split()),
        looked_up=frozenset(data["looked_up"].split()) | frozenset(data["questions"].split()),
        looked_up_but=tuple(data["looked_up_but"].split("|")),
    )
