"""A client dialect in one file: clients of Google's SDK talk to the gateway, text only, whole or streamed."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter import hookimpl
from openclaw_oauthrouter.canonical.client_paths import ANY_OBJECT, ClientPath, list_schema, object_schema
from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.events import PartDelta, ResponseFinished, UsageReported
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.wire.json_fields import JsonFields
from openclaw_oauthrouter.wire.sse import encode_event

WHOLE = "/v1beta/models/{model}:generateContent"
STREAMED = "/v1beta/models/{model}:streamGenerateContent"
BODY = object_schema({"contents": list_schema(ANY_OBJECT, minItems=1)})
ROLES = {"user": "user", "model": "assistant"}
REASONS = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}


def _parts(content):
    return tuple(TextPart(part.string("text")) for part in content.objects("parts"))


def _candidate(text, reason=None):
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
    return candidate if reason is None else {**candidate, "finishReason": REASONS.get(reason, "STOP")}


def _usage(usage):
    return {"promptTokenCount": usage.input_tokens, "candidatesTokenCount": usage.output_tokens}


class Stream:
    content_type = "text/event-stream"

    def __init__(self, model):
        self._model, self._usage = model, {}

    def send(self, frame):
        return b"".join(map(self._event, frame.events))

    def _event(self, event):
        if isinstance(event, PartDelta):
            return self._chunk(_candidate(event.text))
        if isinstance(event, UsageReported):
            self._usage = _usage(event.usage)
        if isinstance(event, ResponseFinished):
            return self._chunk(_candidate("", event.finish_reason))
        return b""

    def _chunk(self, candidate):
        return encode_event(orjson.dumps({"candidates": [candidate], "usageMetadata": self._usage, "modelVersion": self._model}))

    def keep_alive(self):
        return b": waiting\n\n"

    def fail(self, error):
        return encode_event(orjson.dumps(_error(error)))


def _error(error):
    return {"error": {"code": error.status_code, "message": error.message, "status": error.error_type.upper()}}


class GeminiClients:
    name = "gemini_clients"
    client_paths = (ClientPath(WHOLE, "Gemini", BODY, streams=False), ClientPath(STREAMED, "Gemini, streamed", BODY))
    token_headers = ("X-Goog-Api-Key",)

    def decode_request(self, body, headers, path=None):
        fields = JsonFields(body, "dots")
        system = fields.optional_nested("systemInstruction")
        turns = [Message(content.choice("role", ROLES), _parts(content)) for content in fields.objects("contents")]
        options = fields.optional_nested("generationConfig") or JsonFields({})
        return ChatRequest(
            dialect=self.name,
            model=path.parameters["model"],
            messages=((Message("system", _parts(system)), *turns) if system else tuple(turns)),
            body=body,
            headers=headers,
            max_output_tokens=options.optional_integer("maxOutputTokens"),
            stream=path.pattern == STREAMED,
        )

    def stream_encoder(self, request, model):
        return Stream(model)

    def encode_response(self, response, request, model):
        text = "".join(part.text for part in response.parts if isinstance(part, TextPart))
        return {
            "candidates": [_candidate(text, response.finish_reason)],
            "usageMetadata": _usage(response.usage),
            "modelVersion": model,
        }

    def encode_error(self, error, request_id):
        return _error(error)


@hookimpl
def oauthrouter_register_dialects():
    return [GeminiClients()]
