"""Paths that no dialect covers: to the provider of the model they name, or to the one that keeps the client's files and batches."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from urllib.parse import urlencode

import orjson
from quart import Blueprint, Response, g, request
from quart.wrappers.response import ResponseBody

from openclaw_oauthrouter.canonical.passed_request import KEPT_ID, PassedRequest
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.usage import token_count
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import InvalidRequestError, NotFoundError, OAuthRouterError
from openclaw_oauthrouter.interfaces import PassThrough, Recorder
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.pipeline import note_error
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.envelopes import openai_envelope
from openclaw_oauthrouter.proxy.quart_requests import request_body, request_headers, speaks_messages
from openclaw_oauthrouter.runtime import Runtime, new_id
from openclaw_oauthrouter.upstream.batches import booked_batch
from openclaw_oauthrouter.upstream.pass_through import Call, Passed, pass_through
from openclaw_oauthrouter.wire.form import FORM, Form, FormError

PROVIDER_HEADER = "x-oauthrouter-provider"
"""Names the provider that keeps files and batches, where several do."""

PASSED_THROUGH = ("embeddings", "moderations", "completions", "rerank", "images/generations", "audio/speech")
"""Paths of OpenAI's API whose body is an object that names a model."""

PASSED_FORMS = ("audio/transcriptions", "audio/translations", "images/edits", "images/variations")
"""The same, with files: a form, or an object where the provider takes one."""

KEPT_BY_PROVIDERS = {
    "files": ("GET", "POST"),
    "files/{id}": ("GET", "DELETE"),
    "files/{id}/content": ("GET",),
    "uploads": ("POST",),
    "uploads/{id}/parts": ("POST",),
    "uploads/{id}/complete": ("POST",),
    "uploads/{id}/cancel": ("POST",),
    "batches": ("GET", "POST"),
    "batches/{id}": ("GET",),
    "batches/{id}/cancel": ("POST",),
    "messages/batches": ("GET", "POST"),
    "messages/batches/{id}": ("GET", "DELETE"),
    "messages/batches/{id}/cancel": ("POST",),
    "messages/batches/{id}/results": ("GET",),
}
"""Paths, with their methods, to what a provider keeps for its customer; they name no model."""

_BATCHES = ("batches", "messages/batches")
_BYTES_PER_TOKEN = 4
_BYTES_PER_FILE_TOKEN = 1600
"""Of a file within a form: a second of speech holds about 16 kB and counts ten tokens; a picture of 2 MB comes out right as well."""

_OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def passed_blueprint(runtime: Callable[[], Runtime], paths: Callable[[], ClientPaths], recorder: Recorder) -> Blueprint:
    """The routes, as a blueprint without a prefix."""
    routes = Blueprint("passed", __name__)
    passed = _Passed(runtime, paths, recorder)
    for path in (*PASSED_THROUGH, *PASSED_FORMS):
        routes.add_url_rule(f"/v1/{path}", path, passed.of_a_model, methods=["POST"], defaults={"path": path})
    for pattern, methods in KEPT_BY_PROVIDERS.items():
        rule = pattern.replace("{id}", "<id>")
        routes.add_url_rule(f"/v1/{rule}", pattern, passed.kept, methods=methods, defaults={"pattern": pattern})
    return routes


@value(frozen=True, slots=True)
class _Passed:
    runtime: Callable[[], Runtime]
    paths: Callable[[], ClientPaths]
    recorder: Recorder

    async def of_a_model(self, path: str) -> Response:
        """A request to the provider of its model, and back."""
        raw, content_type = await request_body(), request.content_type or ""
        runtime, record = self.runtime(), _new_record()
        async with AsyncExitStack() as stack:
            stack.enter_context(self.recorder.request(record))
            asked, info, body, estimate = _addressed(runtime, raw, content_type)
            record.model_requested, record.model_resolved, record.provider = asked, info.name, info.provider
            call = Call(info.provider, self._as_sent(path, body, content_type), info, estimate)
            passed = await stack.enter_async_context(_on_its_way(runtime, call, record))
            record.model_answered = info.name
            return await _answer(passed, record, stack)

    async def kept(self, pattern: str, id: str = "") -> Response:
        """A request to the provider that keeps the client's files or batches."""
        if id and not KEPT_ID.fullmatch(id):
            raise NotFoundError(f"there is no {request.method} {request.path} here")
        raw, runtime, record = await request_body(), self.runtime(), _new_record()
        async with AsyncExitStack() as stack:
            stack.enter_context(self.recorder.request(record))
            sent = self._as_sent(pattern.replace("{id}", id), raw, request.content_type if raw else None)
            record.provider = _keeper(runtime, sent.path)
            call = Call(record.provider, sent)
            if pattern in _BATCHES and request.method == "POST":
                call = await stack.enter_async_context(_booked(runtime, call, record))
            return await _answer(await stack.enter_async_context(_on_its_way(runtime, call, record)), record, stack)

    def _as_sent(self, path: str, body: bytes, content_type: str | None) -> PassedRequest:
        headers = self.paths().forwarded(request_headers())
        words = [(name, value) for name, value in request.args.items(multi=True) if name != "provider"]
        return PassedRequest(request.method, path, body, content_type, urlencode(words), headers)


