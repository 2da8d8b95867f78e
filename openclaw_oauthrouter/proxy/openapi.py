"""``GET /openapi.json``: what this gateway serves, written by hand; a test holds it against what is really served.

Bodies are described as far as the gateway itself looks at them: what else a vendor's API takes passes through or is translated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical.json import JsonObject

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_ANY_OBJECT = {"type": "object"}
_ERROR = {"$ref": "#/components/schemas/Error"}


def openapi_document(passed_through: Sequence[str]) -> JsonObject:
    """The document, OpenAPI 3.1.

    :param passed_through: paths below ``/v1/`` that go to a provider as they are
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "OpenClaw OAuthRouter", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": {**_MODEL_PATHS, **_OTHER_PATHS, **{f"/v1/{path}": _pass_through(path) for path in passed_through}},
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY},
    }


def _object(required: Mapping[str, object], optional: Mapping[str, object] | None = None) -> JsonObject:
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def _list_of(items: object, **bounds: int) -> JsonObject:
    return {"type": "array", "items": items, **bounds}


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


def _model_path(summary: str, body: JsonObject, answer: JsonObject) -> JsonObject:
    operation = _operation(summary, answer, requestBody=_body(body))
    operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": _EVENT}
    return {"post": operation}


def _pass_through(path: str) -> JsonObject:
    body = _object({"model": _TEXT})
    return {"post": _operation(f"OpenAI's {path}, as the model's provider answers it", {}, kind="*/*", requestBody=_body(body))}


def _query(name: str, schema: object) -> JsonObject:
    return {"name": name, "in": "query", "schema": schema}


_EVENT = _object({"data": _TEXT}, {"event": _TEXT, "id": _TEXT})
_MESSAGE = _object({"role": {"enum": ["user", "assistant"]}, "content": _TEXT})
_STREAM = {"type": "boolean"}
_CONVERSATION = _list_of(_MESSAGE, minItems=1)

_MODEL_PATHS: JsonObject = {
    "/v1/chat/completions": _model_path(
        "OpenAI Chat Completions",
        _object(
            {"model": _TEXT, "messages": _CONVERSATION}, {"stream": _STREAM, "max_tokens": {"type": "integer", "minimum": 1}}
        ),
        _object(
            {"id": _TEXT, "object": {"const": "chat.completion"}, "model": _TEXT, "choices": _list_of(_ANY_OBJECT, minItems=1)}
        ),
    ),
    "/v1/messages": _model_path(
        "Anthropic Messages",
        _object(
            {"model": _TEXT, "max_tokens": {"type": "integer", "minimum": 1}, "messages": _CONVERSATION}, {"stream": _STREAM}
        ),
        _object({"id": _TEXT, "type": {"const": "message"}, "role": {"const": "assistant"}, "content": _list_of(_ANY_OBJECT)}),
    ),
    "/v1/responses": _model_path(
        "OpenAI Responses",
        _object({"model": _TEXT, "input": _TEXT}, {"stream": _STREAM, "instructions": _TEXT}),
        _object({"id": _TEXT, "object": {"const": "response"}, "status": _TEXT, "output": _list_of(_ANY_OBJECT)}),
    ),
}

_HEALTH = _object({"status": {"const": "ok"}, "version": _TEXT, "ready": {"type": "boolean"}, "providers": _list_of(_TEXT)})
_PROMPT = _object({"prompt": _TEXT}, {"system": _TEXT, "model": _TEXT, "max_tokens": {"type": "integer", "minimum": 1}})
_EXPLAINED = _object(
    {
        "model": _TEXT,
        "tier": {"enum": ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING", None]},
        "confidence": _NUMBER,
        "method": _TEXT,
        "reasoning": _TEXT,
        "hops": _list_of(_ANY_OBJECT, minItems=1),
        "skipped": _list_of(_ANY_OBJECT),
        "costEstimate": _NUMBER,
    }
)
_NAME = {"name": "name", "in": "path", "required": True, "schema": _TEXT}
_HTML = {"text/html": {"schema": _TEXT}}
_DASHBOARD: JsonObject = {
    "summary": "The dashboard; a browser needs its session cookie, which a one-time code or the token turns into",
    "parameters": [_query("code", _TEXT), _query("token", _TEXT)],
    "responses": {
        "200": {"description": "the page", "content": _HTML},
        "303": {"description": "signed in: to the page without code or token"},
        "304": {"description": "unchanged"},
        "401": {"description": "how to sign in", "content": _HTML},
        "default": {"description": "an error", "content": {"application/json": {"schema": _ERROR}}},
    },
}

_OTHER_PATHS: JsonObject = {
    "/health": {"get": _operation("Whether the gateway answers, and whether it can serve", _HEALTH, security=[])},
    "/openapi.json": {"get": _operation("This document", _object({"openapi": {"const": "3.1.0"}}))},
    "/v1/models": {
        "get": _operation("Models a client may ask for", _object({"data": _list_of({"$ref": "#/components/schemas/Model"})}))
    },
    "/v1/models/{name}": {"get": _operation("One model", {"$ref": "#/components/schemas/Model"}, parameters=[_NAME])},
    "/v1/messages/count_tokens": {
        "post": _operation(
            "An estimate of a prompt's tokens",
            _object({"input_tokens": {"type": "integer", "minimum": 0}}),
            requestBody=_body(_object({"model": _TEXT, "messages": _CONVERSATION})),
        )
    },
    "/v1/route/explain": {
        "post": _operation("Where a prompt, or the body of a request, would go, and why", _EXPLAINED, requestBody=_body(_PROMPT))
    },
    "/debug/dashboard": {"get": _DASHBOARD},
    "/debug/dashboard/code": {"post": _operation("A one-time code for the dashboard", _object({"path": _TEXT}))},
    "/debug/dashboard/static/{name}": {"get": _operation("A file of the dashboard", _TEXT, kind="*/*", parameters=[_NAME])},
    "/debug/routing-trace": {
        "get": _operation(
            "The newest requests",
            _object({"events": _list_of(_ANY_OBJECT)}, {"lastEventId": {"type": ["string", "null"]}}),
            parameters=[_query("n", {"type": "integer", "minimum": 1})],
        )
    },
    "/debug/routing-trace/stream": {"get": _operation("Requests as they end", _EVENT, kind="text/event-stream")},
    "/debug/provider-health": {
        "get": _operation(
            "What is out of order",
            _object({"cooldowns": _list_of(_ANY_OBJECT), "windows": _list_of(_ANY_OBJECT), "classifierFaults": _ANY_OBJECT}),
        )
    },
    "/debug/spend": {"get": _operation("What was spent", _object({"budgets": _list_of(_ANY_OBJECT), "periods": _ANY_OBJECT}))},
    "/debug/panels": {"get": _operation("The dashboard's panels", _object({"panels": {}}))},
    "/metrics": {"get": _operation("Prometheus metrics", _TEXT, kind="text/plain")},
}

_SCHEMAS: JsonObject = {
    "Error": _object({"error": _object({"message": _TEXT, "type": _TEXT}, {"code": {"type": ["string", "null"]}})}),
    "Model": _object({"id": _TEXT}, {"object": {"const": "model"}, "type": {"const": "model"}, "owned_by": _TEXT}),
}

_SECURITY: JsonObject = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "the local token"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "the local token"},
}
