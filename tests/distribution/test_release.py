"""A release is one version, written everywhere, and a formula that Homebrew can read."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from scripts.homebrew import formula
from scripts.release import with_release, with_urls, with_version

ROOT = Path(__file__).parents[2]
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- The first.\n"


def test_release_puts_what_was_unreleased_under_its_version() -> None:
    text = with_release(CHANGELOG, "0.2.0", date(2026, 11, 29))
    assert "## [Unreleased]\n\n## [0.2.0] - 2026-11-29\n\n### Added\n\n- A thing.\n\n## [0.1.0]" in text


@pytest.mark.parametrize(
    ("changelog", "version"),
    [(CHANGELOG, "0.1.0"), ("# Changelog\n", "0.2.0"), (with_release(CHANGELOG, "0.2.0", date(2026, 1, 1)), "0.3.0")],
)
def test_release_of_nothing_or_of_the_same_is_refused(changelog: str, version: str) -> None:
    with pytest.raises(ValueError, match=r"released already|nothing under"):
        with_release(changelog, version, date(2026, 11, 29))


def test_version_is_written_into_the_package() -> None:
    text = (ROOT / "openclaw_oauthrouter" / "__init__.py").read_text(encoding="utf-8")
    assert '__version__ = "9.8.7rc1"' in with_version(text, "9.8.7rc1")
    for wrong in ("9.8", "v9.8.7", "9.8.7-rc1", ""):
        with pytest.raises(ValueError, match="no version"):
            with_version(text, wrong)


def test_release_adds_the_addresses_once() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    first = with_urls(text, "https://example.org/somebody/router")
    urls = tomllib.loads(first)["project"]["urls"]
    assert urls["Homepage"] == "https://example.org/somebody/router"
    assert urls["Changelog"].endswith("/CHANGELOG.md")
    assert tomllib.loads(first)["project"]["scripts"] == tomllib.loads(text)["project"]["scripts"]
    again = with_urls(first, "https://example.org/somebody/else")
    assert again.count("[project.urls]") == 1
    assert tomllib.loads(again)["project"]["urls"]["Homepage"].endswith("/else")
    for wrong in ("example.org", "http://example.org/a/b", "https://example.org", "https://example.org/a b"):
        with pytest.raises(ValueError, match="no address"):
            with_urls(text, wrong)


def test_workflow_refuses_a_tag_that_is_not_the_version() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "GITHUB_REF_NAME" in workflow.partition("python -m build")[0]


def test_formula_is_whole() -> None:
    text = formula(b"the files", "https://example.org/o-0.1.0.tar.gz", "https://example.org")
    assert "@" not in re.sub(r"python@3\.13", "", text)
    assert f'sha256 "{hashlib.sha256(b"the files").hexdigest()}"' in text
    assert 'license "MIT"' in text
    [description] = re.findall(r'desc "(.*)"', text)
    assert not re.match(r"(?i)an? ", description)
    assert not description.endswith(".")
    assert text.count("\nend") == 1
    blocks = len(re.findall(r"\b(?:do|def|class)\b(?!.*\bend\b)", re.sub(r"#.*|\"[^\"]*\"", "", text)))
    assert blocks == len(re.findall(r"^\s*end$", text, re.MULTILINE))
