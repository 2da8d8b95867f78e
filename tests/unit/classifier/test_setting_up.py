"""What coding agents say in their users' names before anything is asked is nobody's task."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers.setting_up import SettingUp
from openclaw_oauthrouter.classifier.rules import Rules

from .requests import features, said

CODE = "def f(x):\n    return lock(x) or optimize(architecture)\n" * 60
SET_UP = {
    "Gemini CLI": "This is the Gemini CLI. We are setting up the context for our chat.\nToday's date is Sunday.\nproj/\n├───src/",
    "Gemini CLI, as an element": "<session_context>\nThis is the Gemini CLI. We are setting up the context for our chat.\n</session_context>",
    "Qwen Code": "This is the Qwen Code. We are setting up the context for our chat.\nMy operating system is: linux",
    "Aider, files": f"I have *added these files to the chat* so you can go ahead and edit them.\n\napp.py\n```\n{CODE}```",
    "Aider, map": f"Here are summaries of some files present in my git repository.\nDo not propose changes to these.\n{CODE}",
    "Aider, to read": f"Here are some READ ONLY files, provided for your reference.\nDo not edit these files!\n{CODE}",
    "Aider, none": "I am not sharing any files that you can edit yet.",
    "Aider, after examples": "I switched to a new code base. Please don't consider the above files.",
    "Cline, where it is": f"<environment_details>\n# Visible Files\n{CODE}</environment_details>",
    "Cline, its list": "# task_progress RECOMMENDED\n\nWhen you begin, it is recommended to include a todo list.\n\n1. Create it",
    "Cline, its list again": "# TODO LIST UPDATE REQUIRED - include the list in the next call.",
}
TASK = "fix the typo in README.md"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(builtin_dimensions(Parameters.load(learned=True).weights))


@pytest.mark.parametrize("message", SET_UP.values(), ids=SET_UP)
def test_setting_up_leaves_nothing_of_such_a_message(message: str) -> None:
    assert SettingUp().strip(message).strip() == ""
    assert said(message).text == ""


@pytest.mark.parametrize("message", SET_UP.values(), ids=SET_UP)
def test_rules_a_small_task_behind_them_is_as_small_as_alone(rules: Rules, message: str) -> None:
    after = features(("user", message), ("assistant", "Ok."), ("user", TASK))
    assert (after.text, after.turn_count, after.task_text) == (TASK, 1, "")
    assert rules.classify(after).tier is rules.classify(said(TASK)).tier is Tier.MEDIUM


REMINDERS = {
    "whole files": "To suggest changes to a file you MUST return the entire content of the updated file.\nYou MUST use this format",
    "blocks": "# *SEARCH/REPLACE block* Rules:\n\nEvery *SEARCH/REPLACE block* must use this format:",
    "diffs": "# File editing rules:\n\nReturn edits similar to unified diffs that `diff -U0` would produce.",
    "patches": "# V4A Diff Format Rules:\n\nYour entire response containing the patch MUST start with",
}


@pytest.mark.parametrize("reminder", REMINDERS.values(), ids=REMINDERS)
def test_rules_a_small_task_before_rules_for_edits_is_as_small_as_alone(rules: Rules, reminder: str) -> None:
    with_rules = said(f"{TASK}\n\n{reminder}\n{CODE}\n\nReply in English.")
    assert with_rules.text == TASK
    assert rules.classify(with_rules).tier is Tier.MEDIUM


@pytest.mark.parametrize(
    "text",
    [
        "I have added these files to the repository, review them",
        "This is the second time. We are losing data.",
        "what does <environment_details> mean?",
        "# TODO list\n- write the parser",
        "Here are some files. Summarize them.",
    ],
)
def test_setting_up_users_words_stay(text: str) -> None:
    assert SettingUp().strip(text) == text
