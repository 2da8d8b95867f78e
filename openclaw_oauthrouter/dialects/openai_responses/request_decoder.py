"""A Responses client's request, as a canonical one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson

from openclaw_oauthrouter.canonical.content import (
    RESULT_CONTENT,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    WebSearch,
)
from openclaw_oauthrouter.canonical.glance import Overview
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.opaque import attached, unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Role, ToolChoice
from openclaw_oauthrouter.dialects.openai_responses.content import (
    SUMMARISE,
    UNREADABLE,
    as_words,
    decode_content,
    decode_output,
    is_plain,
    item_in_words,
    read_summary,
    told_summary,
)
from openclaw_oauthrouter.dialects.openai_responses.tools import (
    ADDED,
    FOUND,
    SEARCH,
    decode_tool_choice,
    decode_tools,
    found_in_words,
    tools_of,
)
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import COMPACTIONS, DIALECT, flat_name, is_compaction
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields
from openclaw_oauthrouter.wire.known_turns import KnownTurns, is_conversation

STATEFUL = ("previous_response_id", "conversation", "background", "prompt")
"""Fields that only mean something to a server that remembers."""

_CANONICAL = frozenset(
    {
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "stream",
        "text",
        "reasoning",
        "user",
        "service_tier",
        "prompt_cache_key",
        "include",
        "store",
        *STATEFUL,
    }
)


def decode_request(body: FrozenObject, headers: Mapping[str, str], known: KnownTurns[Item] | None = None) -> ChatRequest:
    """Read a request.

    :param known: conversations whose next requests need not be read from their beginnings
    :raises InvalidRequestError: naming the parameter
    """
    if not isinstance(body, Mapping):
        raise InvalidRequestError("expected a JSON object", param="body")
    fields = JsonFields(body)
    _refuse_state(fields)
    if "input" not in fields:
        fields.refuse("input", "it is required: a string or a list of items")
    text = fields.optional_nested("text")
    compacts = is_compaction(body)
    turns = read_input(fields, known)
    messages = (*_instructions(fields), *turns.messages())
    overview = Overview(messages)
    overview.plain = turns.plain
    return ChatRequest(
        dialect=DIALECT,
        model=fields.string("model"),
        messages=messages,
        body=body,
        headers=headers,
        tools=decode_tools(fields),
        tool_choice=ToolChoice("none") if compacts else decode_tool_choice(fields),
        parallel_tool_calls=fields.optional_boolean("parallel_tool_calls"),
        max_output_tokens=fields.optional_integer("max_output_tokens"),
        temperature=fields.optional_number("temperature"),
        top_p=fields.optional_number("top_p"),
        stream=fields.optional_boolean("stream") or False,
        include_usage=True,
        response_format=None if compacts or text is None else _response_format(text.optional_nested("format")),
        reasoning=_wanted_reasoning(fields.optional_nested("reasoning")),
        verbosity=text.optional_string("verbosity") if text else None,
        user=fields.optional_string("user"),
        service_tier=fields.optional_string("service_tier"),
        prompt_cache_key=fields.optional_string("prompt_cache_key"),
        logprobs="message.output_text.logprobs" in (fields.optional_list("include") or ()),
        native={name: value for name, value in body.items() if name not in _CANONICAL and value is not None},
        _overview=overview,
    )


def _refuse_state(body: JsonFields) -> None:
    for name in STATEFUL:
        if body.get(name):
            body.refuse(
                name, "it needs a server that remembers, which this gateway is not here; send the whole conversation as 'input'"
            )


def _instructions(body: JsonFields) -> tuple[Message, ...]:
    if isinstance(body.get("instructions"), list):
        # What a response object echoes may be a list of items; so sent back, it means the same.
        return tuple(replace(message, role="system") for message in decode_items(body.objects("instructions")))
    text = body.optional_string("instructions")
    return (Message("system", (TextPart(text),)),) if text else ()


def _response_format(value: JsonFields | None) -> ResponseFormat | None:
    if value is None:
        return None
    kind = value.get("type")
    if kind == "json_schema":
        return ResponseFormat(
            "json_schema",
            schema=value.mapping("schema"),
            name=value.optional_string("name"),
            description=value.optional_string("description"),
            strict=value.optional_boolean("strict"),
        )
    if kind not in ("json_object", "text"):
        value.refuse("type", f"{as_words(kind)[:64]!r} is not known")
    return ResponseFormat("json_object") if kind == "json_object" else None


def _wanted_reasoning(value: JsonFields | None) -> Reasoning | None:
    if value is None:
        return None
    summary = "summary" if "summary" in value else "generate_summary"
    return Reasoning(effort=value.optional_string("effort"), summary=value.optional_string(summary))


# ---------------------------------------------------------------------------------------------------------- the conversation

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}

_Decoded = tuple[Role, bool, Iterable[Part]]
"""Role, whether the item is a message of its own rather than a piece of one, and its parts."""


class Item(NamedTuple):
    """What an input item says.

    :ivar whole: it is a message of its own rather than a piece of one
    :ivar before: the message that ended where this one begins another
    :ivar plain: every upstream of this dialect takes it as it stands
    """

    role: Role
    whole: bool
    parts: tuple[Part, ...]
    before: Message | None = None
    plain: bool = False


def read_input(body: JsonFields, known: KnownTurns[Item] | None = None) -> Turns:
    """The conversation; what one assistant turn is made of (reasoning, words, calls) becomes one message, and so do the answers to it.

    :raises InvalidRequestError: naming the item, for instance ``input[3].call_id``
    """
    given = body.get("input")
    if known is not None and is_conversation(given):
        before = known.recall(given)
        turns = Turns(before)
        turns.read(body.objects("input", len(before)))
        known.keep(given, turns.items, len(before))
        return turns
    turns = Turns(())
    value = body.string_or_objects("input")
    if isinstance(value, str):
        turns.add(Item("user", True, (TextPart(value),), plain=True))
    elif value is not None:
        turns.read(value)
    return turns


def decode_items(items: Iterable[JsonFields]) -> tuple[Message, ...]:
    """The messages that input items spell."""
    turns = Turns(())
    turns.read(items)
    return turns.messages()


class Turns:
    """Items of a conversation, put together to messages.

    :ivar items: all of them
    :param known: those that were read before
    """

    def __init__(self, known: Sequence[Item]) -> None:
        self.items = [*known]
        self._messages = [item.before for item in known if item.before is not None]
        self._open: tuple[Role, bool, list[Part]] | None = None
        self._begun = any([message.role == "user" for message in self._messages])  # noqa: C419 - each step of a generator is a call
        for item in known[_last_begin(known) :]:
            self._go_on(item)

    def read(self, items: Iterable[JsonFields]) -> None:
        """Read more of them."""
        for item in items:
            role, whole, parts = _decode_item(item, begun=self._begun)
            self.add(Item(role, whole, tuple(parts), plain=is_plain(item.holder)))

    def messages(self) -> tuple[Message, ...]:
        """The messages they make."""
        return (*self._messages, self._closed()) if self._open is not None else tuple(self._messages)

    @property
    def plain(self) -> bool:
        """Whether every upstream of this dialect takes all of them as they stand."""
        return all([item.plain for item in self.items])  # noqa: C419 - as above

    def add(self, item: Item) -> None:
        """Take one more."""
        if self._open is not None and (item.parts or item.whole) and not self._continues(item):
            before = self._closed()
            self._messages.append(before)
            item = item._replace(before=before)
        self._go_on(item)
        self.items.append(item)

    def _go_on(self, item: Item) -> None:
        if self._open is not None and self._continues(item):
            self._open[2].extend(item.parts)
        elif item.parts or item.whole:
            # An item without words for this conversation (tools, which are offered apart) is no turn of it.
            self._open = (item.role, item.whole, list(item.parts))
            self._begun = self._begun or item.role == "user"

    def _continues(self, item: Item) -> bool:
        return self._open is not None and not item.whole and not self._open[1] and self._open[0] == item.role

    def _closed(self) -> Message:
        assert self._open is not None  # noqa: S101 - only asked where there is one
        role, _, parts = self._open
        return Message(role, attached(parts) if role == "assistant" else tuple(parts))


def _last_begin(items: Sequence[Item]) -> int:
    """Where the last message begins that another one has ended."""
    return next((at for at in range(len(items) - 1, -1, -1) if items[at].before is not None), 0)


def _decode_item(item: JsonFields, *, begun: bool) -> _Decoded:
    kind = item.optional_string("type") or ("message" if "role" in item else None)
    if kind is None:
        item.refuse("type", "it is required")
    if kind == ADDED:
        # The tools a conversation begins with are simply there; those that come later are news.
        found = tools_of(item)
        news = begun and bool(found)
        return "system", news, (TextPart(found_in_words(found)),) if news else ()
    decode = _ITEMS.get(kind)
    if decode is not None:
        return decode(item)
    if kind.endswith("_call") and isinstance(item.get("call_id"), str):
        return _client_call(item, kind)
    if kind.endswith("_output") and isinstance(item.get("call_id"), str):
        return _client_answer(item)
    # A hosted tool's call and whatever else only OpenAI's own upstreams know.
    role: Role = "user" if kind.endswith("_output") else "assistant"
    return role, False, (NativePart(DIALECT, kind, item.holder, words=item_in_words(item.holder)),)


def _message(item: JsonFields) -> _Decoded:
    if item.get("role") == "tool" and isinstance(item.get("tool_call_id"), str):
        content = _result(item, "content")
        return "user", False, (ToolCallResponsePart(id=item.string("tool_call_id"), content=content),)
    role = item.choice("role", _ROLES)
    parts = [*decode_content(item, "content")]
    if role == "assistant":
        parts += (_chat_call(call) for call in item.objects("tool_calls"))
    return role, role != "assistant", parts


def _chat_call(call: JsonFields) -> Part:
    function = call.nested("function")
    return ToolCallPart(id=call.string("id"), name=function.string("name"), arguments=function.string("arguments"))


def _call(item: JsonFields) -> _Decoded:
    custom = item.get("type") == "custom_tool_call"
    return "assistant", False, (ToolCallPart(item.string("call_id"), _called(item), _arguments(item, custom), custom=custom),)


def _arguments(item: JsonFields, custom: bool) -> str:
    key = "input" if custom else "arguments"
    value = item.get(key)
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) and not custom else item.string(key)


def _called(item: JsonFields) -> str:
    name, namespace = item.string("name"), item.optional_string("namespace")
    return flat_name(namespace, name) if namespace else name


def _answer(item: JsonFields) -> _Decoded:
    content = _result(item, "output")
    custom = item.get("type") == "custom_tool_call_output"
    return "user", False, (ToolCallResponsePart(id=item.string("call_id"), content=content, custom=custom),)


def _result(item: JsonFields, key: str) -> tuple[ResultPart, ...]:
    return tuple(
        part if isinstance(part, RESULT_CONTENT) else TextPart(getattr(part, "text", "")) for part in decode_output(item, key)
    )


def _client_call(item: JsonFields, kind: str) -> _Decoded:
    """A call of a vendor's tool that the client itself ran (shell, patch, computer, tool search): a call like any other."""
    hidden = ("type", "id", "call_id", "status", "execution")
    arguments = item.get("arguments")
    told = arguments if isinstance(arguments, dict) else {key: value for key, value in item.holder.items() if key not in hidden}
    name = kind.removesuffix("_call")
    return "assistant", False, (ToolCallPart(item.string("call_id"), name, orjson.dumps(told).decode()),)


