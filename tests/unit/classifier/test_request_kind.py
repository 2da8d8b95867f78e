"""Turns, helpers' turns, compactions and side requests are told apart; an effort that is always sent is no wish."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, Tool
from openclaw_oauthrouter.canonical.routing import RequestFeatures, RequestKind, Tier
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.dialects.openai_responses.content import SUMMARISE, UNREADABLE, told_summary

MAIN, SUBAGENT, COMPACTION, SIDE, ASIDE = RequestKind
TOOLS = (Tool("Bash"), Tool("Edit"))
CLAUDE = {"x-claude-code-session-id": "s", "user-agent": "claude-cli/2.1.332 (external, cli)"}
CODEX = {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0 (Debian)"}
PROOF = "Prove that every bounded monotone sequence of real numbers converges"


def asked(words: str, headers: dict[str, str] | None = None, system: str = "", **fields: Any) -> RequestFeatures:
    messages = [Message("system", (TextPart(system),))] if system else []
    messages.append(Message("user", (TextPart(words),)))
    known = fields.pop("known", None)
    request = ChatRequest("test", "auto", tuple(messages), headers=headers or {}, **fields)
    return features_of(request, prompt_wrappers=builtin_prompt_wrappers(), known=known)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(builtin_dimensions(Parameters.load(learned=True).weights))


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"x-claude-code-request-class": "main"}, MAIN),
        ({"x-claude-code-request-class": "subagent"}, SUBAGENT),
        ({"x-claude-code-request-class": "workflow"}, SUBAGENT),
        ({"x-claude-code-request-class": "compaction"}, COMPACTION),
        ({"x-claude-code-request-class": "auxiliary"}, SIDE),
        ({"x-claude-code-request-class": "side_reply"}, ASIDE),
        ({"x-claude-code-parent-agent-id": "a1"}, SUBAGENT),
        ({"x-codex-turn-metadata": '{"request_kind":"turn","agent_name":"/root","thread_source":"user"}'}, MAIN),
        ({"x-codex-turn-metadata": '{"request_kind":"compaction","agent_name":"/root"}'}, COMPACTION),
        ({"x-codex-turn-metadata": '{"request_kind":"turn","thread_source":"subagent"}'}, SUBAGENT),
        ({"x-codex-turn-metadata": '{"request_kind":"turn","agent_name":"/root/helper"}'}, SUBAGENT),
        ({"x-openai-subagent": "review"}, SUBAGENT),
        ({"x-openai-subagent": "compact"}, COMPACTION),
        ({"x-openai-subagent": "memory_consolidation"}, SIDE),
        ({}, MAIN),
    ],
)
def test_kind_is_what_the_clients_headers_say(headers: dict[str, str], kind: RequestKind) -> None:
    assert asked(PROOF, headers, tools=TOOLS).kind is kind


@pytest.mark.parametrize(
    ("words", "system", "kind"),
    [
        ("Your task is to create a detailed summary of the conversation so far, paying close attention …", "", COMPACTION),
        ("The messages above are a conversation to summarize. Create a structured context checkpoint summary", "", COMPACTION),
        ("Summarise it", "You are a context summarization assistant.", COMPACTION),
        ("Generate a concise, sentence-case title for this coding session", "", SIDE),
        ("### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.", "", SIDE),
        ("how do I sort a list?", "You are a title generator. You output ONLY a thread title.", SIDE),
        ("Suggest 3-5 relevant follow-up questions for this conversation", "", SIDE),
        ("fix the login", "Analyze if this message indicates a new conversation topic.", SIDE),
        ("[Subagent Context] You are running as a subagent\n\n[Subagent Task]\n\nWhat is the capital of Italy?", "", SUBAGENT),
        ("Write a title for my blog post about sourdough", "", MAIN),
        ("Name three good conversation starters for a wedding", "", MAIN),
        ("Summarize the attached article in five points", "", MAIN),
        ("quota", "", MAIN),
    ],
)
def test_kind_is_told_from_prompts_that_programs_ship(words: str, system: str, kind: RequestKind) -> None:
    assert asked(words, system=system).kind is kind


@pytest.mark.parametrize(
    ("words", "system"),
    [
        ("fix the login bug", "You are a title generator. Answer with a thread title and nothing else."),
        ("fix my parser", "Generate a short title based on the first message a user sends in a session"),
        ("hello", "You name chats. Reply with a 2-4 word name for the session."),
        ("### Task:\nGenerate a 3-5 word title with an emoji summarizing the chat history.", ""),
        ("### Task:\nGenerate 1-3 broad tags categorizing the main themes of what was said", ""),
        ("### Task:\nSuggest 3-5 follow-up questions the user might ask next in this conversation", ""),
        ("### Task:\nAnalyze the talk to determine the necessity of generating search queries", ""),
        ("### Task:\nYou are an autocompletion system. Continue the text.", ""),
        ("Create a short title for the following thread. Title only.\n\nHello", ""),
        ("Give this conversation a name, ten letters at most.", ""),
        ("Provide a concise description of this session in 4 words or less.", ""),
        ("Please reply with a title for the chat, 3-4 words", ""),
        ("Summarize the following conversation in 3 words for a tab's label", ""),
        ("diff --git a/x b/x", "You generate concise, one-line Git commit messages based on the diffs you are given."),
        ("fix login with plus signs", "Come up with a short git branch name for a task. Answer with the name alone."),
        ("Command: git status", "Your task is to process Bash commands that an AI coding agent wants to run."),
        ("Look at your last answer and determine who should logically speak next: the user or you", ""),
    ],
)
def test_titles_labels_and_other_jobs_of_chat_programs_are_side_requests(words: str, system: str) -> None:
    assert asked(words, system=system).kind is SIDE


@pytest.mark.parametrize(
    ("words", "system"),
    [
        ("Provide a detailed prompt for continuing our conversation above, with what we did and what is next", ""),
        ("First think, then write the <state_snapshot>.", "You summarize internal chat history into a given structure."),
        ("The conversation history is too long. Summarize all of it so that another agent can go on.", ""),
        ("Summarize our conversation so far so that I can continue it in a new session", ""),
        ("Briefly summarize this partial conversation about programming.", ""),
        ("Condense the conversation above into a summary that keeps what is needed to continue", ""),
    ],
)
def test_summaries_to_go_on_with_are_compactions(words: str, system: str) -> None:
    assert asked(words, system=system, tools=TOOLS).kind is COMPACTION
    assert asked(words, system=system).kind is COMPACTION


@pytest.mark.parametrize(
    "words",
    [
        "Write a function that generates a title for a blog post from its text",
        "Create a table of tags for our chat app database schema",
        "Summarize this article about conversation design for my boss",
        "give me names for my chat application",
        "Add a title to the session page and write a test for it",
        "write a commit message guideline for our team",
        "Generate three titles for a talk about message queues",
        "Design a session naming scheme for our chat backend",
        "implement conversation compaction in our agent: summarise old messages when the context is full",
        "rename the branch to fix-login and push it",
    ],
)
def test_users_who_speak_of_titles_chats_and_summaries_are_not_taken_for_programs(words: str) -> None:
    assert asked(words).kind is MAIN


def test_request_kind_users_own_words_about_titles_are_a_turn_where_tools_are_offered() -> None:
    assert asked("Generate a title for each conversation in the list", tools=TOOLS).kind is MAIN


def test_request_kind_quota_probe_is_a_side_request() -> None:
    assert asked("quota", max_output_tokens=1).kind is SIDE
    assert asked(PROOF, max_output_tokens=1).kind is MAIN


@pytest.mark.parametrize("effort", ["high", "xhigh", "max"])
def test_side_requests_are_simple_whatever_they_carry(rules: Rules, effort: str) -> None:
    headers = {**CLAUDE, "x-claude-code-request-class": "auxiliary"}
    known = Conversation(Tier.REASONING, "a/b", 0.0)
    found = asked(PROOF, headers, tools=TOOLS, reasoning=Reasoning(effort=effort), known=known)
    assert rules.classify(found).tier is Tier.SIMPLE


@pytest.mark.parametrize(("task", "tier"), [(Tier.SIMPLE, Tier.SIMPLE), (Tier.REASONING, Tier.MEDIUM), (None, Tier.MEDIUM)])
def test_request_kind_compaction_needs_no_more_than_some_care(rules: Rules, task: Tier | None, tier: Tier) -> None:
    known = Conversation(task, "a/b", 0.0) if task else None
    assert rules.classify(asked(PROOF, {"x-claude-code-request-class": "compaction"}, known=known)).tier is tier


@pytest.mark.parametrize(
    ("words", "system"),
    [
        ("Erstelle einen kurzen Titel (3-5 Wörter) für die folgende Unterhaltung. Antworte nur mit dem Titel.", ""),
        ("Maak een korte titel voor dit gesprek", ""),
        ("Génère un titre court pour cette conversation", ""),
        ("Genera un título breve para esta conversación", ""),
        ("Gere um título curto para esta conversa", ""),
        ("Genera un titolo breve per questa conversazione", ""),
        ("Придумай короткий заголовок для этого разговора", ""),
        ("Bu sohbet için kısa bir başlık yaz", ""),
        ("请为以下对话生成一个简短的标题，不超过10个字，只返回标题。", ""),
        ("user: hi", "你是一名擅长会话的助理，你需要将用户的会话总结为 10 个字以内的标题"),
        ("この会話に短いタイトルを付けてください", ""),
        ("이 대화의 짧은 제목을 만들어 줘", ""),
        ("fix the parser", "Generate a concise, single-line task title of at most 36 characters."),
        ("fix the parser", "You are an expert in crafting pithy titles for chatbot conversations."),
        ("Name this chat in at most five words.", ""),
        ("What is a good short title for the conversation above? Reply with the title only.", ""),
        ("Generate a 3 word summary of this conversation to use as its title", ""),
        ('Summarize in a 10-word Title. Give the title only. Here is the message: "fix it"', ""),
        ("fix it", "You are an AI conversation titles assistant who specializes in creating few-words chat titles."),
        ("fix it", "Your task is to summarize the first user message into a short title of max five words"),
        ("diff --git a b", "You are an expert at writing Git commits. Your job is to write a short clear commit message."),
        ("go on", "You are an agent that identifies when a conversational AI is stuck in an unproductive state."),
        ("Summarize the following tool output to be a maximum of 2000 tokens.", ""),
        ('使用四到五个字直接返回这句话的简要主题，不要解释，如果没有主题，请直接返回"闲聊"', ""),
    ],
)
def test_request_kind_titles_are_asked_for_in_other_words_and_languages(words: str, system: str) -> None:
    assert asked(words, system=system).kind is SIDE


@pytest.mark.parametrize(
    "words",
    [
        "Schreibe einen Titel für meinen Blogbeitrag",
        "Entwirf einen Chatserver mit Titelverwaltung für Unterhaltungen",
        "Écris un titre pour mon article sur la conversation en public",
        "如何在聊天应用中实现标题搜索功能并设计数据库",
        "チャットアプリのタイトル画面を設計して",
        "Implement a title generator for our CMS: it should generate a title of at most 60 characters",
        "Design the title for the conversation view component",
        "Write a title page for the message broker docs",
        "Write a commit message linter for the changes our team makes",
    ],
)
def test_request_kind_somebody_who_works_on_titles_asks_for_none(words: str) -> None:
    assert asked(words).kind is MAIN


@pytest.mark.parametrize(
    "words",
    [
        "[SUGGESTION MODE: Suggest what the user might naturally type next into Claude Code.]",
        "Read HEARTBEAT.md if it exists (workspace context). If nothing needs attention, reply HEARTBEAT_OK.",
        "Sieh nach, ob etwas zu tun ist. Wenn nicht, antworte HEARTBEAT_OK.",
    ],
)
def test_request_kind_hosts_own_questions_are_side_requests_even_with_tools(rules: Rules, words: str) -> None:
    found = asked(words, tools=TOOLS, known=Conversation(Tier.REASONING, "a/b", 0.0))
    assert found.kind is SIDE
    assert rules.classify(found).tier is Tier.SIMPLE


@pytest.mark.parametrize(
    ("words", "system"),
    [
        ("Your urgent task is to create a comprehensive detailed summary of the conversation so far", ""),
        ("## Task Context\n- An llm context limit was reached when a user was in a working session with an agent (you)", ""),
        ("Progressively summarize the lines of conversation provided, adding onto the previous summary", ""),
        ("<EVENT>", "You are maintaining a context-aware state summary for an interactive agent."),
    ],
)
def test_request_kind_compactions_are_asked_for_in_other_words(words: str, system: str) -> None:
    assert asked(words, system=system, tools=TOOLS).kind is COMPACTION


@pytest.mark.parametrize(
    "words",
    [
        "Summarize the chat history module, then continue with the tests",
        "Write a summary of the session handling code and continue with the refactoring",
        "Create a session store class with history and resume support",
        "Condense the discussion section of my thesis",
    ],
)
def test_request_kind_work_on_conversations_is_no_compaction(words: str) -> None:
    assert asked(words, tools=TOOLS).kind is MAIN


def test_request_kind_gateways_own_request_for_a_summary_is_a_compaction() -> None:
    assert asked(SUMMARISE, tools=TOOLS).kind is COMPACTION


# ------------------------------------------------------------------ beginnings


@pytest.mark.parametrize(
    "words",
    [
        "This session is being continued from a previous conversation that ran out of context. The summary below covers …",
        "Another language model started to solve this problem and produced a summary of its thinking process.",
        "The conversation history before this point was compacted into the following summary:",
        told_summary("the parser is done"),
        UNREADABLE,
    ],
)
def test_request_kind_what_goes_on_from_a_summary_does_not_begin(rules: Rules, words: str) -> None:
    known = Conversation(Tier.REASONING, "a/b", 0.0)
    reminder = f"<system-reminder>\n{'Rules of the house. ' * 100}</system-reminder>"
    for texts in ((words,), (reminder, words), (f"{reminder}\n{words}",), (words, "go on")):
        message = Message("user", tuple(TextPart(text) for text in texts))
        request = ChatRequest("test", "auto", (message,), headers=CLAUDE, tools=TOOLS)
        found = features_of(request, prompt_wrappers=builtin_prompt_wrappers(), known=known)
        assert not found.anew
        assert found.previous_tier is Tier.REASONING


@pytest.mark.parametrize("headers", [CLAUDE, CODEX, {}])
def test_request_kind_conversation_without_an_answer_begins_whatever_is_remembered_of_its_name(
    rules: Rules, headers: dict[str, str]
) -> None:
    found = asked("what is in README.md?", headers, tools=TOOLS, known=Conversation(Tier.REASONING, "a/b", 0.0))
    assert found.anew
    assert rules.classify(found).tier is Tier.SIMPLE


def test_request_kind_conversation_that_its_agent_has_set_up_in_its_users_name_begins_too() -> None:
    set_up = (
        Message("user", (TextPart("This is the Gemini CLI. We are setting up the context for our chat."),)),
        Message("assistant", (TextPart("Got it."),)),
    )
    asking = (*set_up, Message("user", (TextPart("what is in README.md?"),)))
    answered = (*asking, Message("assistant", (TextPart("Words."),)), Message("user", (TextPart("go on"),)))
    known = Conversation(Tier.REASONING, "a/b", 0.0)
    for messages, anew in ((asking, True), (answered, False)):
        request = ChatRequest("test", "auto", messages)
        assert features_of(request, prompt_wrappers=builtin_prompt_wrappers(), known=known).anew is anew


# ------------------------------------------------------------------ efforts


@pytest.mark.parametrize("headers", [CLAUDE, CODEX])
@pytest.mark.parametrize("effort", ["medium", "high", "xhigh"])
def test_request_kind_effort_sent_on_every_turn_is_no_wish(rules: Rules, headers: dict[str, str], effort: str) -> None:
    found = asked("say hi", headers, tools=TOOLS, reasoning=Reasoning(effort=effort))
    assert found.effort_is_default
    assert rules.classify(found).tier is Tier.SIMPLE


def test_request_kind_effort_that_rises_within_a_conversation_is_a_wish(rules: Rules) -> None:
    known = Conversation(Tier.SIMPLE, "a/b", 0.0, effort="medium")
    for effort, tier in (("medium", Tier.SIMPLE), ("high", Tier.COMPLEX), ("max", Tier.REASONING)):
        found = asked("say hi", CLAUDE, tools=TOOLS, reasoning=Reasoning(effort=effort), known=known)
        assert rules.classify(found).tier is tier


@pytest.mark.parametrize("headers", [{"user-agent": "OpenAI/Python 2.1"}, {}])
def test_request_kind_effort_of_any_agent_is_what_it_is_set_to(rules: Rules, headers: dict[str, str]) -> None:
    found = asked("say hi", headers, tools=TOOLS, reasoning=Reasoning(effort="high"))
    assert rules.classify(found).tier is Tier.SIMPLE
    for before in ("low", "medium", None):
        known = Conversation(Tier.SIMPLE, "a/b", 0.0, effort=before)
        found = asked("say hi", headers, tools=TOOLS, reasoning=Reasoning(effort="high"), known=known)
        assert rules.classify(found).tier is Tier.COMPLEX


def test_request_kind_effort_that_stays_as_it_was_says_nothing_of_a_turn(rules: Rules) -> None:
    known = Conversation(Tier.SIMPLE, "a/b", 0.0, effort="high")
    found = asked("say hi", {"user-agent": "OpenAI/Python 2.1"}, reasoning=Reasoning(effort="high"), known=known)
    assert rules.classify(found).tier is Tier.SIMPLE


def test_request_kind_effort_of_a_client_that_need_not_send_one_is_a_wish(rules: Rules) -> None:
    found = asked("say hi", {"user-agent": "OpenAI/Python 2.1"}, reasoning=Reasoning(effort="high"))
    assert not found.effort_is_default
    assert rules.classify(found).tier is Tier.COMPLEX


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        ("You are now acting as the managed memory extraction subagent for an AI coding assistant.\n\nRules:", SIDE),
        ("You are a memory consolidation agent. Merge the notes.", SIDE),
        ("You are a coding agent. You manage memory with care.", MAIN),
        ("You are an expert in memory management agents for games.", MAIN),
    ],
)
def test_kind_keeping_notes_of_a_conversation_is_a_side_request_though_it_has_tools(system: str, kind: RequestKind) -> None:
    assert asked("Managed memory has two directories. Write the memories.", system=system, tools=TOOLS).kind is kind
