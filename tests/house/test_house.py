"""The house itself: what is exported, how large rooms may be, and that every module says why it exists."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import openclaw_oauthrouter

PACKAGE = Path(openclaw_oauthrouter.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MOST_LINES = 600
MOST_FUNCTION_LINES = 60


def test_house_everything_exported_is_there() -> None:
    for name in openclaw_oauthrouter.__all__:
        assert getattr(openclaw_oauthrouter, name) is not None
    assert openclaw_oauthrouter.__all__ == sorted(openclaw_oauthrouter.__all__)
    with pytest.raises(AttributeError):
        openclaw_oauthrouter.nothing  # noqa: B018


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_house_module_says_why_it_exists_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    assert docstring, "the first line of a module says why it exists"
    assert docstring.splitlines()[0].rstrip().endswith((".", ":", "``", "?")), docstring.splitlines()[0]
    assert len(text.splitlines()) <= MOST_LINES
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    large = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions
        if (node.end_lineno or 0) - node.lineno >= MOST_FUNCTION_LINES
    }
    assert not large


def test_routing_alone_loads_no_server() -> None:
    code = "import sys; from openclaw_oauthrouter import route; route('hi'); print(sorted({'quart', 'hypercorn', 'aiohttp', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_house_every_lazy_pattern_is_one() -> None:
    # They are compiled when they are first used; a wrong one must not wait for that.
    code = (
        "import gc, importlib, pkgutil, openclaw_oauthrouter as package\n"
        "from openclaw_oauthrouter.canonical.patterns import LazyPattern\n"
        "for found in pkgutil.walk_packages(package.__path__, 'openclaw_oauthrouter.'):\n"
        "    found.name.endswith('__main__') or importlib.import_module(found.name)\n"
        "patterns = [found for found in gc.get_objects() if type(found) is LazyPattern]\n"
        "print(len(patterns), len([found.pattern for found in patterns]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    made, compiled = map(int, done.stdout.split())
    assert made == compiled > 100
