"""Free text wrapped in JSON arguments comes out as it went in, and what the model wrote otherwise is not lost."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.free_text import unwrap_input, wrap_input


@pytest.mark.parametrize("text", ["", "*** Begin Patch", 'say "hi"\n', "ü\U0001f600", "\\ud83d"])
def test_free_text_what_was_wrapped_is_unwrapped(text: str) -> None:
    assert unwrap_input(wrap_input(text)) == text


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "ls",
        '{"input":"cut of',
        '{"input":5}',
        '{"other":"x"}',
        '["input"]',
        r'{"input":"smile \ud83d"}',
        '{"input":' + "[" * 20_000 + "]" * 20_000 + "}",
    ],
)
def test_arguments_that_carry_no_text_are_the_text(arguments: str) -> None:
    assert unwrap_input(arguments) == arguments
