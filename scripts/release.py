"""Prepares a release: python -m scripts.release 0.2.0 writes the version and the changelog; the tag v0.2.0 then builds and publishes it."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")


def with_version(text: str, version: str) -> str:
    """The package's ``__init__`` with another version.

    :raises ValueError: it is no version, or the package has none
    """
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version such as 0.2.0 or 0.2.0rc1")
    changed, count = re.subn(r'^__version__ = ".*"$', f'__version__ = "{version}"', text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError("the package has no __version__")
    return changed


def with_release(changelog: str, version: str, day: date) -> str:
    """The changelog with what was unreleased under its version.

    :raises ValueError: the version is there already, or there is nothing to release
    """
    if f"## [{version}]" in changelog:
        raise ValueError(f"{version} has been released already")
    head, mark, rest = changelog.partition("## [Unreleased]\n")
    if not mark or not rest.partition("\n## [")[0].strip():
        raise ValueError("there is nothing under [Unreleased]")
    return f"{head}{mark}\n## [{version}] - {day.isoformat()}\n{rest}"


def with_urls(pyproject: str, home: str) -> str:
    """The project's metadata with its public addresses, which an index shows; they take the place of earlier ones.

    :param home: of the repository, such as https://example.org/owner/name
    :raises ValueError: it is no such address
    """
    if not re.fullmatch(r"https://[\w.-]+(?:/[\w.-]+)+", home):
        raise ValueError(f"{home!r} is no address of a repository such as https://example.org/owner/name")
    pages = {
        "Homepage": home,
        "Changelog": f"{home}/blob/HEAD/CHANGELOG.md",
        "Documentation": f"{home}/tree/HEAD/docs",
        "Issues": f"{home}/issues",
    }
    table = "[project.urls]\n" + "".join(f'{name} = "{address}"\n' for name, address in pages.items())
    before, mark, after = re.sub(r"\[project\.urls\]\n(?:\w+ = .*\n)+\n", "", pyproject).partition("[project.scripts]\n")
    if not mark:
        raise ValueError("pyproject.toml has no [project.scripts]")
    return f"{before}{table}\n{mark}{after}"


def main() -> None:
    """Write them, and say what to do next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    parser.add_argument(
        "--url", help="Public address of the repository, for the metadata; needed once, before the first release."
    )
    said = parser.parse_args()
    version, metadata = said.version, ROOT / "pyproject.toml"
    package, changelog = ROOT / "openclaw_oauthrouter" / "__init__.py", ROOT / "CHANGELOG.md"
    try:
        new = with_version(package.read_text(encoding="utf-8"), version)
        log = with_release(changelog.read_text(encoding="utf-8"), version, datetime.now(UTC).date())
        project = metadata.read_text(encoding="utf-8")
        project = with_urls(project, said.url.rstrip("/")) if said.url else project
    except ValueError as error:
        sys.exit(f"error: {error}")
    if "[project.urls]" not in project:
        print("note: the metadata has no addresses yet; --url adds them", file=sys.stderr)
    metadata.write_text(project, encoding="utf-8")
    npm = ROOT / "packages" / "openclaw-plugin" / "package.json"
    plugin, _ = re.subn(r'("version": )"[^"]*"', rf'\1"{version}"', npm.read_text(encoding="utf-8"), count=1)
    npm.write_text(plugin, encoding="utf-8")
    package.write_text(new, encoding="utf-8")
    changelog.write_text(log, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "openclaw_oauthrouter.openclaw.manifest", "--write"], check=True, cwd=ROOT)
    print(f"now: git commit -am 'Release {version}' && git tag v{version} && git push --follow-tags")


if __name__ == "__main__":
    main()
