"""What coding agents and their benchmarks put around a task: instructions, workflows and rules of the agent, the same for every task."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily

ELEMENTS = (
    "pr_description",
    "issue_description",
    "problem_statement",
    "task_description",
    "user_query",
    "user_request",
    "issue",
    "task",
)
"""Elements that hold the task itself, in mini-SWE-agent, SWE-agent, OpenHands, Cursor and Cline."""

_ELEMENT = lazily(rf"<({'|'.join(ELEMENTS)})>\s*(.*?)\s*</\1>", re.DOTALL)
_SOLVE = lazily(
    r"\A\s*Please solve (?:this issue|the following issue|this task): ?(.*?)\n\s*\nYou can execute bash commands", re.DOTALL
)
_ISSUE = lazily(r"\bHere's the issue text:\s*\nISSUE:\s*\n(.*?)\n\s*\nINSTRUCTIONS:", re.DOTALL)

_LEAST = 20
"""Characters below which an element is an example of its use rather than a task."""


class AgentTemplates:
    """Keeps the task, where a message marks it; a message without such marks is left as it is."""

    name = "agent_templates"

    def strip(self, text: str) -> str:
        """The task itself."""
        if "<" in text and "</" in text:
            found = max((match[2] for match in _ELEMENT.finditer(text)), key=len, default="")
            if len(found) >= _LEAST:
                return found
        match = _SOLVE.match(text) if text[:40].lstrip().startswith("Please solve th") else None
        if match is None and "\nISSUE:" in text:
            match = _ISSUE.search(text)
        return match[1] if match else text
