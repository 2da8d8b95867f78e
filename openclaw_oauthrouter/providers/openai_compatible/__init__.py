"""Any endpoint that speaks Chat Completions or the public Responses API: OpenAI, DeepSeek, local servers, endpoints of the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import orjson

from openclaw_oauthrouter.canonical.content import ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.passed_request import PassedRequest
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.spelled import written
from openclaw_oauthrouter.catalog.addresses import endpoint_root
from openclaw_oauthrouter.catalog.models import described
from openclaw_oauthrouter.post import Heads, Post, address_of

_PATHS = {"openai_chat_completions": "/chat/completions", "openai_responses": "/responses"}


# A dataclass and no @value: plugins inherit from it.
@dataclass(frozen=True, slots=True)
class OpenAICompatible:
    """One such endpoint.

    :ivar api_base: the address as documented; see ``catalog.addresses.endpoint_root``
    :ivar vendor_path: what a vendor known by name has behind any host
    :ivar dialect: what it speaks to models whose row says nothing else
    :ivar also: dialects it speaks besides
    :ivar dialect_is_fixed: speak ``dialect`` to every model, whatever its row says
    :ivar list_paths: where on its host a better list of models is than at ``/models``
    :ivar detail_path: where on its host one model is asked for
    :ivar key_header: where a key is sent instead of as a bearer token
    :ivar listed: what is known of the models it serves
    :ivar any_model: take ids it does not list
    :ivar heads: of its requests
    :ivar allowed_fields: body fields the endpoint knows; ``None`` sends all
    """

    name: str
    api_base: str
    dialect: str = "openai_chat_completions"
    headers: Mapping[str, str] = field(default_factory=dict)
    auth_header: str | None = None
    listed: Sequence[ModelInfo] = ()
    any_model: bool = True
    allowed_fields: frozenset[str] | None = None
    subscription: bool = False
    needs_credential: bool = True
    always_streams: bool = False
    vendor_path: str = ""
    also: tuple[str, ...] = ()
    dialect_is_fixed: bool = False
    key_header: str | None = None
    list_paths: tuple[str, ...] = ()
    detail_path: str | None = None
    heads: Heads = field(default_factory=Heads, repr=False, compare=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the endpoint."""
        url = httpx.URL(self.api_base)
        return f"{url.scheme}://{url.netloc.decode('ascii')}"

    @property
    def url(self) -> str:
        """Where requests in its usual dialect are posted."""
        return self._at(_PATHS[self.dialect])

    def _at(self, path: str) -> str:
        root, query = endpoint_root(self.api_base, self.vendor_path)
        return f"{root}{path}{query}"

    def dialect_for(self, info: ModelInfo, request: ChatRequest) -> str:
        """The client's own dialect where the model takes the request in it; else the first that the model's row names."""
        if self.dialect_is_fixed or not self.also:
            return self.dialect
        spoken = self._spoken(info, request)
        return request.dialect if request.dialect in spoken else spoken[0]

    def _spoken(self, info: ModelInfo, request: ChatRequest) -> tuple[str, ...]:
        ours = (self.dialect, *self.also)
        wanted = info.protocols
        if info.tool_protocols and _uses_tools(request):
            wanted = info.tool_protocols
        return tuple(name for name in wanted if name in ours) or ours

    def models(self) -> Sequence[ModelInfo]:
        """Models it is known to serve."""
        return self.listed

    def model_info(self, model: str) -> ModelInfo | None:
        """What is known of a model; invented where the endpoint takes any id."""
        known = next((info for info in self.listed if info.id == model), None)
        return known or (described(self.name, model, self.listed) if self.any_model else None)

    def prepare(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> EncodedRequest:
        """Send only the fields the endpoint knows."""
        if self.allowed_fields is None:
            return encoded
        body = dict(encoded.body)
        if "max_completion_tokens" in body and "max_completion_tokens" not in self.allowed_fields:
            body.setdefault("max_tokens", body["max_completion_tokens"])
        dropped = sorted(body.keys() - self.allowed_fields)
        notes = tuple(Note("dropped", name, f"{self.name} does not know the field") for name in dropped)
        kept = {name: value for name, value in body.items() if name in self.allowed_fields}
        return EncodedRequest(kept, (*encoded.notes, *notes), encoded.tool_names)

    def build_request(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> httpx.Request:
        """POST with a bearer token, or with the configured header."""
        accept = "text/event-stream" if request.stream else "application/json"
        url = self._at(_PATHS[encoded.dialect]) if encoded.dialect else self.url
        return self._post(url, accept, encoded.body, credential)

    def list_requests(self, credential: Credential | None) -> Sequence[httpx.Request]:
        """GET the list of models."""
        headers = {"accept": "application/json", **self.headers, **(self._authentication(credential) if credential else {})}
        addresses = [self.origin + path for path in self.list_paths] + [self._at("/models")]
        return [httpx.Request("GET", address, headers=headers) for address in addresses]

    def detail_request(self, model: str) -> httpx.Request | None:
        """Ollama tells windows and abilities of each model apart."""
        if self.detail_path is None:
            return None
        headers = {"content-type": "application/json", **self.headers}
        return httpx.Request("POST", self.origin + self.detail_path, headers=headers, content=orjson.dumps({"model": model}))

    def passes(self, path: str) -> bool:
        """Every path but those of Anthropic's API."""
        return not path.startswith("messages")

    def pass_through(self, request: PassedRequest, credential: Credential | None) -> httpx.Request:
        """The client's own request, at the endpoint's address and with its key."""
        url = address_of(self._at(f"/{request.path}")).url
        if request.query:
            url = url.copy_with(
                query="&".join(part for part in (url.query.decode("ascii"), request.query) if part).encode("ascii")
            )
        accept = request.headers.get("accept", "*/*")
        headers = {"accept": accept, **self.headers, **(self._authentication(credential) if credential else {})}
        if request.content_type:
            headers["content-type"] = request.content_type
        return httpx.Request(request.method, url, headers=headers, content=request.body or None)

    def _post(self, url: str, accept: str, body: JsonObject, credential: Credential | None) -> httpx.Request:
        headers = {"content-type": "application/json", "accept": accept, **self.headers}
        if credential is not None:
            headers |= self._authentication(credential)
        return Post(self.heads.of(address_of(url), headers), written(body))

    def _authentication(self, credential: Credential) -> dict[str, str]:
        secret = credential.secret.reveal()
        if credential.header:
            return {credential.header.lower(): secret}
        if self.key_header is not None:
            return {self.key_header: secret}
        return {"authorization": secret if secret.lower().startswith("bearer ") else f"Bearer {secret}"}


def _uses_tools(request: ChatRequest) -> bool:
    """Whether tools are offered, or have been called earlier in the conversation."""
    return bool(request.tools) or any(
        isinstance(part, (ToolCallPart, ToolCallResponsePart)) for message in request.messages for part in message.parts
    )
