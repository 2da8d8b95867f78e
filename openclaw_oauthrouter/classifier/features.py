"""What a classifier may look at, drawn from a request once: above all the user's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from openclaw_oauthrouter.canonical.content import BlobPart, FilePart, TextPart, ToolCallPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.glance import FILE, FILES, IN_RESULTS, RESULT
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import RequestFeatures, RequestKind, Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.classifier.conversation import is_pasted_error, is_short
from openclaw_oauthrouter.classifier.excerpt import STRIPPED_HEAD, STRIPPED_TAIL, ends_of, excerpt_and_letters, letters_in
from openclaw_oauthrouter.classifier.flight import flight_of
from openclaw_oauthrouter.classifier.flight_reader import OBSERVATION, FlightReader
from openclaw_oauthrouter.classifier.remembered import RememberedTexts
from openclaw_oauthrouter.classifier.request_kind import effort_is_default, goes_on_from_summary, kind_of
from openclaw_oauthrouter.interfaces import PromptWrapper

EXAMINED_TURNS = 48
"""User messages with text whose wrapping is looked through, from the end; older ones are taken as they are."""

REPLY = 16
"""Letters below which the user's words set no task: what has happened in it so far still counts."""

EARLIER_TURNS = 6
EARLIER_LETTERS = 800

_ACTING = lazily(
    r"bash|shell|exec|command|terminal|edit|write|patch|replace|\bread|read_|file|grep|glob|computer|\bagent\b|process|^run|_run",
    re.IGNORECASE,
)

SYSTEM_HEAD = 4096

_MEDIA = (BlobPart, UriPart, FilePart)


class Unwrapped:
    """Takes hosts' wrapping off texts, and remembers what was left of them.

    :param prompt_wrappers: wrappings to look through, all of them in order
    :ivar flights: remembers likewise what calls and their results say
    """

    def __init__(self, prompt_wrappers: Sequence[PromptWrapper]) -> None:
        self._prompt_wrappers = prompt_wrappers
        self._stripped: RememberedTexts[str] = RememberedTexts()
        self._excerpts: RememberedTexts[tuple[str, float]] = RememberedTexts()
        self._replies: RememberedTexts[bool] = RememberedTexts()
        self.flights = FlightReader()

    def strip(self, text: str) -> str:
        """The user's own words."""
        found = self._stripped.get(text)
        if found is None:
            found = text
            for wrapper in self._prompt_wrappers:
                found = wrapper.strip(found)
            found = self._stripped.put(text, found.strip())
        return found

    def sets_no_task(self, words: str) -> bool:
        """Whether the user's words only go on with a task: "go on", "2", a pasted error."""
        found = self._replies.get(words)
        return found if found is not None else self._replies.put(words, letters_in(words) < REPLY or is_pasted_error(words))

    def excerpt(self, words: str) -> tuple[str, float]:
        """What classifiers read of them, and its length in letters."""
        found = self._excerpts.get(words)
        if found is None:
            found = self._excerpts.put(words, excerpt_and_letters(words))
        return found


@value(frozen=True, slots=True)
class _Turn:
    """One user message without its wrapping.

    :ivar position: in the request's messages
    :ivar words: of the user; empty when it was nothing but wrapping, or what a command printed
    :ivar results: it carries tools' answers, or what a command printed
    :ivar bare: it carries tools' answers and nothing else
    """

    message: Message
    position: int
    words: str
    length: int
    results: bool
    bare: bool = False


