"""The paths a dialect answers clients on, as data: routes, OpenAPI and the headers a token may come in all follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.value import value

TOKEN_HEADER = "authorization"
"""Where a client of any dialect may put the local token, as ``Bearer <token>`` or bare."""


@value(frozen=True, slots=True)
class ClientPath:
    """One path; clients POST to it.

    :ivar pattern: the path; ``{name}`` stands for one or more characters, slashes included (``/v1beta/models/{model}:generateContent``)
    :ivar summary: what it is, for ``/openapi.json``
    :ivar request: JSON Schema of the body, as far as the gateway itself looks at it
    :ivar answer: JSON Schema of a whole answer
    :ivar streams: answers may be ``text/event-stream``
    """

    pattern: str
    summary: str = ""
    request: FrozenObject = field(default_factory=lambda: {"type": "object"})
    answer: FrozenObject = field(default_factory=lambda: {"type": "object"})
    streams: bool = True


@value(frozen=True, slots=True)
class MatchedPath:
    """The path of one request.

    :ivar parameters: what stands in the place of each ``{name}``
    """

    pattern: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def object_schema(required: FrozenObject, optional: FrozenObject | None = None) -> JsonObject:
    """JSON Schema of an object with these properties."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def list_schema(items: FrozenObject, **bounds: int) -> JsonObject:
    """JSON Schema of a list."""
    return {"type": "array", "items": items, **bounds}


TEXT: FrozenObject = {"type": "string"}
ANY_OBJECT: FrozenObject = {"type": "object"}
STREAM: FrozenObject = {"type": "boolean"}
LIMIT: FrozenObject = {"type": "integer", "minimum": 1}
CONVERSATION: FrozenObject = list_schema(object_schema({"role": {"enum": ["user", "assistant"]}, "content": TEXT}), minItems=1)
"""``messages``, as far as two dialects agree on it."""
