"""What the conversation and the request around a turn say about its tier.

A prompt alone cannot place "yes, do it". Rules, in order:

1. A turn that only carries tool results, and a follow-up, never fall below the tier of the task they belong to. Tool results do not
   raise it either: the model that called a tool reads the answer, and the provider's prompt cache stays warm.
2. A turn rises at once when its own words are harder than the task's.
3. It falls only when its words open a new topic. One that asks for less than the task does is a digression: the router decides what
   model serves it, and the task is taken up again where it was left.
4. What the request carries sets least tiers (``minimum_of``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import Classification, RequestFeatures, Tier, TurnKind
from openclaw_oauthrouter.canonical.value import changed
from openclaw_oauthrouter.classifier.excerpt import letters_in, tokens_of

SHORT = 40
"""Letters below which a turn is taken for a reply to what was said before rather than a task of its own."""

PASSING = 200
"""Letters below which a turn that points back ("your last answer …") is a reply."""

SHARED_WORDS = 2
LONG_WORD = 5
"""A turn is on the task's topic when they share this many words of this many letters."""

LONGEST_OPENING = 12

LARGE_INPUT = 100_000
"""Tokens beyond which a request needs a model that keeps track of much at once."""

_ERROR_LINE = lazily(
    r"^\s*(?:\w+(?:\.\w+)*(?:Error|Exception|Warning)\b|error(?:\[\w+\])?:|fatal:|FAILED\b|FAIL\b|E   |panic:|npm ERR!|"
    r"at \S+ ?\(.+:\d+|File \".+\", line \d+|\S+:\d+(?::\d+)?: (?:error|fatal|warning)|Caused by:|Segmentation fault|"
    r"\w+: command not found)",
)
_TRACEBACK = lazily(r"Traceback \(most recent call last\)|panicked at|stack backtrace")

_NEW_TASK = lazily(
    r"\s*(?:(?:thanks|thank you|thx|ok|okay|great|good|perfect|nice|danke|super|gut|gracias|merci|obrigado|grazie|спасибо|谢谢|ありがとう)\W+){0,3}"
    r"(?:(?:(?:now|and|here is|here's|let's do) )?(?:an? )?(?:new|another|different|separate|unrelated) (?:task|topic|ticket|issue|subject|project)\b"
    r"|next (?:task|topic|ticket|issue)\s*[:：-]|change of (?:topic|subject)\b|switching (?:topics?|tasks?)\b"
    r"|(?:neue aufgabe|neues thema|anderes thema|andere aufgabe|themenwechsel|nächste aufgabe\s*:)"
    r"|(?:nouvelle tâche|autre tâche|autre sujet)|(?:nueva tarea|otra tarea|otro tema)|(?:nova tarefa|outra tarefa|outro assunto)"
    r"|(?:nuovo compito|nuova attività|altro argomento)|(?:новая задача|другая задача|другая тема)"
    r"|(?:新任务|新的任务|另一个任务|换个话题)|(?:新しいタスク|別のタスク|別件)|(?:새 작업|새로운 작업|다른 작업))",
    re.IGNORECASE,
)
"""How somebody begins who says that a task is over and another one begins."""

_WORK = ("imperative", "code", "technical", "references")
"""Lists of keywords that speak of work."""

Words = Mapping[str, Sequence[str]]


def minimum_of(features: RequestFeatures) -> tuple[Tier, str] | None:
    """The highest least tier that what a request carries asks for, rather than its words, and why."""
    # What a client sends on every turn is its default and says nothing of this one.
    effort = None if features.effort_is_default else features.reasoning_effort
    if effort is not None:
        if effort in ("xhigh", "max"):
            return Tier.REASONING, "reasoning effort above high"
        if effort == "high":
            return Tier.COMPLEX, "reasoning effort high"
    if features.turn_image_count > 0:
        return Tier.COMPLEX, "image"
    if features.input_tokens > LARGE_INPUT:
        return Tier.COMPLEX, "large input"
    return _medium_at_least(features)


