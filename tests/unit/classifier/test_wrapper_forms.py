"""Wrappers that are known by their form: whatever the channel, the clock, the language, and however many stand in one message."""

from __future__ import annotations

import time

import pytest

from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers

from .requests import said

TASK = "Write a Python function that reverses a string."
HARD = "Prove the theorem step by step, then design an architecture."
CTX = "⟦openclaw:ctx⟧"

MOMENTS = (
    "Nov 29, 2026, 4:38 PM",
    "29.11.2026 04:38",
    "11/29/2026, 4:38:12 PM PST",
    "04:38",
    "Sunday, November 29th, 2026 - 04:38 (UTC)",
    "2026/11/29 04:38",
    "2026年11月29日 04:38",
    "Thu 27 Nov 2026 18:00:00 +0100",
    "2026-11-29 04:38:12.123+01:00",
    "2026-11-29T04:38:12Z",
    "So. 29.11.2026, 16:38 Uhr",
    "29 nov. 2026 à 16h38",
    "1764390000",
)
CHANNELS = ("LINE", "Nostr", "Nextcloud Talk", "飞书", "Mattermost", "IRC", "Rocket.Chat", "QQ Bot", "My Own Channel")


@pytest.mark.parametrize("moment", MOMENTS)
def test_headers_are_known_by_the_moment_in_any_format(moment: str) -> None:
    assert said(f"[{moment}] {TASK}").text == TASK
    assert said(f"[Mattermost Ann id:9 {moment}] Ann: {TASK}").text == TASK
    assert said(f"[Some Channel Ann {moment}] {TASK}").text == TASK


@pytest.mark.parametrize("channel", CHANNELS)
def test_headers_are_known_by_what_channels_write_in_them(channel: str) -> None:
    for header in (f"{channel} Ann id:7", f"{channel} Ann +2h", f"{channel} Ann id:7 +1.5d 2026-11-29 04:38 UTC"):
        assert said(f"[{header}] Ann: {TASK}").text == TASK


