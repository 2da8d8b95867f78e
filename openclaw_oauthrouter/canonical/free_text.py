"""Free-text tools for upstreams that only know JSON arguments: the text travels as ``{"input": …}``.

Wrapping happens where a request is encoded, unwrapping where the answer is encoded for the client, because only the client's
request says which of its tools take free text.
"""

from __future__ import annotations

import json

from openclaw_oauthrouter.canonical.json import JsonObject, is_text
from openclaw_oauthrouter.canonical.request import ChatRequest


def wrapper_schema() -> JsonObject:
    """JSON Schema of the wrapped arguments."""
    return {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"], "additionalProperties": False}


def wrap_input(text: str) -> str:
    """Arguments that carry the text."""
    return json.dumps({"input": text}, ensure_ascii=False)


def unwrap_input(arguments: str) -> str:
    """The text the arguments carry; the arguments themselves if the model did not keep to the schema."""
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    text = found.get("input") if isinstance(found, dict) else None
    return text if is_text(text) else arguments


def custom_names(request: ChatRequest) -> frozenset[str]:
    """Names of the client's free-text tools."""
    return frozenset([tool.name for tool in request.tools if tool.custom])
