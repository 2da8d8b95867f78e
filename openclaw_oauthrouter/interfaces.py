"""Every Protocol a plugin may provide, on one page.

Implementations are plain classes; nothing here needs to be inherited. All methods are called on the event loop and must not block,
unless they are ``async``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from openclaw_oauthrouter.canonical.client_paths import ClientPath, MatchedPath
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.events import Frame, StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.passed_request import PassedRequest
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.canonical.routing import (
    Candidate,
    Classification,
    DimensionScore,
    Estimate,
    ModelInfo,
    PlanWindow,
    RequestFeatures,
    Tier,
    WindowShare,
)
from openclaw_oauthrouter.canonical.spending import Limit, PaidBy, PlannedCall
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.errors import OAuthRouterError, PolicyError, UpstreamError

if TYPE_CHECKING:
    import httpx

# ------------------------------------------------------------------ wire protocols


class StreamDecoder(Protocol):
    """One upstream stream of one dialect; made anew for each response."""

    def receive(self, chunk: bytes) -> Frame:
        """Decode what one network read brought.

        :raises UpstreamProtocolError: the bytes are not this dialect
        """

    def finish(self) -> Frame:
        """The connection has ended; a stream cut short yields a ``ResponseFailed``."""


class StreamEncoder(Protocol):
    """One client stream of one dialect; made anew for each response."""

    @property
    def content_type(self) -> str: ...

    def send(self, frame: Frame) -> bytes:
        """Encode a frame; may return ``b""``."""

    def keep_alive(self) -> bytes:
        """Bytes that tell a waiting client the answer is still coming; legal before any ``send`` and between two of them."""

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with an error in the dialect's own words."""


@runtime_checkable
class FoldsStreams(Protocol):
    """A dialect whose whole answers are folded from the very stream that a streaming client would get, so that they lose nothing."""

    def whole_answer(self, stream: bytes) -> JsonObject:
        """The whole answer.

        :param stream: all that the dialect's ``relay_encoder`` wrote for one answer that came to its end
        """


@runtime_checkable
class KeepsConversations(Protocol):
    """A dialect whose clients may go on from an answer by naming it, instead of sending the whole conversation again."""

    def earlier(self, body: JsonObject) -> str | None:
        """The answer that a request goes on from."""

    def with_earlier(self, body: JsonObject, turns: Sequence[JsonObject]) -> JsonObject:
        """The request as if the client had sent the whole conversation.

        :param turns: what ``turn`` made of each answer, oldest first
        """

    def turn(self, body: JsonObject, answer: JsonObject) -> tuple[str, JsonObject] | None:
        """What is to be kept of an answer, and under which id; ``None`` where the client does not want it kept.

        :param body: as the client sent it
        """

    def whole_answer(self, stream: bytes) -> JsonObject:
        """The whole answer that a stream in this dialect spells."""


class Keeper(Protocol):
    """Keeps turns of conversations; each client finds its own only."""

    async def keep(self, client: str, id_: str, previous: str | None, turn: JsonObject) -> None:
        """Keep a turn."""

    async def turns(self, client: str, id_: str) -> Sequence[JsonObject] | None:
        """A conversation up to and including an answer, oldest turn first; ``None`` if it is not all there."""


@runtime_checkable
class OpensWithFailure(Protocol):
    """A stream encoder of a dialect whose clients read some failures only within a stream, even where nothing has been said before."""

    def open_with_failure(self, error: OAuthRouterError) -> bytes:
        """A whole stream that tells of the failure; ``b""`` where an HTTP status says it better."""


