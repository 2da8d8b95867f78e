"""The ChatGPT plan's Codex backend: where requests go and which headers they carry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical import jwt
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.spelled import written
from openclaw_oauthrouter.catalog.addresses import codex_root
from openclaw_oauthrouter.catalog.models import described
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.post import Address, Heads, Post
from openclaw_oauthrouter.providers.openai_codex import usage
from openclaw_oauthrouter.providers.openai_codex.conversation import conversation_of, named_session
from openclaw_oauthrouter.providers.openai_codex.preparation import ALLOWED_FIELDS, prepare

API_BASE = "https://chatgpt.com"
PATH = "/backend-api/codex/responses"
CLIENT_VERSION = "0.171.0"
"""The Codex CLI whose list of models is asked for: newer models are kept from older ones."""
ORIGINATOR = "openclaw_oauthrouter"

_CODEX_PREFIX = "x-codex-"
_MODEL = lazily(r"(?:gpt-|codex)\S+", re.IGNORECASE)


class OpenAICodex:
    """One configured Codex backend; implements ``interfaces.Provider``.

    :param name: the configured name, the prefix of its model ids
    :param models: what is known of its models; other ``gpt-…`` and ``codex…`` ids are served too, as plans differ
    """

    dialect = "openai_responses"
    always_streams = True

    def __init__(self, name: str, settings: ProviderSettings, models: Sequence[ModelInfo] = ()) -> None:
        self.name = name
        self.subscription = settings.subscription is not False
        base = codex_root(settings.api_base or API_BASE)
        parts = urlsplit(base)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._heads = Heads()
        self._address = Address(base + PATH)
        self._auth_header = settings.auth_header
        self._headers = {key.lower(): value for key, value in settings.headers.items()}
        self._allowed = frozenset(settings.allowed_fields) if settings.allowed_fields is not None else ALLOWED_FIELDS
        self.needs_credential = settings.auth_header is None and "authorization" not in self._headers
        self._models = {info.id: info for info in models}

    def models(self) -> Sequence[ModelInfo]:
        """Models it is known to serve."""
        return tuple(self._models.values())

    def model_info(self, model: str) -> ModelInfo | None:
        """What is known of a model id; invented for an unlisted id that looks like OpenAI's."""
        known = self._models.get(model)
        if known is None and _MODEL.fullmatch(model):
            return described(self.name, model, self._models.values())
        return known

    def prepare(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> EncodedRequest:
        """Bring the body into the form the backend insists on."""
        prepared = prepare(encoded, self._allowed)
        # For others the header alone names the conversation, by what it begins with.
        if "prompt_cache_key" in self._allowed and named_session(request) is not None:
            prepared.body["prompt_cache_key"] = conversation_of(request)
        return prepared

    def build_request(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> httpx.Request:
        """The HTTP request, headers and authentication included."""
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            "openai-beta": "responses=experimental",
            "originator": ORIGINATOR,
            "user-agent": f"openclaw-oauthrouter/{__version__}",
            "session-id": conversation_of(request),
            **_codex_headers(request),
            **self._headers,
        }
        if credential is not None:
            headers |= _authentication(credential)
        elif self._auth_header is not None:
            headers[self._auth_header.name.lower()] = self._auth_header.value.get_secret_value()
        return Post(self._heads.of(self._address, headers), written(encoded.body))

    def list_requests(self, credential: Credential | None) -> Sequence[httpx.Request]:
        """GET the models of the plan, as Codex CLI asks for them."""
        address = self._address.shown.removesuffix("/responses")
        return [httpx.Request("GET", f"{address}/models?client_version={CLIENT_VERSION}", headers=self._asking(credential))]

    def usage_request(self, credential: Credential | None) -> httpx.Request | None:
        """See ``TellsUsage``."""
        return httpx.Request("GET", self._address.shown.removesuffix(PATH) + usage.PATH, headers=self._asking(credential))

    def usage_headers(self, body: bytes) -> Mapping[str, str]:
        """See ``TellsUsage``."""
        return usage.usage_headers(body)

    def _asking(self, credential: Credential | None) -> dict[str, str]:
        headers = {
            "accept": "application/json",
            "originator": ORIGINATOR,
            "user-agent": f"openclaw-oauthrouter/{__version__}",
            **self._headers,
        }
        if credential is not None:
            headers |= _authentication(credential)
        elif self._auth_header is not None:
            headers[self._auth_header.name.lower()] = self._auth_header.value.get_secret_value()
        return headers

    def detail_request(self, model: str) -> httpx.Request | None:
        """The list says it all."""
        return None


def _codex_headers(request: ChatRequest) -> dict[str, str]:
    """What Codex CLI and its backend tell one another about a turn (``x-codex-turn-state``, ``x-codex-routing-hint``, …)."""
    if request.dialect != OpenAICodex.dialect:
        return {}
    return {name: value for name, value in request.headers.items() if name.startswith(_CODEX_PREFIX)}


def _authentication(credential: Credential) -> dict[str, str]:
    secret = credential.secret.reveal()
    token = secret[7:] if secret[:7].lower() == "bearer " else secret
    account = credential.account_id or jwt.account_id(token)
    named = {credential.header.lower(): secret} if credential.header else {"authorization": f"Bearer {token}"}
    return {**named, **({"chatgpt-account-id": account} if account else {})}