def _new_record() -> RequestRecord:
    record = RequestRecord(new_id(), time.time(), request.path, request.method, client=g.client)
    g.request_id = record.request_id
    return record


def _on_its_way(runtime: Runtime, call: Call, record: RequestRecord) -> AbstractAsyncContextManager[Passed]:
    return pass_through(runtime.pipeline.upstream, call, record, runtime.pipeline.router.prices.actual)


def _booked(runtime: Runtime, call: Call, record: RequestRecord) -> AbstractAsyncContextManager[Call]:
    router = runtime.pipeline.router
    return booked_batch(runtime.pipeline.upstream, call, record, router.chosen_model, router.prices.actual)


def _addressed(runtime: Runtime, raw: bytes, content_type: str) -> tuple[str, ModelInfo, bytes, Estimate]:
    """The model as asked for, what is known of it, the body with its provider's name for it, and what it will use.

    :raises InvalidRequestError: neither an object nor a form, or one that names no model
    """
    chosen = runtime.pipeline.router.chosen_model
    if not content_type.startswith(FORM):
        body = parse_body(raw)
        info = chosen(body.get("model"))
        estimate = Estimate(len(raw) // _BYTES_PER_TOKEN, max(token_count(body, name) for name in _OUTPUT_LIMITS))
        return body["model"], info, orjson.dumps({**body, "model": info.id}), estimate
    try:
        form = Form(raw, content_type)
    except FormError as error:
        raise InvalidRequestError(f"the form cannot be read: {error}") from None
    asked = form.field("model") or ""
    info = chosen(asked)
    fields, files = form.sizes()
    return (
        asked,
        info,
        form.with_field("model", info.id),
        Estimate(fields // _BYTES_PER_TOKEN + files // _BYTES_PER_FILE_TOKEN, 0),
    )


def _keeper(runtime: Runtime, path: str) -> str:
    """Which provider keeps what a path speaks of: the one that is named, the only one, or the vendor whose API it is.

    :raises InvalidRequestError: none does, or it is not clear which
    """
    anthropic = path.startswith("messages") or speaks_messages()
    named = request.headers.get(PROVIDER_HEADER) or request.args.get("provider")
    able = [
        provider.name
        for provider in runtime.providers
        if isinstance(provider, PassThrough)
        and provider.passes(path)
        and runtime.pipeline.router.eligibility.usable(provider.name)
        and (named or (provider.dialect == "anthropic_messages") == anthropic)
    ]
    if named:
        if named in able:
            return named
        raise InvalidRequestError(f"no provider {named[:80]!r} serves /v1/{path}; these do: {', '.join(able) or 'none'}")
    if not able:
        raise InvalidRequestError(f"no configured provider serves /v1/{path}")
    vendor = "anthropic" if anthropic else "openai"
    if len(able) > 1 and vendor not in able:
        raise InvalidRequestError(
            f"several providers serve /v1/{path}; name one in the header {PROVIDER_HEADER}: {', '.join(able)}"
        )
    return able[0] if len(able) == 1 else vendor


async def _answer(passed: Passed, record: RequestRecord, stack: AsyncExitStack) -> Response:
    record.status = passed.status
    if passed.whole is not None:
        return Response(passed.whole, passed.status, content_type=passed.content_type)
    record.stream = passed.content_type.startswith("text/event-stream")
    # What is open now is closed when the last piece has been sent, or the client has gone.
    response = Response(b"", passed.status, content_type=passed.content_type)
    response.response = _Pieces(passed, record, stack.pop_all())
    response.headers.pop("content-length", None)
    response.timeout = None
    return response


class _Pieces(ResponseBody):
    """An answer that is sent as it comes."""

    def __init__(self, passed: Passed, record: RequestRecord, held: AsyncExitStack) -> None:
        self._passed = passed
        self._record = record
        self._held = held
        self._error: OAuthRouterError | None = None

    async def __aenter__(self) -> _Pieces:
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        error = error or self._error
        await self._held.__aexit__(type(error) if error else None, error, traceback)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in self._passed.pieces:
                yield piece
        except OAuthRouterError as error:
            note_error(self._record, error)
            if not self._record.stream:
                raise  # a file that ends too early must not look whole
            self._error = error
            yield b"data: %s\n\n" % orjson.dumps(openai_envelope(error))
