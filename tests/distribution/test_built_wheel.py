"""What is published can be installed and read: the built files, checked, and run by uvx and pipx as strangers do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "openclaw_oauthrouter"
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", "site", "node_modules"
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def run(*words: str | Path, **environ: str) -> str:
    done = subprocess.run(
        [str(word) for word in words], env={**os.environ, **environ}, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    source = shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    run(sys.executable, "-m", "build", "--outdir", folder / "dist", source)
    [sdist], [wheel] = (folder / "dist").glob("*.tar.gz"), (folder / "dist").glob("*.whl")
    return sdist, wheel


def test_source_distribution_is_what_a_packager_needs(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        "tests/conftest.py",
        "docs/index.md",
        "mkdocs.yml",
        "plugin.json",
        "Makefile",
        "CHANGELOG.md",
        "AGENTS.md",
        "LICENSE",
    ):
        assert needed in names
    tests = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
    assert tests <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".git/", ".venv"))]


def test_wheel_holds_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {
        str(path.relative_to(ROOT))
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert names == ours


def test_twine_finds_nothing_wrong(built: tuple[Path, Path]) -> None:
    said = run(sys.executable, "-m", "twine", "check", "--strict", *built, NO_COLOR="1")
    assert said.count("PASSED") == 2


def answers_of(*words: str | Path, **environ: str) -> list[str]:
    rows = json.loads(run(*words, "demo", "--json", "--port", "0", **environ))
    return [row["tier"] for row in rows]


def test_uvx_runs_the_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    uvx = shutil.which("uvx", path=str(Path(sys.executable).parent)) or shutil.which("uvx")
    assert uvx
    folders = {"HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_PYTHON": sys.executable}
    assert answers_of(uvx, "--from", built[1], "openclaw-oauthrouter", **folders) == ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]


def test_pipx_installs_the_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    folders = {"HOME": str(tmp_path), "PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    run(sys.executable, "-m", "pipx", "install", "--python", sys.executable, built[1], **folders)
    for name in ("openclaw-oauthrouter", "oauthrouter"):
        assert run(tmp_path / "bin" / name, "--version", HOME=str(tmp_path)).startswith("openclaw-oauthrouter, version ")
    assert len(answers_of(tmp_path / "bin" / "oauthrouter", HOME=str(tmp_path))) == 4
    # On Linux the plain installation has no compiled finder: the classifier works without it.
    site = next((tmp_path / "pipx").rglob("site-packages"))
    assert (site / "ahocorasick_rs").exists() == (sys.platform == "darwin")
