"""The refusal inside what an upstream wraps around it: JSON as text within JSON, an event of a stream, a relay's own envelope."""

from __future__ import annotations

import ast
import json
import re

import orjson

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily

MOST_LAYERS = 8
"""A relay of a relay of a provider has six; what is deeper than this stays as it is."""

_ENVELOPES = ("error", "Error", "errors", "Response", "base_resp", "detail", "fault", "err", "error_details", "failure")
_MESSAGES = (
    "message",
    "Message",
    "msg",
    "error_msg",
    "errorMessage",
    "error_message",
    "status_msg",
    "error_description",
    "reason",
    "title",
)
_BESIDE = ("error_description", "message", "Message", "msg")
_CODES = ("code", "Code", "error_code", "errorCode", "__type")
MOST_SEARCHED = 4000
"""Characters of a sentence in which another refusal is looked for."""

_BEHIND = lazily(r"^[^{]{0,200}?(?:\w(?:Exception|Error)\b|\b[45]\d\d\b)[^{]{0,100}(\{[\"'].*)", re.DOTALL)
"""``AuthenticationError: AnthropicException - {"type":"error",…}``, ``POST "https://…": 401 Unauthorized {"message":…}``."""

_DECODER = json.JSONDecoder()
_DATA = lazily(rb"^data: ?(.*)$", re.MULTILINE)


def fault_of(body: bytes | str | list[object] | FrozenObject) -> JsonObject | None:
    """The innermost refusal as one flat object with ``message``, ``type``, ``code`` and whatever else stands beside them.

    A relay's own words are only that there were some, so the innermost count; of the outer ones the ``type``, ``code`` and ``param``
    stay that the innermost lacks.

    :return: ``None`` when the body is no JSON, or says nothing
    """
    value = _parsed(body) if isinstance(body, bytes) else body
    return _fault(value, MOST_LAYERS) if isinstance(value, (dict, list, str)) else None


def _fault(value: object, layers: int) -> JsonObject | None:
    if isinstance(value, str):
        inner = _inside(value)
        if inner is None or not layers:
            return {"message": value} if value else None
        value = inner
    if isinstance(value, list):
        first = value[0] if value else None
        if isinstance(first, (dict, str)) and layers and not (isinstance(first, dict) and "loc" in first):
            return _fault(first, layers - 1)
        return {"message": value} if value else None
    if not isinstance(value, dict) or not value:
        return None
    return _enveloped(value, layers) or _own(value, layers)


def _enveloped(value: FrozenObject, layers: int) -> JsonObject | None:
    for name in _ENVELOPES:
        inside = value.get(name)
        if isinstance(inside, str) and inside and _inside(inside) is None:
            return _sentence(value, inside)
        if isinstance(inside, (dict, list, str)) and inside and layers:
            inner = _fault(inside, layers - 1)
            if inner is not None:
                return _with_outer(inner, value)
    return None


def _sentence(value: FrozenObject, words: str) -> JsonObject:
    """``error`` is a sentence, or the word for one that stands beside it: xAI's shape and OAuth's."""
    beside = _first(value, _BESIDE)
    code = _first(value, _CODES)
    if not isinstance(code, str) and " " not in words and beside:
        code = words
    return {**value, "message": beside or words, "code": code}


def _own(value: FrozenObject, layers: int) -> JsonObject:
    """The object is itself the refusal, unless its sentence is one."""
    metadata = value.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    words = raw or _first(value, _MESSAGES)
    code = _first(value, _CODES)
    reason = value.get("reason")  # Novita says with a word what the number beside it leaves open
    own: JsonObject = {
        **({"type": reason} if isinstance(reason, str) and " " not in reason else {}),
        **value,
        **({"message": words} if words is not None else {}),
        **({"code": code} if code is not None else {}),
    }
    inner = _inside(words) if isinstance(words, str) else words
    if isinstance(inner, (dict, list, str)) and layers:
        found = _fault(inner, layers - 1)
        if found is not None:
            return _with_outer(found, own)
    return own


def _with_outer(inner: JsonObject, outer: FrozenObject) -> JsonObject:
    kept = {name: outer[name] for name in ("type", "code", "param") if outer.get(name) and not inner.get(name)}
    return {**inner, **kept}


def _inside(text: str) -> object:
    """The JSON that a text is, or ends with behind the name of an exception or a status; ``None`` when it is words."""
    start = text.lstrip()[:6]
    if start.startswith(("{'", "[{'")):
        return _python(text.strip())
    if not start.startswith(("{", "[{", '["', '"', "data:", "event:")):
        behind = _BEHIND.search(text[:MOST_SEARCHED])
        return _object_in(text[behind.start(1) :]) if behind else None
    found = _parsed(text.encode("utf-8", "replace"))
    return found if isinstance(found, (dict, list, str)) and found else None


def _python(text: str) -> object:
    """What a Python program prints of a refusal: ``{'error': {'message': '…'}}``."""
    if len(text) > MOST_SEARCHED:
        return None
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, (dict, list)) and found else None


def _object_in(text: str) -> object:
    if text.startswith("{'"):
        return _python(text[: text.rfind("}") + 1])
    try:
        found, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and not found.keys().isdisjoint((*_ENVELOPES, *_MESSAGES)) else None


def _parsed(raw: bytes) -> object:
    if raw.lstrip()[:6].startswith((b"event:", b"data:", b"id:", b":")):
        lines = (line.strip() for line in _DATA.findall(raw.replace(b"\r", b"")))
        raw = next((line for line in lines if line and line != b"[DONE]"), b"")
    try:
        return orjson.loads(raw)
    except ValueError:
        return None


def _first(holder: FrozenObject, names: tuple[str, ...]) -> object:
    return next((holder[name] for name in names if holder.get(name)), None)
