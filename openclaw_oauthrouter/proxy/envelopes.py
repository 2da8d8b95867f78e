"""Errors as HTTP answers, in the dialect of the path they happened on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import (
    AllUpstreamsFailed,
    CredentialError,
    MethodNotAllowedError,
    OAuthRouterError,
    Refusal,
    UpstreamAuthenticationError,
    UpstreamError,
)
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.proxy.asgi import Headers, Send

_OUR_STATUSES = (401, 402, 403)
_ADVICE = ("retry-after", "retry-after-ms", "x-should-retry")
_NO_RETRY = (CredentialError, UpstreamAuthenticationError)
# A 401 would make clients drop their own key; a 503 that SDKs retry would only repeat the refusal.


def openai_envelope(error: OAuthRouterError) -> dict[str, object]:
    """The error object for paths that belong to no dialect."""
    return {"error": {"message": error.message, "type": error.error_type, "param": error.param, "code": error.code}}


def json_error(error: OAuthRouterError) -> bytes:
    """``openai_envelope`` as it travels."""
    return orjson.dumps(openai_envelope(error))


def error_headers(error: OAuthRouterError) -> Headers:
    """Advice that travels in headers: when to try again, and whether it can help at all."""
    headers: Headers = []
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(0, math.ceil(error.retry_after))).encode()))
    if isinstance(error, _NO_RETRY):
        headers.append((b"x-should-retry", b"false"))
    if isinstance(error, MethodNotAllowedError):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    return headers


async def send_error(send: Send, error: OAuthRouterError) -> None:
    """Answer with an error, where it is not known what the client speaks."""
    status, body, advice = encoded_error(error, None, "")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *advice]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def encoded_error(error: OAuthRouterError, dialect: Dialect | None, request_id: str) -> tuple[int, bytes, Headers]:
    """Status, body and advising headers of an error.

    A refusal of the client's own dialect keeps its object and status, because clients act on fields that no other dialect has (Codex CLI
    0.171 on ``type``, ``plan_type`` and ``resets_at``). Two statuses are ours all the same: 401 and 403 speak of the gateway's credential,
    not of the client's, and a 402 makes OpenClaw give the provider up.
    """
    envelope = dialect.encode_error(error, request_id) if dialect else openai_envelope(error)
    refusal = error.refusal if isinstance(error, UpstreamError) else None
    if dialect is None or refusal is None or refusal.dialect != dialect.name or isinstance(error, _NO_RETRY):
        return error.status_code, orjson.dumps(envelope), error_headers(error)
    said = _object_of(refusal.body)
    advice = [*_own_advice(refusal), *error_headers(error)]
    headers = list({name: (name, value) for name, value in reversed(advice)}.values())
    if refusal.status is None:
        return error.status_code, orjson.dumps(_merged(envelope, said)), headers
    status = error.status_code if refusal.status in _OUR_STATUSES else refusal.status
    if not isinstance(said.get("error"), dict):
        return status, orjson.dumps(envelope), headers
    if isinstance(error, AllUpstreamsFailed):
        # The message tells of all the failures; the fields are those of the last.
        return status, orjson.dumps({**said, "error": {**said["error"], "message": error.message}}), headers
    return status, refusal.body, headers


def _own_advice(refusal: Refusal) -> Headers:
    return [(name.encode(), _field(refusal.headers[name])) for name in _ADVICE if name in refusal.headers]


def _merged(envelope: JsonObject | dict[str, object], said: JsonObject) -> dict[str, Any]:
    """The envelope of an error that a stream spoke of, with the fields that the stream gave it."""
    response = said.get("response")
    fault = said.get("error") or (response.get("error") if isinstance(response, dict) else None)
    ours = envelope.get("error")
    if not isinstance(fault, dict) or not isinstance(ours, dict):
        return dict(envelope)
    return {**envelope, "error": {**ours, **{name: value for name, value in fault.items() if value is not None}}}


def _object_of(body: bytes) -> JsonObject:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def encode_headers(values: Mapping[str, str]) -> Headers:
    """Header fields as ASGI wants them; line breaks and other controls cannot occur in values."""
    text = "\n".join(values.values())
    if text.isascii() and text.replace("\n", "").isprintable():
        # All at once, as nearly all answers' are.
        names, said = "\n".join(values).lower().encode("latin-1").split(b"\n"), text.encode().split(b"\n")
        if len(said) == len(values) == len(names):
            return list(zip(names, said, strict=True))
    return [(name.lower().encode("latin-1"), _field(value)) for name, value in values.items()]


def _field(value: str) -> bytes:
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    return value.encode("latin-1", "replace")
