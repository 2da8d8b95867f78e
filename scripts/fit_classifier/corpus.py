"""Reads the prompts of known difficulty and splits them honestly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openclaw_oauthrouter.canonical.routing import RequestFeatures
from openclaw_oauthrouter.classifier.excerpt import excerpt_and_letters

FOLDS = 5

# Kinds of prompts that only one source has stand alone in their fold; alike ones stay together.
_FOLD_OF_SOURCE = {"arenahard-v0.1": 0, "olympiadbench": 1, "cmath-zh": 2, "math500": 2, "mgsm": 3}
_FOLD_OF_CATEGORY = {
    "trivia_qa": 0,
    "mbpp": 1,
    "math": 2,
    "openbook_qa": 3,
    "commonsense_qa": 4,
    "agentverse-logicgrid": 4,
    "english": 0,
    "japanese": 1,
    "chinese": 2,
    "german": 3,
    "russian": 4,
}

Split = Literal["rows", "sources"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One labelled prompt.

    :ivar band: 0 chit-chat, 1 short fact, 2 word problem or small program, 3 competition or hard user prompt
    :ivar weak: how well a weak model answered, 0 to 1
    :ivar strong: how well a strong model answered
    """

    id: str
    source: str
    category: str
    features: RequestFeatures
    band: int | None
    weak: float | None
    strong: float | None

    @property
    def group(self) -> tuple[str, str]:
        """Prompts that came about in the same way."""
        return (self.source.partition("-")[0], self.category if self.source.startswith("llmrouter") else "")

    def fold(self, split: Split) -> int:
        """In which fifth the prompt is held out: by chance, or with everything of its source or category."""
        if split == "rows":
            return _digest(self.id) % FOLDS
        known = _FOLD_OF_SOURCE.get(self.source, _FOLD_OF_CATEGORY.get(self.category))
        return known if known is not None else _digest(self.category) % FOLDS


def load(path: Path) -> list[Prompt]:
    """All prompts of a file, in its order."""
    with path.open(encoding="utf-8") as lines:
        return [_prompt(json.loads(line)) for line in lines]


def held_out(prompts: Sequence[Prompt], split: Split, fold: int) -> tuple[list[int], list[int]]:
    """Positions to fit on, and positions to judge."""
    inside = [position for position, prompt in enumerate(prompts) if prompt.fold(split) != fold]
    outside = [position for position, prompt in enumerate(prompts) if prompt.fold(split) == fold]
    return inside, outside


def _prompt(row: dict[str, object]) -> Prompt:
    text = str(row["prompt"]).strip()
    excerpt, letters = excerpt_and_letters(text)
    return Prompt(
        id=str(row["id"]),
        source=str(row["source"]),
        category=str(row["cat"]),
        features=RequestFeatures(excerpt, len(text), letters=letters),
        band=row.get("band"),  # type: ignore[arg-type]
        weak=row.get("weak"),  # type: ignore[arg-type]
        strong=row.get("strong"),  # type: ignore[arg-type]
    )


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)
