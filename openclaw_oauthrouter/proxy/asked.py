"""What an explanation is asked of: a prompt, the body of a request, or a request as it was recorded, with its path and headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.proxy.client_paths import ClientPaths

_CHAT, _RESPONSES, _MESSAGES = "openai_chat_completions", "openai_responses", "anthropic_messages"
_EARLIER = ({"role": "user", "content": "…"}, {"role": "assistant", "content": "…"})
_KEY = lazily(r"[0-9a-f]{24}", re.ASCII)
_BODY_FIELDS = frozenset({"prompt", "messages", "input", "previous_response_id"})
_MESSAGES_FIELDS = frozenset({"system", "stop_sequences"})
_MESSAGES_PARTS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking"})
_USUAL_ANSWER = 4096
_HOW = (
    'send {"prompt": "…"}, the body of a Chat Completions, Messages or Responses request, '
    'or {"path": "/v1/messages", "headers": {…}, "body": {…}}'
)


@value(frozen=True, slots=True)
class Asked:
    """A request that is to be explained.

    :ivar body: as its dialect reads it
    :ivar headers: lower-case names, without those that end here
    :ivar conversation: key of the conversation it is the next turn of; ``None``: the one it belongs to
    :ivar alone: only a prompt is known, not what was said before it
    """

    dialect: Dialect
    path: MatchedPath | None
    body: JsonObject
    headers: Mapping[str, str]
    conversation: str | None = None
    alone: bool = False

    def going_on(self) -> Asked:
        """A prompt behind a turn that stands for all earlier ones, whose words nobody has kept."""
        messages = self.body["messages"]
        return replace(self, body={**self.body, "messages": [*messages[:-1], *_EARLIER, messages[-1]]})


def read_asked(dialects: Mapping[str, Dialect], paths: ClientPaths, told: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Find out what is asked.

    :param told: ``{"prompt": …}``, a body, or ``{"path": …, "headers": …, "body": …}``; with ``"conversation"``, a key, beside it
    :param headers: those that came with it; a recorded request has its own
    :raises InvalidRequestError: it is none of these
    """
    told, beside = _conversation(told)
    recorded = recorded_form(told, headers)
    path, headers = recorded["path"], paths.forwarded(recorded["headers"])
    told, within = _conversation(recorded["body"])
    conversation = beside or within
    if isinstance(path, str) and path:
        found = paths.find(path.partition("?")[0])
        if found is None:
            raise InvalidRequestError(f"there is nothing at {path[:80]!r} to explain; models answer on {paths}", param="path")
        dialect, matched = found
        return Asked(dialect, matched, {"model": "auto", **told}, headers, conversation)
    if isinstance(told.get("prompt"), str):
        return Asked(dialects[_CHAT], None, _as_chat(told), headers, conversation, alone=True)
    body = {"model": "auto", **told}
    dialect = dialects[_by_shape(body, headers)]
    if dialect.name == _MESSAGES:
        body = {"max_tokens": _USUAL_ANSWER, **body}
    return Asked(dialect, None, body, headers, conversation)


def recorded_form(told: JsonObject, headers: Mapping[str, str] | None = None) -> JsonObject:
    """``path``, ``headers`` and ``body`` of a request; a body or a prompt by itself has no path.

    :param headers: those of a body by itself
    :raises InvalidRequestError: the headers or the body of a recorded request are none
    """
    if "body" in told and _BODY_FIELDS.isdisjoint(told):
        return {**told, "path": told.get("path"), "headers": _headers(told.get("headers") or {}), "body": _body(told["body"])}
    return {"path": None, "headers": dict(headers or {}), "body": told}


def _conversation(told: JsonObject) -> tuple[JsonObject, str | None]:
    """A conversation's key is ours; in a Responses body the field may also be the vendor's."""
    named = told.get("conversation")
    if named is None:
        return told, None
    rest = {name: item for name, item in told.items() if name != "conversation"}
    if isinstance(named, str) and _KEY.fullmatch(named):
        return rest, named
    if "input" in told:
        return told, None
    raise InvalidRequestError("'conversation' is a conversation's key, as the trace tells it", param="conversation")


def _body(body: object) -> JsonObject:
    if isinstance(body, str):
        return parse_body(body.encode("utf-8", "replace"))
    if isinstance(body, dict):
        return body
    raise InvalidRequestError(f"'body' must be a JSON object, not {type(body).__name__}", param="body")


def _headers(headers: object) -> dict[str, str]:
    pairs: Iterable[object] = headers.items() if isinstance(headers, Mapping) else headers if isinstance(headers, list) else ()
    read = [(str(pair[0]).lower(), str(pair[1])) for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]
    if not isinstance(headers, Mapping | list) or len(read) != len(headers):
        raise InvalidRequestError("'headers' must be an object, or a list of names with their values", param="headers")
    return dict(read)


def _by_shape(body: JsonObject, headers: Mapping[str, str]) -> str:
    """The dialect that a body without a path is written in. Chat is read with the fields of others too, so nothing is lost in doubt."""
    if "input" in body or "previous_response_id" in body:
        return _RESPONSES
    if "messages" not in body:
        raise InvalidRequestError(_HOW, param="prompt")
    tools = body.get("tools")
    marked = (
        "anthropic-version" in headers
        or not _MESSAGES_FIELDS.isdisjoint(body)
        or any(isinstance(tool, dict) and "input_schema" in tool for tool in (tools if isinstance(tools, list) else ()))
        or any(part.get("type") in _MESSAGES_PARTS for part in _parts(body["messages"]))
    )
    return _MESSAGES if marked else _CHAT


def _parts(messages: object) -> Iterable[JsonObject]:
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        yield from (part for part in (content if isinstance(content, list) else ()) if isinstance(part, dict))


def _as_chat(told: JsonObject) -> JsonObject:
    messages = [{"role": "user", "content": told["prompt"]}]
    if isinstance(told.get("system"), str):
        messages.insert(0, {"role": "system", "content": told["system"]})
    return {"model": told.get("model", "auto"), "messages": messages, "max_tokens": told.get("max_tokens", _USUAL_ANSWER)}
