"""One request from its body to its last byte; reads like the picture in ``docs/architecture.md``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import cached_property, partial
from typing import cast

import orjson

from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.events import Frame, PartDeltas, ResponseFailed, ResponseFinished
from openclaw_oauthrouter.canonical.flow import Take, Wait, taken
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.own_copy import leaves_contents, own_copy
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.request import ChatRequest, Note
from openclaw_oauthrouter.canonical.response import rename_tool, whole
from openclaw_oauthrouter.canonical.routing import ModelInfo, RoutingDecision
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage, plausible, usage_of_interrupted
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import InvalidRequestError, OAuthRouterError, PolicyError, UpstreamError
from openclaw_oauthrouter.interfaces import Dialect, FoldsStreams, Keeper, KeepsConversations, StreamEncoder
from openclaw_oauthrouter.parsing.known_bodies import KnownBodies
from openclaw_oauthrouter.parsing.process import LARGE, ParsingProcess
from openclaw_oauthrouter.routing.hints import hints_of
from openclaw_oauthrouter.routing.model_ids import LONGEST_MODEL, shown_model
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import conversation_key
from openclaw_oauthrouter.upstream.attempt import Target
from openclaw_oauthrouter.upstream.failover import Failover, OpenedAnswer
from openclaw_oauthrouter.upstream.paid_by import paid_by


@value(frozen=True, slots=True)
class Pipeline:
    """The stages in order; one object serves all requests.

    :ivar preamble: what the operator adds to every request before it goes out
    :ivar clock: the clock that ``RequestRecord.began`` is of
    :ivar keeper: keeps answers for clients that go on from them by id; ``None``: nothing is kept
    :ivar bodies: those that came lately, of whose next ones only what is new is read
    :ivar parsing: reads large bodies
    :ivar keep_prompts: write the user's latest words into records (``telemetry.prompts``)
    """

    dialects: Mapping[str, Dialect]
    router: Router
    upstream: Failover
    preamble: Callable[[ChatRequest], ChatRequest]
    keep_prompts: bool
    clock: Clock
    keeper: Keeper | None = None
    bodies: KnownBodies = field(default_factory=KnownBodies)
    parsing: ParsingProcess = field(default_factory=ParsingProcess)

    async def receive(
        self,
        dialect: Dialect,
        path: MatchedPath,
        body: bytes,
        headers: Mapping[str, str],
        client: str | None,
        record: RequestRecord,
    ) -> Exchange:
        """Decode and route a request.

        :raises OAuthRouterError: the request is bad, or nothing can serve it
        """
        large = len(body) >= LARGE
        asked = self.bodies.with_known_tools(await self.parsing.parse(body)) if large else self.bodies.parse(body)
        if not leaves_contents(dialect):
            asked = own_copy(asked)
        keeping = None if self.keeper is None else _keeps(dialect)
        id_ = None if keeping is None else keeping.earlier(asked)
        whole = asked if keeping is None or id_ is None else await self._with_earlier(keeping, id_, asked, client)
        request = dialect.decode_request(whole, headers, path)
        if large:
            await asyncio.sleep(0)  # each step of a large request takes some milliseconds, and others wait
        _describe(request, record)
        if self.keep_prompts:
            record.prompt_text = _latest_words(request)
        record.conversation = conversation = conversation_key(request, client)
        if self.router.conversations.shared:
            await self.router.conversations.fetch(conversation)
        routed = self.router.route(request, hints_of(headers), conversation)
        record.decision = decision = routed.decision
        record.model_resolved, record.provider = decision.model, decision.candidates[0].info.provider
        if routed.features is not None:
            record.features = routed.recorded()
        if large:
            await asyncio.sleep(0)
        return Exchange(self, dialect, self.preamble(request), decision, client, record, asked)

    async def in_full(self, dialect: Dialect, body: JsonObject, client: str | None) -> JsonObject:
        """A body with the turns that it goes on from by an id.

        :raises InvalidRequestError: they are not kept here
        """
        keeping = None if self.keeper is None else _keeps(dialect)
        id_ = None if keeping is None else keeping.earlier(body)
        return body if keeping is None or id_ is None else await self._with_earlier(keeping, id_, body, client)

    async def _with_earlier(self, keeping: KeepsConversations, id_: str, body: JsonObject, client: str | None) -> JsonObject:
        turns = None if self.keeper is None else await self.keeper.turns(client or "", id_)
        if turns is None:
            raise InvalidRequestError(
                f"Previous response with id {id_[:80]!r} not found: it was given by another server or to another client, or too "
                "long ago; send the whole conversation as 'input'",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        return keeping.with_earlier(body, turns)


@value(frozen=True, slots=True)
class Exchange:
    """A request that knows where it will go."""

    pipeline: Pipeline
    dialect: Dialect
    request: ChatRequest
    decision: RoutingDecision
    client: str | None
    record: RequestRecord
    asked: JsonObject

    async def keep(self, answer: JsonObject) -> None:
        """Keep an answer, if its client may want to go on from it."""
        keeper, dialect = self.pipeline.keeper, self.keeping()
        kept = None if dialect is None else dialect.turn(self.asked, answer)
        if keeper is not None and dialect is not None and kept is not None:
            await keeper.keep(self.client or "", kept[0], dialect.earlier(self.asked), kept[1])

    def keeping(self) -> KeepsConversations | None:
        """The dialect, where an answer to this request may have to be kept."""
        dialect = None if self.pipeline.keeper is None else _keeps(self.dialect)
        return None if dialect is None or self.asked.get("store") is False else dialect

    async def open(self) -> Reply:
        """Wait until an upstream has its first content.

        :raises OAuthRouterError: none has; nothing of an answer has reached the client
        """
        opened = await self.pipeline.upstream.open(self.request, self.decision.candidates, self.record, self.client)
        try:
            return Reply(self, opened)
        except BaseException:
            await opened.answer.aclose()
            await opened.reservation.release()
            raise

    def waiting_encoder(self) -> StreamEncoder:
        """Speaks to the client while there is no reply yet."""
        return self.dialect.stream_encoder(self.request, self.decision.model)


class Reply:
    """An answer on its way: ``deliver`` it, or take the ``whole``, then ``aclose``, however the request ended.

    :ivar headers: of the upstream's answer
    """

    def __init__(self, exchange: Exchange, opened: OpenedAnswer) -> None:
        answer = opened.answer
        target, encoded = answer.target, answer.encoded
        self._exchange = exchange
        self._answer = answer
        self._reservation = opened.reservation
        self._dialect = exchange.dialect
        self._record = exchange.record
        self._model = shown_model(exchange.request.model, target.candidate.info)
        self._watched: int | None = None
        self._relays = not encoded.translated and target.dialect.name == exchange.dialect.name
        self._tool_names = dict(encoded.tool_names)
        self.headers = answer.headers
        self._note_target(target)

    @cached_property
    def encoder(self) -> StreamEncoder:
        """Speaks to the client, in its dialect."""
        if self._relays and self._answer.streamed:
            return self._dialect.relay_encoder(self._exchange.request, self._tool_names)
        return self._dialect.stream_encoder(self._exchange.request, self._model)

    async def deliver(self, write: Take[bytes]) -> None:
        """Write the answer in the client's dialect as it comes; an error at the end is part of it."""
        self._watched = self._reservation.watched_tokens
        hand_on = self._handing_on(write)
        try:
            for frame in self._answer.first:
                await taken(hand_on(frame))
            if self._answer.rest is not None:
                await self._answer.rest.deliver(hand_on)
        except UpstreamError as error:
            note_error(self._record, error)
            self._exchange.pipeline.upstream.broke_off(self._answer.target, error)
            await taken(write(self.encoder.fail(error)))
        except PolicyError as error:
            # Nothing is left for the rest of the answer.
            note_error(self._record, error)
            await taken(write(self.encoder.fail(error)))

    def _handing_on(self, write: Take[bytes]) -> Take[Frame]:
        encode, bounds, record = self.encoder.send, self._answer.bounds, self._record

        def hand_on(frame: Frame) -> Wait | None:
            if frame.plain and record.first_token_seconds is not None:
                # A token like the one before it: there is nothing to see but its length, and no name in it.
                for event in frame.told:
                    bounds.deltas(event)  # type: ignore[arg-type] # a plain frame holds nothing but deltas
                wait = write(encode(frame))
            else:
                self._see(frame)
                chunk = encode(self._with_client_names(frame))
                last = frame.told[-1] if frame.told else None
                if isinstance(last, ResponseFailed | ResponseFinished):
                    return partial(self._end, write, chunk, last)
                wait = write(chunk)
            if self._watched is not None and self._written() > self._watched:
                return partial(self._top_up, wait)
            return wait

        return hand_on

    async def _end(self, write: Take[bytes], chunk: bytes, last: ResponseFailed | ResponseFinished) -> None:
        keeping = self._exchange.keeping()
        if keeping is not None and isinstance(last, ResponseFinished):
            # Kept before the client hears of the end, so that its next request finds it.
            await self._exchange.keep(keeping.whole_answer(chunk))
        await taken(write(chunk))
        if isinstance(last, ResponseFailed):
            raise last.error

    async def whole(self) -> bytes:
        """The answer as one JSON body; it has come to its end already, or ``Exchange.open`` would have failed."""
        body = self._whole()
        if self._exchange.keeping() is not None:
            await self._exchange.keep(orjson.loads(body))
        return body

    def _whole(self) -> bytes:
        seen = self._answer.first
        for frame in seen:
            self._see(frame)
        if self._relays:
            if not self._answer.streamed:
                raw = b"".join(frame.raw for frame in seen)
                # Numbers that no float holds survive only where nothing is read.
                return (
                    orjson.dumps(self._dialect.relay_response(orjson.loads(raw), self._tool_names)) if self._tool_names else raw
                )
            # Not isinstance(): looking for the methods of a Protocol takes longer than all the rest of this.
            folds: FoldsStreams | None = self._dialect if hasattr(self._dialect, "whole_answer") else None  # type: ignore[assignment]
            if folds is not None:
                return orjson.dumps(folds.whole_answer(b"".join(self.encoder.send(frame) for frame in seen)))
        response = whole(seen, self._tool_names)
        return orjson.dumps(self._dialect.encode_response(response, self._exchange.request, self._model))

    async def aclose(self) -> None:
        """Close the upstream and settle the budget."""
        try:
            await self._answer.incoming.aclose()
        finally:
            await self._settle()

    async def _settle(self) -> None:
        info, usage = self._answer.target.candidate.info, self._usage()
        router = self._exchange.pipeline.router
        record, decision = self._record, self._exchange.decision
        cost = router.choosing.prices.actual(info, usage, record.started_at)
        record.usage, record.cost = usage, cost
        if decision.tier is not None:
            record.baseline_cost = router.baseline_cost(decision, info, cost, usage, record.started_at)
        if decision.task is not None:
            router.answered(record.conversation, decision, info, usage, self._answer.target.credential_name)
        if self._answer.finish_reason is not None:
            spend = self._exchange.pipeline.upstream.spend
            spend.learn(record.conversation, info, decision.tier, usage.output_tokens)
        if record.paid_by == "plan":
            self._note_payment(info, cost)
        await self._reservation.settle(usage, cost, paid_by=record.paid_by)

    def _note_payment(self, info: ModelInfo, cost: MeasuredCost | None) -> None:
        """Who paid, and for a plan what it took of its windows; what a plan's extra usage paid is money like any other."""
        record, target = self._record, self._answer.target
        record.paid_by = paid_by(True, self.headers)
        if record.paid_by == "plan" and cost is not None:
            health = self._exchange.pipeline.upstream.health
            record.windows = tuple(health.charged(target.provider.name, info.id, target.credential_name, cost))

    def _written(self) -> int:
        """Tokens that have come, as far as can be told."""
        reported = self._answer.usage.output_tokens if self._answer.usage is not None else 0
        return max(reported, self._answer.characters // 4)

    async def _top_up(self, wait: Wait | None) -> None:
        await taken(wait)
        if self._answer.finish_reason is None:
            await self._reservation.top_up(self._written())
            self._watched = self._reservation.watched_tokens

    def _usage(self) -> Usage:
        """What the provider reported; for an answer cut short, what can be told from what came."""
        info = self._answer.target.candidate.info
        if self._answer.finish_reason is not None and self._answer.usage is not None:
            tools = self._exchange.request.tools
            rounds = bool(tools) and any([tool.native is not None or tool.search for tool in tools])  # noqa: C419 - each step of a generator is a call
            return plausible(self._answer.usage, info.context_window, info.max_output_tokens, rounds=rounds)
        spend = self._exchange.pipeline.upstream.spend
        estimate = spend.estimate(self._exchange.request, self._answer.target.candidate.info)
        return usage_of_interrupted(self._answer.usage, estimate.input_tokens, self._answer.characters)

    def _note_target(self, target: Target) -> None:
        record = self._record
        record.provider, record.model_answered = target.provider.name, target.candidate.info.name
        record.credential = target.credential.name if target.credential else None
        record.upstream_url = self._answer.attempt.url
        record.paid_by = "plan" if target.by_plan else "api"
        if record.downgraded_from is not None:
            record.notes.append(Note("mapped", "model", f"budget: {record.downgraded_from} was too dear"))
        record.notes.extend(self._answer.encoded.notes)

    def _with_client_names(self, frame: Frame) -> Frame:
        if frame.plain or not self._tool_names:
            return frame
        told = (event if isinstance(event, PartDeltas) else rename_tool(event, self._tool_names) for event in frame.told)
        return replace(frame, told=tuple(told))

    def _see(self, frame: Frame) -> None:
        answer, record = self._answer, self._record
        answer.see(frame)
        if answer.begun and record.first_token_seconds is None:
            record.first_token_seconds = self._exchange.pipeline.clock() - (record.began or 0.0)
        if answer.finish_reason is not None:
            record.finish_reason = answer.finish_reason


def note_error(record: RequestRecord, error: OAuthRouterError) -> None:
    """Write an error into a record."""
    record.error_type, record.error_message = type(error).__name__, error.message


def _describe(request: ChatRequest, record: RequestRecord) -> None:
    user = request.user or request.native.get("user")
    record.dialect, record.stream, record.tool_count = request.dialect, request.stream, len(request.tools)
    record.model_requested = request.model[:LONGEST_MODEL]
    record.session_key = user if isinstance(user, str) else None
    record.notes = list(request.notes)


def _latest_words(request: ChatRequest) -> str:
    for message in reversed(request.messages):
        words = "\n".join(part.text for part in message.parts if isinstance(part, TextPart))
        if message.role == "user" and words:
            return words
    return ""


def _keeps(dialect: Dialect) -> KeepsConversations | None:
    # Asked for every request: looking for one name is a twentieth of what the protocol's own check costs.
    return cast("KeepsConversations", dialect) if hasattr(dialect, "with_earlier") else None