class Dialect(Protocol):
    """A wire protocol: pure translation to and from the canonical vocabulary, no I/O.

    One that only upstreams speak needs ``name``, ``encode_request``, ``stream_decoder``, ``decode_response`` and ``decode_error``;
    one that only clients speak needs all others.

    :ivar client_paths: the paths on which its clients are answered
    :ivar token_headers: headers besides ``authorization`` in which its clients send a key: they may hold the local token, and end here
    """

    @property
    def name(self) -> str: ...
    @property
    def client_paths(self) -> Sequence[ClientPath]: ...
    @property
    def token_headers(self) -> Sequence[str]: ...

    def decode_request(self, body: JsonObject, headers: Mapping[str, str], path: MatchedPath | None = None) -> ChatRequest:
        """Read a client's request.

        :param path: which of ``client_paths`` it came on and what its parameters are; ``None`` for a body that came on another path
            (an explanation, a count of tokens)
        :raises InvalidRequestError: naming the parameter
        """

    def encode_request(self, request: ChatRequest, info: ModelInfo) -> EncodedRequest:
        """Write a request for a model, applying the model's rules.

        When ``request.dialect`` is this dialect, start from ``request.body`` and change only what the model demands
        (the transparent lane).

        :raises InvalidRequestError: the request holds what this dialect cannot say
        """

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for one upstream stream."""

    def decode_response(self, body: JsonObject) -> Sequence[StreamEvent]:
        """Read a whole upstream answer as the events it would have streamed; a ``canonical.response.WholeAnswer`` makes them on demand."""

    def stream_encoder(self, request: ChatRequest, model: str) -> StreamEncoder:
        """An encoder for one client stream.

        :param model: the name the client shall see
        """

    def relay_encoder(self, request: ChatRequest, tool_names: FrozenObject) -> StreamEncoder:
        """An encoder for a stream that comes in this very dialect: forwards ``Frame.raw``, renaming tools where needed."""

    def encode_response(self, response: ChatResponse, request: ChatRequest, model: str) -> JsonObject:
        """Write a whole answer."""

    def relay_response(self, body: JsonObject, tool_names: FrozenObject) -> JsonObject:
        """Pass on a whole answer that came in this very dialect."""

    def encode_error(self, error: OAuthRouterError, request_id: str) -> JsonObject:
        """The error envelope."""

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """Read an upstream's refusal; any body at all."""


# ------------------------------------------------------------------ upstreams