def _medium_at_least(features: RequestFeatures) -> tuple[Tier, str] | None:
    if features.image_count > 0:
        return Tier.MEDIUM, "image in the conversation"
    if features.file_count > 0:
        return Tier.MEDIUM, "file"
    if features.structured_output:
        return Tier.MEDIUM, "structured output"
    # Hosts offer their tools with every "hi": only words that ask for work make the offer count.
    if features.tool_names and any(map(features.keywords.get, _WORK)):
        return Tier.MEDIUM, "tools for a task"
    return None


def is_short(words: str) -> bool:
    """Whether a turn is too short to be a task by itself."""
    return letters_in(words) < SHORT


def belongs_to_task(features: RequestFeatures, find: Callable[[str], Words]) -> bool:
    """Whether a turn goes on with what was said before.

    :param features: with ``keywords`` filled in
    :param find: finds the conversation's own keyword lists in a lower-case text
    """
    if features.previous_tier is None and not features.has_assistant_turn:
        return False
    if features.is_tool_result_turn and features.previous_tier is not None:
        return True
    letters = letters_in(features.text)
    text = features.text.lower()
    if is_pasted_error(features.text):
        return True
    words = find(text) if letters < PASSING else {}
    if "back_reference" in words or _only_acknowledges(text, words):
        return True
    if letters < SHORT:
        return "pronoun" in words or "simple" not in features.keywords
    return bool(find(_opening(text))) or _shares_words(text, (features.earlier_text or features.task_text).lower())


def opens_task(features: RequestFeatures) -> bool:
    """Whether a turn says itself that it is another task."""
    return not features.is_tool_result_turn and _NEW_TASK.match(features.text) is not None


def is_pasted_error(text: str) -> bool:
    """Whether a turn is mostly what a program printed when it failed: a traceback, compiler errors, a failed test run."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return False
    hits = sum(bool(_ERROR_LINE.search(line)) for line in lines)
    return bool(hits) and (len(lines) == 1 or hits >= 2 or bool(_TRACEBACK.search(text)))


def turn_of(classified: Classification, features: RequestFeatures, *, belongs: bool, opens: bool = False) -> TurnKind:
    """What a turn is to the conversation's task.

    :param belongs: as ``belongs_to_task`` says
    :param opens: as ``opens_task`` says
    """
    if belongs:
        return "continues"
    if opens:
        return "task"
    if features.previous_tier is not None and classified.tier.rank < features.previous_tier.rank:
        return "digression"
    return "task"


def in_context(classified: Classification, features: RequestFeatures, task_tier: Tier | None) -> Classification:
    """Apply the rules above to a classification.

    :param classified: from the turn's own words
    :param task_tier: tier of the task the turn goes on with; ``None`` when it opens a topic
    """
    if task_tier is not None and task_tier.rank > classified.tier.rank:
        kind = "tool results of" if features.is_tool_result_turn else "goes on with"
        classified = _lift(classified, task_tier, f"{kind} a {task_tier} task")
    minimum = minimum_of(features)
    return classified if minimum is None or minimum[0].rank <= classified.tier.rank else _lift(classified, *minimum)


def _lift(classified: Classification, tier: Tier, reason: str) -> Classification:
    note = f"at least {tier}: {reason}"
    return changed(
        classified, tier=tier, reasoning=f"{classified.reasoning} | {note}", minimum_tiers=(*classified.minimum_tiers, note)
    )


def _only_acknowledges(text: str, words: Words) -> bool:
    """ "Yes please, go ahead, thanks": more than half of the text is acknowledgement."""
    said = sum(len(keyword) for keyword in words.get("acknowledgement", ()))
    return bool(text) and said * 2 > len(text)


def _opening(text: str) -> str:
    """The first word: "Now …", "Also …", "OK, …" go on with something."""
    return next(iter(text.split(maxsplit=1)), "")[:LONGEST_OPENING]


def _shares_words(text: str, task: str) -> bool:
    shared = set(tokens_of(text)) & set(tokens_of(task)) if task else set()
    return sum(len(word) >= LONG_WORD for word in shared) >= SHARED_WORDS