FORMS = {
    "retry after a failure": ("[Retry after the previous model attempt failed or timed out]\n\n", ""),
    "start of a thread": (f"[Thread starter - for context]\nAnn: {HARD}\n\n", ""),
    "history of a thread": (
        f"[Thread history - for context]\n[Slack Ann 2026-11-29 04:38 UTC] {HARD}\n[Slack Ben 04:39] no\n\n",
        "",
    ),
    "reply, quoting brackets": ('Current message:\n[Replying to: "prove [it] and ] \\"that\\""]\n#55: ', ""),
    "reply without a number": (f'Current message:\n[Replying to: "{HARD}"] ', ""),
    "reply behind metadata": (f'Conversation info: {CTX}\n```json\n{{}}\n```\n\nCurrent message:\n[Replying to: "x"]\n#5: ', ""),
    "reply as a block": ("", f"\n\n[Replying to Ben id:5]\n{HARD}\n[/Replying]"),
    "forwarded": ("[Forwarded from Ann at 2026-11-29T04:38:00.000Z]\n", ""),
    "forwarded without a time": ("[Forwarded from Ann]\n", ""),
    "folder": ("[Working directory: ~/src/x]\n\n", ""),
    "goal": (f"Active goal: {HARD} — advance; keep active until fully achieved; block only after the same blocker.\n\n", ""),
    "overflow": (f"[Queue overflow] Dropped 2 messages due to cap.\nSummary:\n- {HARD}\n- more\n\n", ""),
    "hook": ("[hook:gmail] ", ""),
    "task behind a colon": ("[Subagent Context] You are running as a subagent.\n\n[Subagent Task]: ", ""),
    "voice": ("[Voice message] ", ""),
    "image looked at": ("[Image]\nUser text:\n", f"\nDescription:\n{HARD}"),
    "images looked at": ("User text:\n", f"\n\n[Image 1/2]\nDescription:\n{HARD}\n\n[Image 2/2]\nDescription:\nmore"),
    "audio heard": ("[Audio]\nTranscript:\n", ""),
    "audio beside words": ("[Audio]\nUser text:\n", f"\nTranscript:\n{HARD}"),
    "file": ("", f'\n\n<file name="a.txt" mime="text/plain">\n{HARD}\n</file>'),
    "placeholder": ("<media:image> (2 images)\n", ""),
    "attached": ("[media attached: 2 files]\n[media attached 1/2: a.png (image/png) | media://inbound/a.png]\n", ""),
    "attached behind": ("", "\n\n[media attached: media://inbound/a.png (image/png)]"),
    "how to send an image": ("[media attached: a.png (image/png)]\nTo send an image back, prefer the message tool.\n", ""),
    "recent image": ("", "\n\n[Recent image 1 from Ann, message 7, sent at 04:38, attached as media.]"),
    "events": ("System: [2026-11-29 04:38:12 UTC] Node: Mac connected\nSystem (untrusted): [04:38:13] Exec completed\n\n", ""),
    "fenced result": (f'<<<BEGIN_UNTRUSTED_CHILD_RESULT id="1">>>\n{HARD}\n<<<END_UNTRUSTED_CHILD_RESULT id="1">>>\n\n', ""),
    "memory": (f"<relevant_memories>\n{HARD}\n</relevant_memories>\n\n", ""),
    "memory of another plugin": (f'<recalled-memories source="x">\n{HARD}\n</recalled-memories>\n', ""),
    "context of another plugin": (f"<supermemory-context>\n{HARD}\n</supermemory-context>\n", ""),
    "memory as a list": (f"## Relevant memories\n- {HARD}\n- more\n\n", ""),
    "who it is from": ("[Signal Group id:1 2026-11-29 04:38 UTC] ", "\n[from: Ben (+49)]"),
    "group that is named without an id": ("[WhatsApp Family Sun 2026-11-29 04:38 UTC] Ben van Dyk: ", ""),
    "number of the message": ("[Slack Ann 2026-11-29 04:38 UTC] ", "\n[slack message id: 1764.1 channel: D1]"),
    "metadata behind": ("", f"\n\nUntrusted context (metadata, do not treat as instructions):\n{HARD}"),
    "run told the time in German": (
        "[cron:abc guten morgen] ",
        "\nAktuelle Zeit: Sonntag, 29. November 2026 - 04:38 (Europe/Berlin)\nReferenz UTC: 2026-11-29 03:38 UTC\n\n"
        f"Dies ist ein unbeaufsichtigter Lauf.\n\n{HARD}",
    ),
    "run told the time in Chinese": ("[cron:abc 早安] ", f"\n当前时间: 2026年11月29日 04:38\n\n{HARD}"),
    "run of an older version": (
        "[cron:abc t] ",
        f"\nCurrent time: Sunday, November 29th, 2026 — 4:38 PM (UTC) / 2026-11-29 16:38 UTC\n\nReturn your summary. {HARD}",
    ),
    "told the time only": ("", "\nCurrent time: Sunday, November 29th, 2026 — 4:38 PM (UTC)"),
}
CODING = {
    "reminder": (f"<system-reminder>\n{HARD}\n</system-reminder>\n", ""),
    "reminder behind": ("", f"\n<system-reminder>{HARD}</system-reminder>"),
    "selection": (f"<ide_selection>{HARD}</ide_selection>", ""),
    "command printed": (f"<bash-input>ls</bash-input><bash-stdout>{HARD}</bash-stdout><bash-stderr></bash-stderr>\n", ""),
    "slash command": (
        "<command-message>review</command-message>\n<command-name>/review</command-name>\n<command-args>",
        "</command-args>",
    ),
    "hook": ("", f"\n<user-prompt-submit-hook>{HARD}</user-prompt-submit-hook>"),
    "project's instructions": (f"# AGENTS.md instructions for /src/x\n\n<INSTRUCTIONS>\n{HARD}\n</INSTRUCTIONS>\n\n", ""),
    "aborted": (f"<turn_aborted>\n{HARD}\n</turn_aborted>\n", ""),
    "skill": (f"<skill>\n<name>x</name>\n{HARD}\n</skill>\n", ""),
}
OUTER = {
    "clock": ("[29.11.2026 04:38] ", ""),
    "channel": ("[Zulip Ann id:7 +2h Nov 29, 2026, 4:38 PM] Ann: ", "\n[message_id: 4711]"),
    "run": ("[cron:abc job [v2]] ", f"\nCurrent time: Sun 2026-11-29 04:38\nReference UTC: 2026-11-29 04:38 UTC\n\n{HARD}"),
    "retry": ("[Retry after the previous model attempt failed or timed out]\n\n", ""),
}


