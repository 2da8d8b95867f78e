"""The four rules for Claude subscription tokens."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openclaw_oauthrouter.providers.anthropic.oauth import (
    BETA_FLAGS,
    PREAMBLE,
    is_oauth_token,
    merge_beta_flags,
    move_system,
    pascal_case,
    rename_tools,
)

Body = dict[str, Any]
USER = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
ONLY_PREAMBLE = [{"type": "text", "text": PREAMBLE}]


def body(**fields: Any) -> Body:
    return {"model": "m", "messages": [USER], **fields}


def tool(name: str) -> Body:
    return {"name": name, "input_schema": {"type": "object"}}


# The table of the product's description, and the exceptions it names.
NAMES = {
    "read": "Read",
    "write": "Write",
    "edit": "Edit",
    "exec": "Exec",
    "web_search": "WebSearch",
    "web_fetch": "WebFetch",
    "memory_search": "MemorySearch",
    "memory_get": "MemoryGet",
    "agents_list": "AgentsList",
    "sessions_list": "SessionsList",
    "sessions_history": "SessionsHistory",
    "sessions_send": "SessionsSend",
    "session_status": "SessionStatus",
    "browser": "Browser",
    "memory-get": "MemoryGet",
    "session status": "SessionStatus",
    "WebSearch": "WebSearch",
    "getUserInfo": "GetUserInfo",
    "mcp__files__list_dir": "McpFilesListDir",
    "_private_": "Private",
    "HTTP_get": "HTTPGet",
    "___": "___",
    "2nd_try": "2ndTry",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names(name: str, expected: str) -> None:
    assert pascal_case(name) == expected
    renamed, names = rename_tools(body(tools=[tool(name)]))
    assert renamed["tools"][0]["name"] == expected
    assert names == ({expected: name} if name != expected else {})


def test_names_that_collide_are_made_distinct() -> None:
    renamed, names = rename_tools(body(tools=[tool("read_file"), tool("read-file"), tool("ReadFile"), tool("readFile")]))
    wire = [entry["name"] for entry in renamed["tools"]]
    assert wire == ["ReadFile2", "ReadFile3", "ReadFile", "ReadFile4"]
    assert names == {"ReadFile2": "read_file", "ReadFile3": "read-file", "ReadFile4": "readFile"}


def test_history_choice_and_references_are_renamed_too() -> None:
    original = body(
        tools=[tool("web_search"), {"type": "custom", **tool("own")}],
        tool_choice={"type": "tool", "name": "web_search"},
        messages=[
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "1", "name": "web_search", "input": {}},
                    {"type": "tool_use", "id": "2", "name": "old_tool", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "tool_reference", "tool_name": "own"}]}
                ],
            },
            {"role": "assistant", "content": "web_search"},
        ],
    )
    before = copy.deepcopy(original)
    renamed, names = rename_tools(original)
    assert original == before
    assert renamed["tool_choice"] == {"type": "tool", "name": "WebSearch"}
    assert [block["name"] for block in renamed["messages"][1]["content"]] == ["WebSearch", "OldTool"]
    assert renamed["messages"][2]["content"][0]["content"][0]["tool_name"] == "Own"
    assert renamed["messages"][3] == before["messages"][3]
    assert names == {"WebSearch": "web_search", "Own": "own", "OldTool": "old_tool"}


def test_tools_that_run_at_the_provider_keep_their_names() -> None:
    server_tool = {"type": "web_search_20250305", "name": "web_search"}
    renamed, names = rename_tools(body(tools=[server_tool, tool("bash")]))
    assert renamed["tools"] == [server_tool, {**tool("bash"), "name": "Bash"}]
    assert names == {"Bash": "bash"}


def test_anthropic_oauth_without_tools_nothing_is_renamed() -> None:
    original = body(messages=[{"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "a_b", "input": {}}]}])
    assert rename_tools(original) == (original, {})


@pytest.mark.parametrize("system", [None, "", []])
def test_anthropic_oauth_no_system(system: Any) -> None:
    assert move_system(body(system=system)) == body(system=ONLY_PREAMBLE)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("Be terse.", {"type": "text", "text": "<system-context>\nBe terse.\n</system-context>"}),
        (
            [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "B"}],
            {"type": "text", "text": "<system-context>\nA\n\nB\n</system-context>", "cache_control": {"type": "ephemeral"}},
        ),
    ],
)
def test_anthropic_oauth_system_prompt_opens_the_first_user_message(system: Any, expected: Body) -> None:
    original = body(system=system)
    before = copy.deepcopy(original)
    moved = move_system(original)
    assert original == before
    assert moved["system"] == ONLY_PREAMBLE
    assert moved["messages"] == [{"role": "user", "content": [expected, {"type": "text", "text": "hi"}]}]


def test_content_given_as_a_string() -> None:
    moved = move_system(body(system="S", messages=[{"role": "user", "content": "hi"}]))
    assert [block["text"] for block in moved["messages"][0]["content"]] == ["<system-context>\nS\n</system-context>", "hi"]


def test_anthropic_oauth_conversation_that_the_assistant_opens() -> None:
    moved = move_system(body(system="S", messages=[{"role": "assistant", "content": "yo"}]))
    assert [message["role"] for message in moved["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize(
    "system", [PREAMBLE, f"{PREAMBLE}\nBe brief.", [{"type": "text", "text": PREAMBLE}, {"type": "text", "text": "B"}]]
)
def test_anthropic_oauth_system_prompt_that_begins_with_the_preamble_stays(system: Any) -> None:
    assert move_system(body(system=system)) == body(system=system)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, ",".join(BETA_FLAGS)),
        ("", ",".join(BETA_FLAGS)),
        ("a-1, oauth-2025-04-20", f"a-1,oauth-2025-04-20,{BETA_FLAGS[0]},{BETA_FLAGS[2]},{BETA_FLAGS[3]}"),
    ],
)
def test_beta_flags_join_the_clients_own(own: str | None, expected: str) -> None:
    assert merge_beta_flags(own) == expected


def test_which_tokens() -> None:
    assert is_oauth_token("sk-ant-oat01-x")
    assert not is_oauth_token("sk-ant-api03-x")


def test_anthropic_oauth_block_without_a_name_is_left_to_the_provider_to_refuse() -> None:
    odd = [{"type": "tool_result", "content": [{"type": "tool_reference"}, {"type": "tool_reference", "tool_name": ["own"]}]}]
    choice = {"type": "auto", "name": ["own"]}
    renamed, _ = rename_tools(body(tools=[tool("own")], tool_choice=choice, messages=[{"role": "user", "content": odd}]))
    assert (renamed["messages"][0]["content"], renamed["tool_choice"]) == (odd, choice)
