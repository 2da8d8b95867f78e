"""The documentation builds as a site without a warning, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

pytest.importorskip("mkdocs", reason="the dependency group docs is not installed")


def test_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Takes some seconds: it renders every page."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=55, check=False
    )
    assert done.returncode == 0, done.stderr
    for page in DOCS.rglob("*.md"):
        built = tmp_path / "site" / page.relative_to(DOCS).with_suffix(".html")
        assert built.exists() or built.with_name("index.html").exists(), page
    text = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(https?://[^"]+\.(?:js|css|woff2?))', text)


def test_architecture_draws_the_layers_that_are_checked() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    drawn = [re.split(r" {2,}", line)[0] for line in page.partition("```\n__main__")[2].partition("```")[0].splitlines()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert ["__main__", *filter(None, drawn)] == layers