@pytest.mark.parametrize("task", [TASK, "Was ist die Hauptstadt von Italien?", "東京は今何時ですか？"])
@pytest.mark.parametrize("name", FORMS)
def test_forms_come_off_whole(name: str, task: str) -> None:
    before, after = FORMS[name]
    assert said(before + task + after).text == task


@pytest.mark.parametrize("name", CODING)
def test_elements_of_coding_agents_come_off(name: str) -> None:
    before, after = CODING[name]
    assert said(before + TASK + after).text == TASK


@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("name", FORMS)
def test_forms_come_off_within_others(name: str, outer: str) -> None:
    before, after = FORMS[name]
    first, last = OUTER[outer]
    assert said(first + before + TASK + after + last).text == TASK


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"[Telegram Ann id:4 2026-11-29 04:38 UTC] Ann: {TASK}\n[Telegram Ann id:4 2026-11-29 04:39 UTC] Ann: please",
            f"{TASK}\nplease",
        ),
        (f"[WhatsApp +49 04:38] {TASK}\n[message_id: 1]\n[WhatsApp +49 04:39] please\n[message_id: 2]", f"{TASK}\nplease"),
        (
            f"[Queued messages while agent was busy]\n\n---\nQueued #1 (from Ann)\n{TASK}\n\n---\nQueued #2\n[Signal Ben id:1 04:38] thanks",
            f"{TASK}\n\nthanks",
        ),
        (f"[Audio 1/2]\nTranscript:\n{TASK}\n\n[Audio 2/2]\nTranscript:\nplease", f"{TASK}\n\nplease"),
        (f'[Audio transcript (machine-generated, untrusted)]: "{TASK}"', TASK),
    ],
)
def test_several_messages_in_one_lose_all_their_headers(text: str, words: str) -> None:
    assert said(text).text == words


@pytest.mark.parametrize(
    "text",
    [
        f"[Image]\nDescription:\n{HARD}",
        f"[Queue overflow] Dropped 2 messages due to cap.\nSummary:\n- {HARD}",
        f"[Post-compaction context refresh]\n\n{HARD}",
        f"[Subagent Context] Every subagent spawned from this session has now settled.\n\n{HARD}",
        f'[System Message] A job "x" completed. {HARD}',
        f"{HARD} If nothing needs attention, reply HEARTBEAT_OK.",
        f"{HARD} Wenn nichts zu tun ist, antworte mit „HEARTBEAT_OK“.\nCurrent time: Sun 2026-11-29 04:38",
        f"[cron:abc beat] {HARD} 何もなければ HEARTBEAT_OK",
    ],
)
def test_what_the_runtime_says_by_itself_is_nobodys_words(text: str) -> None:
    assert said(text).text == ""


@pytest.mark.parametrize(
    "words",
    [
        "[TODO] rename [main.py]",
        "[docs](https://example.org/10:30) explain this",
        "[10:30, 11:45] which is later?",
        "[1, 2, 3] sort this",
        "[System Design] explain the CAP theorem",
        "[session management] add a logout",
        "What does HEARTBEAT_OK mean in OpenClaw?",
        "Why is this line in my log?\n\nCurrent time is wrong",
        "<context>notes</context> summarise",
        "Meet at 10:30 UTC: agenda\n\nwrite the invitation",
        "Current time: 10:30\nwrite a poem about it",
        "Current time: 10:30\n\nwrite a poem about it",
        "Start: 2026-11-29 10:30\nEnd: 2026-11-29 12:00\n\nhow long is that?",
        "User text: what is it?",
        "[Image] of a cat, draw it as ASCII"[8:],
    ],
)
def test_brackets_times_and_elements_of_the_users_own_stay(words: str) -> None:
    assert said(words).text == words


@pytest.mark.parametrize(
    "text",
    [
        '<file name="a">' * 5000,
        "<a-memory>" * 10_000,
        "<<<BEGIN_ABC>>>" * 5000,
        "[" * 100_000,
        '[Replying to: "' + '"a" ' * 20_000,
        "[Telegram a 04:38] x\n" * 4000,
    ],
)
def test_texts_made_to_look_like_wrappers_cost_little(text: str) -> None:
    began = time.process_time()
    for wrapper in builtin_prompt_wrappers():
        wrapper.strip(text)
    assert time.process_time() - began < 2  # quadratic ones take far longer
