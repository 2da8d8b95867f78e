"""What the documentation points at exists: pages, headings, files, modules, commands and their options."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from openclaw_oauthrouter.cli.root import root
from tests.docs.pages import ROOT, all_pages

PAGES = list(all_pages())
PACKAGE = ROOT / "openclaw_oauthrouter"

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FILE = re.compile(r"`([\w.-]+/[\w./-]+\.(?:py|md))`")
_MODULE = re.compile(r"python -m ([\w.]+)")
_COMMAND = re.compile(r"openclaw-oauthrouter((?: +[\w=<>./-]+)*)")
_ABSOLUTE = re.compile(r"(?<![\w./~>})\]:-])/([A-Za-z][\w.-]*)/[\w.-]+")

URL_PATHS = {"chat", "v1", "v1beta", "debug", "api", "deployments", "anthropic", "openai"}
"""What begins like a path of a machine, but is one of an API."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def wrong_word(words: list[str]) -> str | None:
    """The first word of a command line that the program does not know."""
    command: click.Command = root
    context = click.Context(root)
    while words:
        word = words.pop(0)
        if word == "--" or (command.name == "run" and not word.startswith("-")):
            return None  # what follows are another program's words
        if word.startswith("-"):
            option = next((one for one in command.params if word.partition("=")[0] in (*one.opts, *one.secondary_opts)), None)
            if option is None and word not in ("--help", "--version"):
                return word
            if isinstance(option, click.Option) and not option.is_flag and words:
                words.pop(0)
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return word
            command = found
    return None


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@each_page
def test_files_and_modules_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in _FILE.findall(text):
        assert (ROOT / name).exists() or (PACKAGE / name).exists(), name
    for module in _MODULE.findall(text):
        assert module in ("venv", "pip") or find_spec(module), module


@each_page
def test_commands_exist_with_their_options(page: Path) -> None:
    for line in _COMMAND.findall(page.read_text(encoding="utf-8")):
        assert wrong_word(line.split()) is None, f"openclaw-oauthrouter{line}"


REGISTRIES = ("pypi", "pythonhosted", "npmjs", "crates")


@each_page
def test_links_no_page_names_a_developers_machine_or_a_registry(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(_ABSOLUTE.findall(text)) <= URL_PATHS
    assert not re.search(rf"\b(?:{'|'.join(REGISTRIES)}|registry\.\w+)\.\w+", text)


def test_links_readme_leads_to_every_page() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        targets = _LINK.findall(page.read_text(encoding="utf-8"))
        todo += [page.parent / target.partition("#")[0] for target in targets if "://" not in target and target[0] != "#"]
    assert {page.resolve() for page in PAGES} - reached == set()


def test_links_checks_can_fail() -> None:
    assert wrong_word(["auth", "remove"]) == "remove"
    assert wrong_word(["serve", "--prot", "1"]) == "--prot"
    assert wrong_word(["--config", "x.toml", "auth", "status"]) is None
    assert set(_ABSOLUTE.findall("see /home/somebody/notes")) == {"home"}


def test_decision_pages_have_numbers_of_their_own_and_are_listed() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(set(numbers)) == len(numbers), numbers
    listed = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [page.name for page in pages if f"(decisions/{page.name})" not in listed] == []
