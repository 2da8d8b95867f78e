"""Fits the default classifier's data files from prompts of known difficulty: ``python scripts/fit_classifier dev.jsonl``."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from corpus import load
from fit import fit_all

import openclaw_oauthrouter.classifier
from openclaw_oauthrouter.canonical.json import JsonObject

DATA = Path(openclaw_oauthrouter.classifier.__file__).parent / "data"


def render(value: JsonObject) -> str:
    """JSON for people: one entry a line, lists on one."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda match: "[" + " ".join(match[1].split()) + "]", text) + "\n"


def main() -> int:
    """Fit, then write the files, or say whether they are as shipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompts", type=Path, help="JSON Lines of labelled prompts")
    parser.add_argument("--check", action="store_true", help="compare with the shipped files instead of writing them")
    arguments = parser.parse_args()
    files = {name: render(value) for name, value in fit_all(load(arguments.prompts)).items()}
    differing = [name for name, text in files.items() if (DATA / name).read_text("utf-8") != text]
    for name, text in files.items() if not arguments.check else ():
        (DATA / name).write_text(text, "utf-8")
        print(f"{name}: {len(text.encode())} bytes{', changed' if name in differing else ''}")
    if arguments.check:
        print(f"differ from a new fit: {', '.join(differing)}" if differing else "as a new fit gives them, byte for byte")
    return 1 if arguments.check and differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
