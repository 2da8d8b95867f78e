"""Google's Gemini API, and Vertex AI at an address of the user's: the model stands in the path, the key in a header, never in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import httpx
import orjson

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.catalog.addresses import gemini_root
from openclaw_oauthrouter.catalog.models import described
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.post import Heads, Post, address_of

API_BASE = "https://generativelanguage.googleapis.com"
KEY_HEADER = "x-goog-api-key"


class Gemini:
    """One configured endpoint; implements ``interfaces.Provider``.

    :param name: the configured name, the prefix of its model ids
    :param models: what is known of its models; other ids are taken too
    """

    dialect = "gemini_generate_content"
    always_streams = False
    needs_credential = True

    def __init__(self, name: str, settings: ProviderSettings, models: Sequence[ModelInfo] = ()) -> None:
        self.name = name
        self._models = {info.id: info for info in models}
        self._headers = {key.lower(): value for key, value in settings.headers.items()}
        self._heads = Heads()
        self._base = gemini_root(settings.api_base or API_BASE)
        parts = urlsplit(self._base)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.subscription = bool(settings.subscription)
        self.needs_credential = settings.auth_header is None and settings.api_key is None

    def models(self) -> Sequence[ModelInfo]:
        """Models it is known to serve."""
        return tuple(self._models.values())

    def model_info(self, model: str) -> ModelInfo | None:
        """What is known of a model; of one that is not listed, what is known of its nearest relative."""
        id_ = model.removeprefix("models/")
        return self._models.get(id_) or described(self.name, id_, self._models.values())

    def list_requests(self, credential: Credential | None) -> Sequence[httpx.Request]:
        """GET the list of models, all on one page."""
        headers = {**self._headers, "accept": "application/json", **(_authentication(credential) if credential else {})}
        return [httpx.Request("GET", f"{self._base}/models?pageSize=1000", headers=headers)]

    def detail_request(self, model: str) -> httpx.Request | None:
        """The list says it all."""
        return None

    def prepare(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> EncodedRequest:
        """Nothing to adapt."""
        return encoded

    def build_request(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> httpx.Request:
        """The HTTP request, headers and authentication included."""
        body = dict(encoded.body)
        model = quote(str(body.pop("model")), safe="")
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        accept = "text/event-stream" if request.stream else "application/json"
        headers = {**self._headers, "content-type": "application/json", "accept": accept}
        if credential is not None:
            headers |= _authentication(credential)
        return Post(self._heads.of(address_of(f"{self._base}/models/{model}:{method}"), headers), orjson.dumps(body))


def _authentication(credential: Credential) -> dict[str, str]:
    secret = credential.secret.reveal()
    if credential.header:
        return {credential.header.lower(): secret}
    if credential.kind != "api_key":
        return {"authorization": f"Bearer {secret}"}
    return {KEY_HEADER: secret}
