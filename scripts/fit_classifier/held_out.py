"""Judges every prompt by a classifier fitted without it, for an honest estimate.

A program for ``score.py --cmd``: reads ``{"id", "prompt"}`` lines, writes ``{"tier", "score"}`` lines. Held out is a fifth of the prompts
at a time, chosen by chance (``rows``) or by source and category (``sources``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus import FOLDS, Prompt, Split, held_out, load
from fit import fit_all

from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.learned import LearnedScore
from openclaw_oauthrouter.classifier.rules import Rules


def classifier_of(prompts: Sequence[Prompt], *, learned: bool) -> Rules:
    """The default classifier as it would be, had only these prompts been known."""
    files = fit_all(prompts)
    fit = files["rules.json"]["with_learned" if learned else "without_learned"]
    dimensions = list(builtin_dimensions(fit["weights"]))
    if learned:
        dimensions.append(LearnedScore(fit["weights"][LearnedScore.name], files["learned.json"]))
    cuts = fit["cut_points"]["balanced"]
    return Rules(dimensions, learned=learned, cut_points=(cuts["MEDIUM"], cuts["COMPLEX"], cuts["REASONING"]))


def answers(prompts: Sequence[Prompt], split: Split, *, learned: bool) -> dict[str, str]:
    """An output line for each prompt's id."""
    lines = {}
    for fold in range(FOLDS):
        inside, outside = held_out(prompts, split, fold)
        classifier = classifier_of([prompts[position] for position in inside], learned=learned)
        for position in outside:
            classified = classifier.classify(prompts[position].features)
            lines[prompts[position].id] = json.dumps({"tier": classified.tier, "score": classified.score})
    return lines


def main() -> None:
    """Answer the lines on standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompts", type=Path)
    parser.add_argument("split", choices=("rows", "sources"))
    parser.add_argument("--without-learned", action="store_true")
    arguments = parser.parse_args()
    lines = answers(load(arguments.prompts), arguments.split, learned=not arguments.without_learned)
    for line in sys.stdin:
        print(lines[json.loads(line)["id"]])


if __name__ == "__main__":
    main()
