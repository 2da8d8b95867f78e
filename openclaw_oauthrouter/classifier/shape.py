"""What a text looks like, whatever it says: the learned score's features besides words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from openclaw_oauthrouter.classifier.view import letters_said

SHAPES = (
    "length",
    "digits",
    "latex",
    "formula",
    "code",
    "lines",
    "questions",
    "variety",
    "word length",
    "non-ascii",
    "brackets",
    "quotes",
    "commas",
    "one line",
)
"""Names, in the order of ``shape_of``."""

# A run of letters, one digit, or one character of a script without blanks; never a mark.
_TOKEN = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]|\d|[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e00-\u0e7f]+"
)
_ASCII_TOKEN = re.compile(r"[a-z]+|[0-9]")


def tokens_of(text: str) -> list[str]:
    """Words, digits and ideographs in order.

    :param text: lower-case
    """
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)


def shape_of(text: str, tokens: Sequence[str], distinct: int) -> tuple[float, ...]:
    """Figures of about 0 to 1 each, one for each name in ``SHAPES``.

    :param tokens: of the text
    :param distinct: how many different ones there are
    """
    size = len(text) or 1
    letters = letters_said(text)
    count = len(tokens) or 1
    non_ascii = 0.0 if text.isascii() else 1.0 - len(text.encode("ascii", "ignore")) / size
    lines = text.count("\n")
    return (
        math.log1p(letters) / 8,
        min(1.0, sum(map(text.count, "0123456789")) / size * 5),
        min(1.0, text.count("\\") / 10),
        min(1.0, (text.count("$") + text.count("^") + text.count("=")) / 10),
        min(1.0, (text.count("```") * 3 + text.count(";") + text.count("{") + text.count("()") + text.count("_")) / 15),
        math.log1p(lines) / 5,
        min(1.0, (text.count("?") + text.count("？")) / 3),
        distinct / count if count > 5 else 1.0,
        min(1.0, size / count / 10),
        non_ascii,
        min(1.0, (text.count("(") + text.count("[")) / size * 40),
        min(1.0, (text.count('"') + text.count("“")) / 6),
        min(1.0, (text.count(",") + text.count("，") + text.count("、")) / size * 30),
        0.0 if lines else 1.0,
    )