class Provider(Protocol):
    """One upstream: builds requests, sends nothing.

    :ivar name: the configured name, the prefix of its model ids
    :ivar dialect: name of the dialect it speaks
    :ivar origin: scheme, host and port its credentials may be sent to
    :ivar subscription: answers are paid by a plan rather than by the token
    :ivar always_streams: the upstream only streams; whole answers are folded from the stream
    :ivar needs_credential: whether a request can go out at all without one
    """

    @property
    def name(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def subscription(self) -> bool: ...
    @property
    def always_streams(self) -> bool: ...
    @property
    def needs_credential(self) -> bool: ...

    def models(self) -> Sequence[ModelInfo]:
        """Models it is configured or known to serve."""

    def model_info(self, model: str) -> ModelInfo | None:
        """What is known of a model id (without our prefix), invented if the provider takes ids it does not list; ``None`` if it does not serve it."""

    def prepare(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> EncodedRequest:
        """Adapt an encoded body to this upstream (field allow-lists, OAuth compatibility)."""

    def build_request(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> httpx.Request:
        """The HTTP request, headers and authentication included."""


@runtime_checkable
class SpeaksSeveral(Protocol):
    """A provider whose models do not all take the same dialect."""

    def dialect_for(self, info: ModelInfo, request: ChatRequest) -> str:
        """Name of the dialect to ask a model in; ``EncodedRequest.dialect`` tells ``build_request`` which one it became."""


@runtime_checkable
class ListsModels(Protocol):
    """A provider that can be asked which models it serves."""

    def list_requests(self, credential: Credential | None) -> Sequence[httpx.Request]:
        """Requests for its list, the most telling first; the first that is answered with a list counts."""

    def detail_request(self, model: str) -> httpx.Request | None:
        """The request that tells more of one listed model; ``None`` where the list says it all."""


@runtime_checkable
class TellsUsage(Provider, Protocol):
    """A provider that a plan pays, and that says beside requests how full the plan's windows are."""

    def usage_request(self, credential: Credential | None) -> httpx.Request | None:
        """The question; ``None`` where the credential is no plan's."""

    def usage_headers(self, body: bytes) -> Mapping[str, str]:
        """The answer, in the words of the headers that answers to requests carry.

        :raises ValueError: it is none
        """


@runtime_checkable
class PassThrough(Protocol):
    """A provider that also serves paths no dialect covers (embeddings, transcriptions, files, batches, …)."""

    def passes(self, path: str) -> bool:
        """Whether it may have ``/v1/<path>``; what it has not after all it answers itself."""

    def pass_through(self, request: PassedRequest, credential: Credential | None) -> httpx.Request:
        """The request for the provider, its body untouched.

        :param request: its body names the model as the provider does
        """


class CredentialSource(Protocol):
    """A place where credentials lie."""

    @property
    def name(self) -> str: ...

    def find(self, provider: str) -> Sequence[Credential]:
        """Usable credentials of a provider, best first; re-reads its file when it has changed.

        :raises CredentialError: there is one, but it cannot be used; the message says why and what to do
        """


@runtime_checkable
class RenewingCredentialSource(CredentialSource, Protocol):
    """A source that may have to wait: it asks a host, or renews tokens that are ours to renew."""

    def renewable(self, provider: str) -> bool:
        """Whether ``fresh`` may come up with a credential where ``find`` has none; must not block."""

    async def fresh(self, provider: str, rejected: Credential | None = None) -> Sequence[Credential]:
        """As ``find``, renewed where due.

        :param rejected: the credential the upstream has just answered 401 to: read again, renew even if it looks alive
        :raises CredentialError: there is one, but it cannot be used
        """


class Credentials(Protocol):
    """All sources, in the configured order."""

    def available(self, provider: str) -> bool:
        """Whether a request to the provider could be authenticated right now."""

    def paused(self, provider: str) -> bool:
        """Whether the user leaves all of the provider's credentials alone, so that it is not called without one either."""

    def remembered(self, provider: str, conversation: str | None = None) -> Sequence[Credential]:
        """What ``resolve`` would say, where it has said so a moment ago; empty where it has to be asked."""

    async def resolve(self, provider: str, conversation: str | None = None) -> Sequence[Credential]:
        """Credentials to try, in order, refreshed where they are ours to refresh.

        :raises CredentialError: none is usable; says which source to fix and how
        """

    async def renew(self, credential: Credential) -> Credential | None:
        """The upstream answered 401: read the source again, once; ``None`` when nothing changed."""

    def explain(self, provider: str) -> str:
        """What is missing for a provider and how to get it, in one or two sentences."""


# ------------------------------------------------------------------ routing


class Classifier(Protocol):
    """Judges how capable a model a request needs; no I/O, well under a millisecond."""

    @property
    def name(self) -> str: ...

    def classify(self, features: RequestFeatures) -> Classification:
        """Judge one request."""


class Dimension(Protocol):
    """One named aspect of difficulty."""

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> float: ...

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge one aspect."""


class PromptWrapper(Protocol):
    """Wrapping that one host puts around its user's words."""

    @property
    def name(self) -> str: ...

    def strip(self, text: str) -> str:
        """The text without the wrapping; ``""`` when it is nothing but wrapping."""


class ConversationMemory(Protocol):
    """Remembers what each conversation works on and was last given.

    :ivar shared: other gateways may know more of a conversation, so that it is worth while to ``fetch`` it
    :ivar since: Unix milliseconds at which it knew nothing yet; 0 where it outlives a gateway
    """

    @property
    def shared(self) -> bool: ...

    @property
    def since(self) -> int: ...

    def recall(self, key: str | None) -> Conversation | None:
        """What is known of a conversation; ``None`` when nothing is, or it was too long ago."""

    def remember(self, key: str | None, conversation: Conversation) -> None:
        """Note a conversation as it is after an answer."""

    async def fetch(self, key: str | None) -> None:
        """Learn what other gateways know of it."""


# ------------------------------------------------------------------ policy and health


class Reservation(Protocol):
    """Budget set aside for one upstream call.

    :ivar output_cap: tokens that what is left pays for, to be told to the upstream; ``None`` leaves the request as it is
    :ivar warnings: limits that are nearly used, in words
    :ivar watched_tokens: when an answer grows beyond so many, ``top_up`` is due; ``None`` where nothing is to be watched
    """

    output_cap: int | None
    warnings: tuple[str, ...]

    @property
    def watched_tokens(self) -> int | None: ...

    async def top_up(self, output_tokens: int) -> None:
        """Set aside more for an answer that has become longer than expected.

        :param output_tokens: what it has come to
        :raises BudgetExceededError: nothing is left: the answer must end
        """

    async def settle(self, usage: Usage | None, cost: MeasuredCost | None, *, paid_by: PaidBy | None = None) -> None:
        """Book what was really used and give the rest back; once; safe under cancellation.

        :param usage: ``None`` when nothing was used: the call counts as a request all the same; for an answer cut short see
            ``canonical.usage.usage_of_interrupted``
        :param cost: US dollars; ``None`` when nobody knows
        :param paid_by: where it turned out otherwise than was thought beforehand
        """

    async def release(self) -> None:
        """Give everything back: the provider was never reached; once; safe under cancellation."""


class Budget(Protocol):
    """One kind of rule on spending.

    :ivar limits: those it can tell beforehand: validated at the start, shown by ``spend`` and the dashboard, warned of
    """

    @property
    def name(self) -> str: ...
    @property
    def limits(self) -> Sequence[Limit]: ...

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """The limits the ledger has to keep for this call.

        :raises PolicyError: the call itself is against the rule
        """


class SpendGuard(Protocol):
    """Says whether a call may be made, before it is made."""

    def cap(self, request: ChatRequest, info: ModelInfo, most: int | None = None) -> ChatRequest:
        """The request to send: with our bound on the answer where there is one and the client names none.

        :param most: ``Reservation.output_cap``, which holds whatever the client names
        """

    def estimate(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        """Tokens the request is expected to use at most."""

    async def reserve(
        self,
        candidate: Candidate,
        estimate: Estimate,
        client: str | None,
        *,
        by_plan: bool = False,
        conversation: str | None = None,
        streams: bool = False,
        stated: bool = True,
        exact: bool = False,
    ) -> Reservation:
        """Set budget aside.

        :param by_plan: a subscription pays, so the call touches no budget in money
        :param streams: the answer can be topped up while it is written
        :param stated: the client says itself how long the answer may be
        :param exact: the upstream cannot be told to write less
        :raises PolicyError: a rule refuses
        """

    async def refusal(self, candidate: Candidate, estimate: Estimate, client: str | None, **how: Any) -> PolicyError | None:
        """What ``reserve`` would refuse with now; nothing stays set aside, and nobody is warned."""

    def learn(self, conversation: str | None, info: ModelInfo, tier: Tier | None, output_tokens: int) -> None:
        """Take note of how long an answer was that came to its end."""

    def is_final(self, refusal: PolicyError) -> bool:
        """Whether a refusal would meet every other model as well, so that none need be tried."""

    def cheaper(self, refusal: PolicyError, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Candidates to try instead of a refused one, cheapest first; none unless ``onExceeded`` is ``downgrade`` and money was short."""


class Health(Protocol):
    """What is known of providers, models and credentials being out of order."""

    @property
    def troubled(self) -> bool:
        """Whether anything at all may be out of order: where nothing is, nobody need ask of each model."""

    def blocked(self, provider: str, model: str, credential: str | None = None) -> str | None:
        """Why not to call now, in words; ``None`` when nothing speaks against it. Asking changes nothing."""

    def calling(self, provider: str, model: str, credential: str | None) -> None:
        """Take note that a call is being made: to what is out of order it is the one that looks whether that is still so."""

    def windows_of(self, provider: str, model: str, credential: str | None = None) -> Sequence[PlanWindow]:
        """The plan windows that count a model, as last told; those whose reset lies behind us are empty again and left out."""

    def exhausted(self, provider: str, model: str, credential: str | None = None) -> str | None:
        """The used-up window the provider itself told of, in words; cooldowns, which are our own guess, do not count."""

    def told(self, provider: str, model: str, credential: str | None = None) -> UpstreamError | None:
        """What to answer instead of calling while the time runs that the provider itself asked for (Retry-After)."""

    def standing(self, provider: str, model: str, credential: str | None = None) -> UpstreamError:
        """What keeps a candidate from being called, as the failure that it was."""

    def failed(
        self, provider: str, model: str, credential: str | None, error: UpstreamError, request_key: int | None = None
    ) -> None:
        """Take note of a failure.

        :param request_key: tells requests apart, so that a refusal is noticed that has nothing to do with them
        """

    def succeeded(self, provider: str, model: str, credential: str | None) -> None:
        """Take note of a success."""

    def observe_headers(
        self, provider: str, credential: str | None, headers: Mapping[str, str], model: str | None = None
    ) -> None:
        """Read rate-limit and plan-window headers of any answer.

        :param model: API rate limits count per model at some providers; ``None`` takes them for all models
        """

    def windows_told_at(self, provider: str, credential: str | None) -> float:
        """Unix seconds at which a plan's windows were last told of; 0 for never."""

    def called_at(self, provider: str, credential: str | None) -> float:
        """Unix seconds at which this gateway last made a call with a credential; 0 for never."""

    def charged(self, provider: str, model: str, credential: str | None, dollars: float) -> Sequence[WindowShare]:
        """Take note of an answer that a plan's windows paid, and say what it took of each of them.

        :param dollars: what the API would have charged
        """

    def snapshot(self) -> JsonObject:
        """Everything known, for people and for ``/debug/provider-health``."""


# ------------------------------------------------------------------ observers


class TraceSink(Protocol):
    """Receives each finished record; a failing sink is logged, never felt."""

    @property
    def name(self) -> str: ...

    def receive(self, record: RequestRecord) -> None:
        """Take a finished record."""


class Recorder(Protocol):
    """Follows requests and hands their records to the sinks."""

    def request(self, record: RequestRecord) -> AbstractContextManager[RequestRecord]:
        """Hold a record while its request runs; passes it to the sinks at the end, however it ends."""


class Panel(Protocol):
    """One tile of the dashboard."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...

    def update(self, record: RequestRecord) -> None:
        """Take a finished record."""

    def render(self) -> JsonObject:
        """Its present state as JSON."""


# ------------------------------------------------------------------ the host


class HostProviderEntry(Protocol):
    """How a host lists us: what ``plugin.json`` says, as data."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def api(self) -> str: ...
    @property
    def models(self) -> Iterable[Mapping[str, Any]]: ...
