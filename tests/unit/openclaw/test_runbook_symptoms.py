"""The runbook's tables of symptoms: what they quote is really said, and what a user of OpenClaw can be told stands in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import openclaw_oauthrouter

PACKAGE = Path(openclaw_oauthrouter.__file__).parent
RUNBOOK = (PACKAGE.parent / "docs" / "openclaw-runbook.md").read_text(encoding="utf-8")

SPEAKERS = (
    "openclaw/bridge.py",
    "edits/json5_text.py",
    "edits/journal.py",
    "cli/openclaw.py",
    "proxy/listener.py",
    "proxy/local_token.py",
    "proxy/local_client.py",
    "proxy/exposure.py",
    "proxy/gate.py",
    "plugins.py",
    "config/loading.py",
    "credentials/sources/openclaw.py",
    "policy/budgets/model_lists.py",
    "policy/budgets/request_tokens.py",
)
"""Modules whose errors reach users of OpenClaw."""

SAID_BY_OTHERS = {
    "connection refused by the provider endpoint",
    'No API key found for provider "oauthrouter"',
    "provider internal error, HTTP 503",
    "Context overflow: prompt too large",
    'Unrecognized keys: "provider", "contextWindow", "maxTokens"',
    "cannot be started: spawn … ENOENT",
    "No module named openclaw_oauthrouter",
    "requires legacy credential migration",
    "existing config is missing gateway.mode",
    "can't verify where this plugin came from",
    "blocked plugin candidate: suspicious ownership",
}
"""By OpenClaw, Node and Python; seen in runs."""

_PARTS = ("is larger than", "nothing was changed")
# Ends of messages that are quoted by their beginnings.


def quotations() -> list[str]:
    """What stands in backticks in the first column."""
    section = RUNBOOK.partition("## Troubleshooting by symptom")[2]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "---" not in line]
    return [quoted for row in rows for quoted in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def pieces(quotation: str) -> list[str]:
    return [piece.strip() for piece in quotation.split("…") if piece.strip()]


def literal(node: ast.expr) -> str:
    """The fixed words of an expression."""
    return " ".join(part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def python_words() -> str:
    files = (path for path in sorted(PACKAGE.rglob("*.py")))
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in files)
    return "\n".join(literal(tree) for tree in trees)  # type: ignore[arg-type]


def errors(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args and literal(node.exc.args[0]):
            yield literal(node.exc.args[0])


@pytest.fixture(scope="module")
def all_words() -> str:
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.js")))
    return python_words() + scripts


@pytest.mark.parametrize("quotation", quotations())
def test_runbook_symptoms_quotation_is_really_said(quotation: str, all_words: str) -> None:
    assert quotation in SAID_BY_OTHERS or all(piece in all_words for piece in pieces(quotation))


@pytest.mark.parametrize("module", SPEAKERS)
def test_runbook_symptoms_error_can_be_found_by_its_words(module: str) -> None:
    quoted = [pieces(quotation) for quotation in quotations()]
    lost = [error for error in errors(module) if not any(all(piece in error for piece in found) for found in quoted)]
    assert [error for error in lost if not any(part in error for part in _PARTS)] == []
    assert list(errors(module))