def _client_answer(item: JsonFields) -> _Decoded:
    output = item.get("output")
    known = isinstance(output, list) and all(isinstance(part, dict) and part.get("type") in _READABLE for part in output)
    if isinstance(output, dict) and output.get("type") in _READABLE:
        content = decode_content(JsonFields({"output": [output]}), "output")
    elif isinstance(output, str) or known:
        content = decode_output(item, "output")
    else:
        content = (TextPart(as_words(output if output is not None else item.get("status") or "")),)
    kept = tuple(part for part in content if isinstance(part, RESULT_CONTENT))
    return "user", False, (ToolCallResponsePart(id=item.string("call_id"), content=kept),)


_READABLE = frozenset({"input_text", "output_text", "text", "input_image", "computer_screenshot"})


def _found_tools(item: JsonFields) -> _Decoded:
    words = TextPart(found_in_words(tools_of(item)))
    call_id = item.optional_string("call_id")
    if call_id is None:
        return "assistant", False, (NativePart(DIALECT, FOUND, item.holder, words=words.text),)
    return "user", False, (ToolCallResponsePart(id=call_id, content=(words,)),)


def _searched_tools(item: JsonFields) -> _Decoded:
    if item.optional_string("call_id") is None:
        # The provider searched for itself: nobody else has to answer for it.
        return "assistant", False, (NativePart(DIALECT, "tool_search_call", item.holder, words=""),)
    return _client_call(item, "tool_search_call")


