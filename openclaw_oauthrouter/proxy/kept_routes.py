"""What belongs to the Responses API beside the answer itself: kept responses by id, token counts, and a conversation compacted."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson
from quart import Blueprint, Response, g, request

from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import NotFoundError
from openclaw_oauthrouter.interfaces import Recorder
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.proxy.answers import json_response
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.quart_requests import request_body, request_headers
from openclaw_oauthrouter.runtime import Runtime, new_id

RESPONSES = "/v1/responses"
_DIALECT = "openai_responses"
_TRIGGER: JsonObject = {"type": "compaction_trigger"}
_ANY_MODEL = ModelInfo("openai", "")


def kept_blueprint(runtime: Callable[[], Runtime], paths: Callable[[], ClientPaths], recorder: Recorder) -> Blueprint:
    """The routes, as a blueprint without a prefix."""
    routes = Blueprint("responses", __name__)
    kept = _Kept(runtime, paths, recorder)
    routes.add_url_rule(f"{RESPONSES}/compact", "compact", kept.compact, methods=["POST"])
    routes.add_url_rule(f"{RESPONSES}/input_tokens", "input_tokens", kept.input_tokens, methods=["POST"])
    routes.add_url_rule(f"{RESPONSES}/<response_id>", "kept", kept.find)
    routes.add_url_rule(f"{RESPONSES}/<response_id>/input_items", "kept_input", kept.input_items)
    routes.add_url_rule(f"{RESPONSES}/<response_id>", "forget", kept.forget, methods=["DELETE"])
    return routes


@value(frozen=True, slots=True)
class _Kept:
    runtime: Callable[[], Runtime]
    paths: Callable[[], ClientPaths]
    recorder: Recorder

    async def find(self, response_id: str) -> Response:
        """A kept response, to the client that it was given to."""
        return json_response((await self._turn(response_id))["response"])

    async def input_items(self, response_id: str) -> Response:
        """What a kept response was the answer to."""
        items = (await self._turn(response_id))["input"]
        ids = [item.get("id") for item in items] or [None]
        return json_response({"object": "list", "data": items, "first_id": ids[0], "last_id": ids[-1], "has_more": False})

    async def forget(self, response_id: str) -> Response:
        """Remove a kept response."""
        if not self._keeps() or not await self.runtime().persistent.kept.forget(g.client, response_id):
            raise _not_found(response_id)
        return json_response({"id": response_id, "object": "response", "deleted": True})

    async def input_tokens(self) -> Response:
        """An estimate: no vendor publishes an offline tokenizer for all these models."""
        body = parse_body(await request_body())
        body.setdefault("model", "auto")
        body.setdefault("input", [])
        runtime = self.runtime()
        decoded = runtime.pipeline.dialects[_DIALECT].decode_request(body, self.paths().forwarded(request_headers()))
        tokens = runtime.pipeline.router.estimate(decoded, _ANY_MODEL).input_tokens
        return json_response({"object": "response.input_tokens", "input_tokens": tokens})

    async def compact(self) -> Response:
        """A conversation as one item that any provider can go on from: the user's own messages, and a summary of the rest.

        Source: ``responses.compact`` of openai 3.54, whose answer is "all user messages, followed by a single compaction item".
        """
        body = parse_body(await request_body())
        pipeline = self.runtime().pipeline
        dialect = pipeline.dialects[_DIALECT]
        given = body.get("input")
        items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else list(given or [])
        asked = {**body, "input": [*items, _TRIGGER], "stream": False, "store": False}
        record = RequestRecord(new_id(), time.time(), request.path, request.method, client=g.client)
        g.request_id = record.request_id
        with self.recorder.request(record):
            headers = self.paths().forwarded(request_headers())
            exchange = await pipeline.receive(dialect, MatchedPath(RESPONSES), orjson.dumps(asked), headers, g.client, record)
            reply = await exchange.open()
            try:
                answer = orjson.loads(await reply.whole())
            finally:
                await reply.aclose()
            record.status = 200
        said = [item for item in items if item.get("role") == "user"]
        output = [*said, *(item for item in answer.get("output") or () if str(item.get("type")).startswith("compaction"))]
        shown = {name: answer.get(name) for name in ("id", "created_at", "usage")}
        return json_response({**shown, "object": "response.compaction", "output": output})

    async def _turn(self, id_: str) -> JsonObject:
        turn = await self.runtime().persistent.kept.find(g.client, id_) if self._keeps() else None
        if turn is None:
            raise _not_found(id_)
        return turn

    def _keeps(self) -> bool:
        return self.runtime().pipeline.keeper is not None


def _not_found(id_: str) -> NotFoundError:
    return NotFoundError(f"Response with id {id_[:80]!r} not found", code="response_not_found", param="response_id")
