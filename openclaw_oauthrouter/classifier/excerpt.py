"""The excerpt of a text that classifiers read, bounded so that a megabyte costs what a page costs; and its length in letters and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter

from openclaw_oauthrouter.canonical.patterns import lazily

VIEW_HEAD, VIEW_TAIL = 2048, 1024
"""What is looked at for lines that are alike."""
HEAD, TAIL = 640, 320
"""What classifiers read of what is left. What is asked stands at the beginning or at the end: with a third of what was read before, no
figure of the development prompts is worse by .01, and those that tell what needs a strong model are better."""
STRIPPED_HEAD = 8192
STRIPPED_TAIL = 8192

MANY_LINES = 12
KIND = 10
"""Lines are alike when this many characters at their beginning are, whatever the digits."""
OF_A_KIND = 3

_BEGINNING = itemgetter(slice(KIND))
_ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")

MANY_WORDS = 40
ORDINARY_USE = 4

_WIDE = lazily(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]+")
_NO_WIDE_LEADS = bytes(set(range(256)) - {0xE1, *range(0xE3, 0xF0)})
_WIDE_BEGINNINGS = tuple(bytes((0xE2, second)) for second in range(0xBA, 0xC0))
"""With what characters of ``_WIDE`` begin in UTF-8, where not with a byte of their own: dashes and quotation marks share this one."""
_HANGUL = lazily(r"[\u1100-\u11ff\uac00-\ud7af]+")
HAN_WEIGHT = 2.7
HANGUL_WEIGHT = 2.0


# A run of letters, one digit, or one character of a script without blanks; never a mark.
_TOKEN = lazily(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]|\d|[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]+"
)
_BEYOND_ASCII = lazily(r"[^\x00-\x7f]")
_WORD_CHARACTER = lazily(r"[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]")
_MOST_REPLACED = 24
"""Different characters beyond ASCII that are looked at one by one; a text with more of them is not mostly ASCII."""
_NO_MARKS = bytes(byte if byte >= 0x80 or chr(byte) in "abcdefghijklmnopqrstuvwxyz0123456789" else 0x20 for byte in range(256))
_DIGITS_APART = tuple((b"%d" % digit, b" %d " % digit) for digit in range(10))
_BLANKS = b" \t\n\r\v\f\x1c\x1d\x1e\x1f"


def ends_of(text: str, head: int, tail: int) -> str:
    """The first ``head`` and the last ``tail`` characters, a line break between them; the text itself when it is short enough."""
    if len(text) <= head + tail:
        return text
    return f"{text[:head]}\n{text[-tail:]}"


def excerpt_and_letters(text: str) -> tuple[str, float]:
    """What classifiers read, about a kilobyte, a third of that in scripts whose characters each stand for several letters; and a length.

    Lines of which there are many alike, as in a pasted log or table, are left out: what is asked about them decides. The length is in
    letters, as ``letters_said`` counts them, of up to three kilobytes of which the rest is taken to be as what is read.
    """
    view = _without_repeated_lines(ends_of(text, VIEW_HEAD, VIEW_TAIL))
    excerpt = ends_of(view, HEAD, TAIL)
    if not excerpt.isascii() and len(excerpt) >= HEAD // 3 and _wide_in(excerpt) >= len(excerpt) // 4:
        excerpt = ends_of(excerpt, HEAD // 3, TAIL // 3)
        view = ends_of(view, VIEW_HEAD // 3, VIEW_TAIL // 3)
    letters = letters_said(excerpt)
    if len(view) > len(excerpt) and letters == letters_in(excerpt):  # what is filler does not become longer by being more
        letters *= len(view) / len(excerpt)
    return excerpt, letters


def _without_repeated_lines(text: str) -> str:
    if text.count("\n") < MANY_LINES:
        return text
    kinds = _kinds(text)
    if len(set(kinds)) > len(kinds) - OF_A_KIND:
        return text  # no kind can have more lines than are allowed
    counts = Counter(kinds)
    many = {kind for kind, count in counts.items() if count > OF_A_KIND and kind}
    if not many:
        return text
    words = "\n".join([line for kind, line in zip(kinds, text.split("\n"), strict=True) if kind not in many])
    return words if words.strip() else text


def _kinds(text: str) -> Sequence[str | bytes]:
    """What each line begins with, whatever its digits."""
    data = text.encode("utf-8", "surrogatepass").translate(_ONE_DIGIT)
    if text.isascii():
        return list(map(_BEGINNING, map(bytes.lstrip, data.split(b"\n"))))
    return list(map(_BEGINNING, map(str.lstrip, data.decode("utf-8", "surrogatepass").split("\n"))))


def letters_said(text: str) -> float:
    """Length in letters, what is said over and over counted a few times only.

    A text of ordinary words uses each about twice; one that uses each of them more than four times is filler.
    """
    letters = letters_in(text)
    if len(text) < MANY_WORDS or (text.isascii() and _begins_varied(text)):
        return letters
    words = text.split()
    if len(words) < MANY_WORDS:
        return letters
    return letters * min(1.0, ORDINARY_USE * len(set(words)) / len(words))


def _begins_varied(text: str) -> bool:
    """Whether the first half alone has enough different words for the whole not to be filler; no words are made of the other half."""
    most_words = len(text) - len(text.encode().translate(None, _BLANKS)) + 1
    different = len(set(text[: len(text) // 2].split())) - 1  # the last may be half a word
    return ORDINARY_USE * different >= most_words


def letters_in(text: str) -> float:
    """Length in letters of an alphabet: Chinese, Japanese and Korean characters count for as many as the same sense takes in English.

    The weights are the ratio of lengths of the same problems in both languages.
    """
    if text.isascii():
        return float(len(text))
    wide = _wide_in(text)
    hangul = _count(_HANGUL, text) if wide else 0
    return len(text) + (wide - hangul) * (HAN_WEIGHT - 1) + hangul * (HANGUL_WEIGHT - 1)


def _count(runs: re.Pattern[str], text: str) -> int:
    return sum(map(len, runs.findall(text)))


def _wide_in(text: str) -> int:
    """How many characters stand for several letters; told from the bytes where there are none, as in most texts with a mark or two."""
    data = text.encode("utf-8", "surrogatepass")
    if not data.translate(None, _NO_WIDE_LEADS) and all(data.find(beginning) < 0 for beginning in _WIDE_BEGINNINGS):
        return 0
    return _count(_WIDE, text)


def tokens_of(text: str) -> list[str]:
    """Words, digits and ideographs in order: what ``_TOKEN`` finds.

    Blanks are put in the place of marks and around what is a token by itself; to split there takes half as long as to search.

    :param text: lower-case
    """
    if not text.isascii():
        beyond = set(_BEYOND_ASCII.findall(text))
        if len(beyond) > _MOST_REPLACED or "\u3000" in beyond:  # which is a blank, but a token too
            return _TOKEN.findall(text)
        for character in beyond:
            if not _WORD_CHARACTER.match(character):
                text = text.replace(character, f" {character} " if _TOKEN.match(character) else " ")
    data = text.encode().translate(_NO_MARKS)
    for digit, apart in _DIGITS_APART:
        data = data.replace(digit, apart)
    return data.decode().split()