def _web_search(item: JsonFields) -> _Decoded:
    action = item.get("action")
    query = action.get("query") if isinstance(action, Mapping) else None
    search = WebSearch(id=str(item.get("id") or ""), query=query if isinstance(query, str) else "")
    words = item_in_words(item.holder)
    return "assistant", False, (NativePart(DIALECT, "web_search_call", item.holder, words=words, search=search),)


def _reasoning(item: JsonFields) -> _Decoded:
    encrypted = item.optional_string("encrypted_content")
    pieces = (piece for name in ("summary", "content") for piece in item.objects(name))
    text = "\n\n".join(words for piece in pieces if isinstance(words := piece.get("text"), str))
    opaque = None
    if encrypted:
        opaque = unseal(encrypted) or Opaque("encrypted", encrypted, item_id=item.optional_string("id"))
    return "assistant", False, (ReasoningPart(text, opaque),) if text or opaque else ()


def _compaction(item: JsonFields) -> _Decoded:
    sealed = item.optional_string("encrypted_content")
    summary = read_summary(sealed)
    if summary is not None:
        return "user", True, (TextPart(told_summary(summary)),)
    return "user", True, (TextPart(UNREADABLE, opaque=Opaque("encrypted", sealed) if sealed else None),)


def _compact(_item: JsonFields) -> _Decoded:
    return "user", True, (TextPart(SUMMARISE),)


def _reference(item: JsonFields) -> _Decoded:
    item.refuse("type", "'item_reference' names an item stored at the provider; this gateway keeps none, send the item itself")


_ITEMS: dict[str, Callable[[JsonFields], _Decoded]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _answer,
    "custom_tool_call": _call,
    "custom_tool_call_output": _answer,
    "reasoning": _reasoning,
    "item_reference": _reference,
    "web_search_call": _web_search,
    f"{SEARCH}_call": _searched_tools,
    FOUND: _found_tools,
    "compaction_trigger": _compact,
    **dict.fromkeys(COMPACTIONS, _compaction),
}