def features_of(
    request: ChatRequest,
    *,
    prompt_wrappers: Sequence[PromptWrapper] = (),
    unwrapped: Unwrapped | None = None,
    conversation: str | None = None,
    known: Conversation | None = None,
    previous_tier: Tier | None = None,
    input_tokens: int = 0,
) -> RequestFeatures:
    """Prepare a request for classifiers.

    The text is that of the last user message that still holds words once the hosts' wrapping is off. System prompt and tool
    definitions are carried beside it and do not count as words of the user.

    :param prompt_wrappers: wrappings to look through, all of them in order
    :param unwrapped: looks through them and remembers; made anew when absent
    :param conversation: the conversation's key, if it has one
    :param known: what is remembered of the conversation
    :param previous_tier: of its task, where only that is known
    :param input_tokens: estimate of the whole request
    """
    messages = request.messages
    unwrapped = unwrapped or Unwrapped(prompt_wrappers)
    first_answer = _first_answer(messages)
    turns = _turns(messages, unwrapped, first_answer)
    spoken = [turn for turn in turns if turn.words]
    text, letters = unwrapped.excerpt(spoken[0].words) if spoken else ("", 0.0)
    raw = _last_of_user(turns)
    raw_text = _raw_text(raw) if raw else ""
    system = _system_text(messages) if request.overview.system else ""
    tool_names = tuple([tool.name for tool in request.tools])
    agent = acts(tool_names) or any(turn.results for turn in turns)
    earlier = spoken[1:]
    told = _told_by_client(request, system, turns[0].words if turns else "", raw_text, known, agent=agent)
    anew = known is not None and told["kind"] in _TURNS and _begins(messages, first_answer, turns, spoken)
    return RequestFeatures(
        text=text,
        text_length=spoken[0].length if spoken else 0,
        system_text=system,
        turn_count=len(spoken),
        is_tool_result_turn=_ends_in_tool_results(turns),
        has_assistant_turn=first_answer < len(messages),
        tool_names=tool_names,
        structured_output=request.response_format is not None and request.response_format.kind != "text",
        max_output_tokens=request.max_output_tokens,
        input_tokens=input_tokens,
        previous_tier=known.tier if known and not anew else previous_tier,
        conversation=conversation,
        task_text=_task_text(earlier, unwrapped) if earlier else "",
        earlier_text=_earlier_text(earlier) if earlier else "",
        raw_last_user_text=raw_text,
        raw_last_user_images=_own_images(raw) if raw and raw.glance.holds & FILE else 0,
        agent=agent,
        flight=flight_of(messages[_task_position(spoken, unwrapped) + 1 :], unwrapped.flights),
        letters=letters,
        anew=anew,
        **(_attachments_of(messages, turns) if request.overview.holds & FILES else {}),
        **told,
    )


_TURNS = (RequestKind.MAIN, RequestKind.SUBAGENT)


def _begins(messages: Sequence[Message], first_answer: int, turns: Sequence[_Turn], spoken: Sequence[_Turn]) -> bool:
    """Whether the user has had no answer yet, and nothing hands on what was said before: then a conversation begins here.

    A client may name all its conversations alike, or begin another one under the old name; two may begin with the same words.

    :param spoken: the turns with words of the user
    """
    if not spoken:
        return False
    first = spoken[-1].position
    if first_answer > first:
        answered = first_answer < len(messages)
    else:
        answered = any(message.role == "assistant" for message in messages[first:])
    if answered:
        return False
    return not any(turn.results or _hands_on(turn) for turn in turns)


def _hands_on(turn: _Turn) -> bool:
    """Whether a message hands on what was said before it; hosts put reminders of theirs in front of that."""
    texts = [part.text for part in turn.message.parts if isinstance(part, TextPart)]
    return any(goes_on_from_summary(text) for text in (turn.words, *texts))


def _task_position(spoken: Sequence[_Turn], unwrapped: Unwrapped) -> int:
    """Where the task was set.

    :param spoken: the user's turns with words, the latest first
    """
    for turn in spoken[:-1]:
        if not unwrapped.sets_no_task(turn.words):
            return turn.position
    return spoken[-1].position if spoken else 0


def _last_of_user(turns: Sequence[_Turn]) -> Message | None:
    """The last message that is more than tools' answers."""
    for turn in turns:
        if not turn.bare:
            return turn.message
    return None


def _attachments_of(messages: Sequence[Message], turns: Sequence[_Turn]) -> dict[str, Any]:
    """Images and files; a tool's pictures are not the user's."""
    images, files = _attachments(messages)
    if not images:
        return {"file_count": files}
    tools_images = _tools_images(turns)
    return {
        "image_count": images - sum(map(_own_images, tools_images)),
        "file_count": files,
        "turn_image_count": _turn_images(turns, tools_images),
    }


def _told_by_client(
    request: ChatRequest, system: str, words: str, raw_text: str, known: Conversation | None, *, agent: bool
) -> dict[str, Any]:
    """What the request is to its client, and what its effort is worth."""
    effort = request.reasoning.effort if request.reasoning else None
    most = request.max_output_tokens
    return {
        "kind": kind_of(request.headers, system, words, raw_text, tools=bool(request.tools), max_output_tokens=most),
        "reasoning_effort": effort,
        "effort_is_default": effort_is_default(request.headers, effort, known, agent=agent),
    }


def acts(tool_names: tuple[str, ...]) -> bool:
    """Whether tools are offered by which an agent reads and changes things, rather than looks something up."""
    if not tool_names:
        return False
    return _kept_acts(tool_names) if sum(map(len, tool_names)) <= _MOST_KEPT_NAMES else _acts(tool_names)


def _acts(tool_names: tuple[str, ...]) -> bool:
    return any(_ACTING.search(name) for name in tool_names)


_kept_acts = lru_cache(maxsize=64)(_acts)
_MOST_KEPT_NAMES = 20_000
"""Characters of names whose meaning is remembered: clients make them up, and what is remembered of them must have a size."""


