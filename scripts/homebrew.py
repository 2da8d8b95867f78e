"""Writes the Homebrew formula of a release: python -m scripts.homebrew SDIST --url URL --homepage URL > openclaw-oauthrouter.rb"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "packaging" / "homebrew.rb.in"


def formula(sdist: bytes, url: str, homepage: str) -> str:
    """The formula for a source distribution.

    :param url: where the source distribution will be found
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    values = {
        # Homebrew wants no article in front and no full stop behind, and at most 80 characters.
        "DESCRIPTION": re.sub(r"^An? ", "", project["description"]).rstrip(".")[:80],
        "HOMEPAGE": homepage,
        "URL": url,
        "SHA256": hashlib.sha256(sdist).hexdigest(),
        "LICENSE": project["license"],
    }
    text = TEMPLATE.read_text(encoding="utf-8").partition("\n")[2]
    return re.sub(r"@([A-Z0-9]+)@", lambda found: values[found[1]], text)


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sdist", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--homepage", required=True)
    said = parser.parse_args()
    sys.stdout.write(formula(said.sdist.read_bytes(), said.url, said.homepage))


if __name__ == "__main__":
    main()
