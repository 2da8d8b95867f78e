"""A bounded look at a text of any size, so that judging a megabyte costs what judging a page costs."""

from __future__ import annotations

import re

HEAD = 2048
TAIL = 1024
STRIPPED_HEAD = 8192
STRIPPED_TAIL = 8192

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]")
_HANGUL = re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")
HAN_WEIGHT = 2.7
HANGUL_WEIGHT = 2.0


def ends_of(text: str, head: int, tail: int) -> str:
    """The first ``head`` and the last ``tail`` characters, a line break between them; the text itself when it is short enough."""
    if len(text) <= head + tail:
        return text
    return f"{text[:head]}\n{text[-tail:]}"


def view_of(text: str) -> str:
    """What classifiers read: about three kilobytes, a third of that in scripts whose characters each stand for several letters."""
    view = ends_of(text, HEAD, TAIL)
    if view.isascii() or len(view) < HEAD // 2 or len(_WIDE.findall(view)) < len(view) // 4:
        return view
    return ends_of(view, HEAD // 2, TAIL // 2)


def letters_in(text: str) -> float:
    """Length in letters of an alphabet: Chinese, Japanese and Korean characters count for as many as the same sense takes in English.

    The weights are the ratio of lengths of the same problems in both languages.
    """
    if text.isascii():
        return float(len(text))
    wide = len(_WIDE.findall(text))
    hangul = len(_HANGUL.findall(text)) if wide else 0
    return len(text) + (wide - hangul) * (HAN_WEIGHT - 1) + hangul * (HANGUL_WEIGHT - 1)
