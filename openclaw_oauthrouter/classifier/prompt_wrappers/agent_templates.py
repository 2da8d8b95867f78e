"""What coding agents and their benchmarks put around a task: instructions, workflows and rules of the agent, the same for every task."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import named_blocks, names_in

ELEMENTS = (
    "pr_description",
    "issue_description",
    "problem_statement",
    "task_description",
    "user_query",
    "user_request",
    "user_message",
    "issue",
    "task",
)
"""Elements that hold the task itself, in mini-SWE-agent, SWE-agent, OpenHands, Cursor, Cline and Roo Code."""

_CLOSINGS = frozenset([f"/{name}" for name in ELEMENTS])
_ELEMENT = lazily(rf"<({'|'.join(ELEMENTS)})>")
_SOLVE = lazily(r"\s{0,40}Please solve (?:this issue|the following issue|this task): ?")
_SOLVE_END = "\nYou can execute bash commands"
_ISSUE = lazily(r"\bHere's the issue text:\s{0,40}\nISSUE:\s{0,40}\n")
_ISSUE_END = "\nINSTRUCTIONS:"

_LEAST = 20
"""Characters below which an element is an example of its use rather than a task."""


class AgentTemplates:
    """Keeps the task, where a message marks it; a message without such marks is left as it is."""

    name = "agent_templates"

    def strip(self, text: str) -> str:
        """The task itself."""
        if not _CLOSINGS.isdisjoint(names_in(text)):
            found = max(
                (text[start:end].strip() for _, start, end, _ in named_blocks(text, _ELEMENT, "</{}>")), key=len, default=""
            )
            if len(found) >= _LEAST:
                return found
        if text[:40].lstrip().startswith("Please solve th"):
            return _between(text, _SOLVE.match(text), _SOLVE_END)
        return _between(text, _ISSUE.search(text), _ISSUE_END) if "Here's the issue text:" in text else text


def _between(text: str, opening: re.Match[str] | None, closing: str) -> str:
    """What stands between two marks, the second behind a blank line; the whole text where it does not."""
    end = text.find(closing, opening.end()) if opening else -1
    if opening is None or end < 0:
        return text
    words = text[opening.end() : end]
    return words.rstrip() if words.rstrip(" \t\r").endswith("\n") else text