def _turns(messages: Sequence[Message], unwrapped: Unwrapped, first_answer: int) -> list[_Turn]:
    """The user's messages, the latest first; of messages with text, no more than ``EXAMINED_TURNS`` are stripped of their wrapping."""
    turns = []
    left = EXAMINED_TURNS
    for position in range(len(messages) - 1, -1, -1):
        message = messages[position]
        if message.role != "user":
            continue
        holds = (message.seen or message.glance).holds
        if holds & RESULT and not holds & ~IN_RESULTS:
            turns.append(_Turn(message, position, "", 0, True, True))
        elif left:
            left -= 1
            turns.append(_turn(message, position, unwrapped, answered=position > first_answer))
        else:
            text = _raw_text(message)
            turns.append(_Turn(message, position, unwrapped.excerpt(text)[0], len(text), False))
    return turns


def _first_answer(messages: Sequence[Message]) -> int:
    """Where the assistant first speaks; the number of messages where it does not."""
    for place, message in enumerate(messages):
        if message.role == "assistant":
            return place
    return len(messages)


def _turn(message: Message, position: int, unwrapped: Unwrapped, *, answered: bool) -> _Turn:
    """A message's own words, bounded, and how many characters they had before.

    :param answered: an assistant has spoken before it, so that it may hold what a command of its printed
    """
    texts = []
    length = 0
    results = False
    for part in message.parts:
        if isinstance(part, ToolCallResponsePart):
            results = True
        elif isinstance(part, TextPart):
            bounded = ends_of(part.text, STRIPPED_HEAD, STRIPPED_TAIL)
            stripped = unwrapped.strip(bounded)
            if stripped and answered and OBSERVATION.match(stripped):
                results = True
            elif stripped:
                texts.append(stripped)
                length += len(stripped) + len(part.text) - len(bounded)
    return _Turn(message, position, "\n".join(texts), length, results)


def _task_text(earlier: Sequence[_Turn], unwrapped: Unwrapped) -> str:
    """The latest earlier words that are more than a short reply; failing that, the longest of them.

    :param earlier: at least one
    """
    substantial = next((turn for turn in earlier if not is_short(turn.words)), None)
    return unwrapped.excerpt((substantial or max(earlier, key=lambda turn: turn.length)).words)[0]


def _earlier_text(earlier: Sequence[_Turn]) -> str:
    """The beginnings of several earlier turns: a task that was left for a moment is still among them."""
    return "\n".join(turn.words[:EARLIER_LETTERS] for turn in earlier[:EARLIER_TURNS])


def _ends_in_tool_results(turns: Sequence[_Turn]) -> bool:
    """Whether, wrapping aside, what the client sent last is a tool's answer."""
    for turn in turns:
        if turn.words:
            return False
        if turn.results:
            return True
    return False


def _tools_images(turns: Sequence[_Turn]) -> list[Message]:
    """Messages without words that follow a tool's answer: where a protocol has no pictures in answers, hosts send them so.

    :param turns: the latest first
    """
    found = []
    for turn, before in pairwise(turns):
        if not turn.words and not _has_tool_results(turn.message) and _has_tool_results(before.message):
            found.append(turn.message)
    return found


def _has_tool_results(message: Message) -> bool:
    return bool(message.glance.holds & RESULT)


def _turn_images(turns: Sequence[_Turn], tools_images: Sequence[Message]) -> int:
    """Images that came with the latest words or after them; a tool's are not the user's."""
    count = 0
    for turn in turns:
        if not any(turn.message is message for message in tools_images):
            count += _own_images(turn.message)
        if turn.words:
            break
    return count


def _raw_text(message: Message) -> str:
    parts = message.parts
    if len(parts) == 1:
        return parts[0].text if isinstance(parts[0], TextPart) else ""
    return "".join([part.text for part in parts if isinstance(part, TextPart)])


def _own_images(message: Message) -> int:
    return sum([part.modality == "image" for part in message.parts if isinstance(part, _MEDIA)])


def _system_text(messages: Sequence[Message]) -> str:
    texts = [
        part.text[:SYSTEM_HEAD]
        for message in messages
        if message.role == "system"
        for part in message.parts
        if isinstance(part, TextPart)
    ]
    return "\n".join(texts)


def _attachments(messages: Sequence[Message]) -> tuple[int, int]:
    """Images of the user's own, and other files, those in tools' answers included.

    A tool's picture is no reason to leave the model that asked for it; whether a model sees pictures at all is a requirement.
    """
    images = files = 0
    for message in messages:
        for part in message.parts:
            kind = type(part)
            if kind is TextPart or kind is ToolCallPart:  # nearly all there is
                continue
            if isinstance(part, ToolCallResponsePart):
                for item in part.content:
                    if type(item) is not TextPart:
                        files += isinstance(item, _MEDIA) and item.modality != "image"
            elif isinstance(part, _MEDIA):
                images += part.modality == "image"
                files += part.modality != "image"
    return images, files
