"""``GET /openapi.json``: what this gateway serves. The dialects describe their own paths; a test holds it against what is really served.

Bodies are described as far as the gateway itself looks at them: what else a vendor's API takes passes through or is translated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical.client_paths import (
    ANY_OBJECT,
    CONVERSATION,
    TEXT,
    TOKEN_HEADER,
    ClientPath,
    list_schema,
    object_schema,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.proxy.client_paths import ClientPaths

_NUMBER = {"type": "number"}
_ERROR = {"$ref": "#/components/schemas/Error"}


def openapi_document(
    paths: ClientPaths, passed_through: Sequence[str], forms: Sequence[str], kept: Mapping[str, Sequence[str]]
) -> JsonObject:
    """The document, OpenAPI 3.1.

    :param paths: what the dialects answer on
    :param passed_through: paths below ``/v1/`` that go to a provider as they are
    :param forms: those of them that take forms besides
    :param kept: paths below ``/v1/`` to what providers keep, with their methods
    """
    security = _security(paths.token_headers)
    return {
        "openapi": "3.1.0",
        "info": {"title": "OpenClaw OAuthRouter", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "security": [{name: []} for name in security],
        "paths": {
            **_model_paths(paths),
            **_OTHER_PATHS,
            **{f"/v1/{path}": _pass_through(path) for path in passed_through},
            **{f"/v1/{path}": _pass_through(path, "multipart/form-data") for path in forms},
            **{f"/v1/{path}": _kept(path, methods) for path, methods in kept.items()},
        },
        "components": {"schemas": _SCHEMAS, "securitySchemes": security},
    }


def _operation(summary: str, answer: object, *, kind: str = "application/json", **more: object) -> JsonObject:
    responses = {
        "200": {"description": "the answer", "content": {kind: {"schema": answer}}},
        "default": {
            "description": "an error; 502, 503 and 504 speak of a provider",
            "content": {"application/json": {"schema": _ERROR}},
        },
    }
    return {"summary": summary, "responses": responses, **more}


def _body(schema: object) -> JsonObject:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _model_paths(paths: ClientPaths) -> JsonObject:
    return {pattern: {"post": _model_operation(path)} for pattern, (_, path) in paths.by_pattern.items()}


def _model_operation(path: ClientPath) -> JsonObject:
    operation = _operation(path.summary, path.answer, requestBody=_body(path.request))
    if path.streams:
        operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": _EVENT}
    names = re.findall(r"\{(\w+)\}", path.pattern)
    if names:
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    return operation


def _pass_through(path: str, kind: str = "application/json") -> JsonObject:
    body = {"required": True, "content": {kind: {"schema": object_schema({"model": TEXT})}}}
    return {"post": _operation(f"OpenAI's {path}, as the model's provider answers it", {}, kind="*/*", requestBody=body)}


def _kept(path: str, methods: Sequence[str]) -> JsonObject:
    named = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}]} if "{id}" in path else {}
    summary = f"{path}, as the provider that keeps it answers; x-oauthrouter-provider names one"
    return {method.lower(): _operation(summary, {}, kind="*/*", **named) for method in methods}


def _query(name: str, schema: object) -> JsonObject:
    return {"name": name, "in": "query", "schema": schema}


_EVENT = object_schema({"data": TEXT}, {"event": TEXT, "id": TEXT})
_HEALTH = object_schema(
    {"status": {"const": "ok"}, "version": TEXT, "ready": {"type": "boolean"}, "providers": list_schema(TEXT)}
)
_PROMPT = object_schema({"prompt": TEXT}, {"system": TEXT, "model": TEXT, "max_tokens": {"type": "integer", "minimum": 1}})
_ASKED = {
    "anyOf": [
        _PROMPT,
        object_schema({"messages": list_schema(ANY_OBJECT)}),
        object_schema({"input": {}}),
        object_schema({"body": {}}, {"path": TEXT, "headers": {}, "conversation": TEXT}),
    ]
}
_EXPLAINED = object_schema(
    {
        "model": TEXT,
        "tier": {"enum": ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING", None]},
        "confidence": _NUMBER,
        "method": TEXT,
        "reasoning": TEXT,
        "hops": list_schema(ANY_OBJECT, minItems=1),
        "skipped": list_schema(ANY_OBJECT),
        "costEstimate": _NUMBER,
    }
)
_NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT}
_RESPONSE = {"name": "response_id", "in": "path", "required": True, "schema": TEXT}
_HTML = {"text/html": {"schema": TEXT}}
_DASHBOARD: JsonObject = {
    "summary": "The dashboard; a browser needs its session cookie, which a one-time code or the token turns into",
    "parameters": [_query("code", TEXT), _query("token", TEXT)],
    "responses": {
        "200": {"description": "the page", "content": _HTML},
        "303": {"description": "signed in: to the page without code or token"},
        "304": {"description": "unchanged"},
        "401": {"description": "how to sign in", "content": _HTML},
        "default": {"description": "an error", "content": {"application/json": {"schema": _ERROR}}},
    },
}

_CHANGES = {"changes": list_schema(ANY_OBJECT, minItems=1)}
_VERSION = {"version": TEXT}
_SHOWN = {"version": TEXT, "diff": TEXT, "settings": list_schema({}), "problems": list_schema(ANY_OBJECT)}
_MADE = {**_SHOWN, "undo": TEXT}


def _change(summary: str, asked: JsonObject, told: JsonObject, **optional: object) -> JsonObject:
    """A change by the owner: 403 for everybody else, 409 where the file has changed since it was shown."""
    return {"post": _operation(summary, object_schema(told), requestBody=_body(object_schema(asked, optional)))}


_OTHER_PATHS: JsonObject = {
    "/health": {"get": _operation("Whether the gateway answers, and whether it can serve", _HEALTH, security=[])},
    "/openapi.json": {"get": _operation("This document", object_schema({"openapi": {"const": "3.1.0"}}))},
    "/": {"get": _operation("What this is; a browser is led to the dashboard", object_schema({"name": TEXT, "version": TEXT}))},
    "/api/tags": {"get": _operation("The models as Ollama lists them", object_schema({"models": list_schema(ANY_OBJECT)}))},
    "/api/version": {"get": _operation("That a server is there, for Ollama's clients", object_schema({"version": TEXT}))},
    "/api/show": {
        "post": _operation(
            "One model as Ollama describes it",
            object_schema({"capabilities": list_schema(TEXT)}),
            requestBody=_body(object_schema({"model": TEXT})),
        )
    },
    "/v1/models": {
        "get": _operation(
            "Models a client may ask for", object_schema({"data": list_schema({"$ref": "#/components/schemas/Model"})})
        )
    },
    "/v1/models/{name}": {"get": _operation("One model", {"$ref": "#/components/schemas/Model"}, parameters=[_NAME])},
    "/v1/messages/count_tokens": {
        "post": _operation(
            "An estimate of a prompt's tokens",
            object_schema({"input_tokens": {"type": "integer", "minimum": 0}}),
            requestBody=_body(object_schema({"model": TEXT, "messages": CONVERSATION})),
        )
    },
    "/v1/responses/input_tokens": {
        "post": _operation(
            "An estimate of a prompt's tokens",
            object_schema({"input_tokens": {"type": "integer", "minimum": 0}}),
            requestBody=_body(object_schema({}, {"model": TEXT})),
        )
    },
    "/v1/responses/compact": {
        "post": _operation(
            "A conversation as the user's messages and one compaction item",
            object_schema({"object": {"const": "response.compaction"}, "output": list_schema(ANY_OBJECT)}),
            requestBody=_body(object_schema({"model": TEXT}, {})),
        )
    },
    "/v1/responses/{response_id}": {
        "get": _operation("A kept response", object_schema({"object": {"const": "response"}}), parameters=[_RESPONSE]),
        "delete": _operation("Forget a kept response", object_schema({"deleted": {"const": True}}), parameters=[_RESPONSE]),
    },
    "/v1/responses/{response_id}/input_items": {
        "get": _operation(
            "What a kept response was the answer to", object_schema({"data": list_schema(ANY_OBJECT)}), parameters=[_RESPONSE]
        )
    },
    "/v1/route/explain": {
        "post": _operation(
            "Where a prompt, the body of a request or a recorded request would go, and why", _EXPLAINED, requestBody=_body(_ASKED)
        )
    },
    "/debug/dashboard": {"get": _DASHBOARD},
    "/debug/dashboard/code": {"post": _operation("A one-time code for the dashboard", object_schema({"path": TEXT}))},
    "/debug/dashboard/sign-out": {
        "post": {"summary": "End the browser's session", "responses": {"204": {"description": "ended"}}}
    },
    "/debug/dashboard/static/{name}": {"get": _operation("A file of the dashboard", TEXT, kind="*/*", parameters=[_NAME])},
    "/debug/routing-trace": {
        "get": _operation(
            "The newest requests",
            object_schema({"events": list_schema(ANY_OBJECT)}, {"lastEventId": {"type": ["string", "null"]}}),
            parameters=[_query("n", {"type": "integer", "minimum": 1})],
        )
    },
    "/debug/routing-trace/stream": {"get": _operation("Requests as they end", _EVENT, kind="text/event-stream")},
    "/debug/provider-health": {
        "get": _operation(
            "What is out of order",
            object_schema(
                {"cooldowns": list_schema(ANY_OBJECT), "windows": list_schema(ANY_OBJECT), "classifierFaults": ANY_OBJECT}
            ),
        )
    },
    "/debug/spend": {
        "get": _operation("What was spent", object_schema({"budgets": list_schema(ANY_OBJECT), "periods": ANY_OBJECT}))
    },
    "/debug/gateway": {
        "get": _operation("Which gateway this is", object_schema({"version": TEXT, "home": TEXT, "demo": {"type": "boolean"}}))
    },
    "/debug/history": {
        "get": _operation(
            "Requests of earlier days",
            object_schema(
                {"rows": list_schema(ANY_OBJECT), "matches": {"type": "integer"}, "counted": {"type": "boolean"}},
                {"indexing": ANY_OBJECT},
            ),
            parameters=[_query(name, TEXT) for name in ("q", "since", "until", "n", "before")],
        )
    },
    "/debug/history/summary": {
        "get": _operation(
            "Sums of earlier days",
            object_schema({"total": ANY_OBJECT, "tiers": ANY_OBJECT, "models": ANY_OBJECT, "clients": ANY_OBJECT}),
            parameters=[_query(name, TEXT) for name in ("since", "until")],
        )
    },
    "/debug/history/users": {
        "get": _operation(
            "Who asked which model",
            object_schema({"models": ANY_OBJECT}),
            parameters=[_query(name, TEXT) for name in ("since", "until")],
        )
    },
    "/debug/history/conversations": {
        "get": _operation(
            "Conversations of earlier days",
            object_schema({}),
            parameters=[_query(name, TEXT) for name in ("since", "until", "n")],
        )
    },
    "/debug/history/request/{request_id}": {
        "get": _operation(
            "One record of earlier days",
            ANY_OBJECT,
            parameters=[{"name": "request_id", "in": "path", "required": True, "schema": TEXT}],
        )
    },
    "/debug/notices": {"get": _operation("What the owner should know", ANY_OBJECT)},
    "/debug/models": {
        "get": _operation("The models as the dashboard shows them", ANY_OBJECT, parameters=[_query("all", {"enum": ["0", "1"]})])
    },
    "/debug/settings": {"get": _operation("The settings as the dashboard shows them", ANY_OBJECT)},
    "/debug/settings/preview": _change("What a change would do", _CHANGES, _SHOWN),
    "/debug/settings/apply": _change("Make a change that was shown", {**_CHANGES, **_VERSION}, _MADE),
    "/debug/settings/undo": _change("Take a change back", {"name": TEXT, **_VERSION}, _SHOWN, preview={"type": "boolean"}),
    "/debug/client-keys/add": _change(
        "Add a client key", {"name": TEXT, **_VERSION}, {**_MADE, "token": TEXT}, limits=ANY_OBJECT
    ),
    "/debug/client-keys/remove": _change("Remove a client key", {"name": TEXT, **_VERSION}, _MADE),
    "/debug/accounts/add": _change("Keep a key", {"provider": TEXT}, {"name": TEXT, "provider": TEXT}, secret=TEXT, name=TEXT),
    "/debug/accounts/test": _change("Try a key", {"provider": TEXT}, {"works": {}, "words": TEXT}, secret=TEXT, name=TEXT),
    "/debug/accounts/remove": _change("Remove a key", {"name": TEXT}, {"name": TEXT, "undo": TEXT}),
    "/debug/accounts/put-back": _change("Put a removed key back", {"undo": TEXT}, {"name": TEXT}),
    "/debug/sign-in": {
        **_change("Begin to sign in with ChatGPT", {}, {"url": TEXT}),
        "get": _operation("How the sign-in stands", object_schema({"state": TEXT, "words": TEXT})),
    },
    "/debug/panels": {
        "get": _operation(
            "The dashboard's panels",
            object_schema({"panels": {}, "standing": ANY_OBJECT}, {"indexing": ANY_OBJECT}),
            parameters=[_query(name, TEXT) for name in ("since", "until")],
        )
    },
    "/metrics": {"get": _operation("Prometheus metrics", TEXT, kind="text/plain")},
}

_SCHEMAS: JsonObject = {
    "Error": object_schema({"error": object_schema({"message": TEXT, "type": TEXT}, {"code": {"type": ["string", "null"]}})}),
    "Model": object_schema({"id": TEXT}, {"object": {"const": "model"}, "type": {"const": "model"}, "owned_by": TEXT}),
}


def _security(token_headers: Sequence[str]) -> JsonObject:
    """One scheme for each header that the local token may stand in."""
    schemes: JsonObject = {"bearer": {"type": "http", "scheme": "bearer", "description": "the local token"}}
    for name in token_headers:
        if name != TOKEN_HEADER:
            schemes[name] = {"type": "apiKey", "in": "header", "name": name, "description": "the local token"}
    return schemes
