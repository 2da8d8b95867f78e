"""Anthropic as an upstream: where requests go, how they authenticate, what a subscription token demands of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from openclaw_oauthrouter.canonical.content import TOOL_CHANGES
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.passed_request import PassedRequest
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.spelled import written
from openclaw_oauthrouter.catalog.addresses import anthropic_root
from openclaw_oauthrouter.catalog.models import described
from openclaw_oauthrouter.config.providers import AnthropicOAuthSettings, ProviderSettings
from openclaw_oauthrouter.post import Address, Head, Heads, Post
from openclaw_oauthrouter.providers.anthropic import oauth as compatibility
from openclaw_oauthrouter.providers.anthropic import usage
from openclaw_oauthrouter.providers.anthropic.authentication import AUTH_HEADERS, Authentication, authenticate

API_BASE = "https://api.anthropic.com"
API_VERSION = "2023-06-01"

_MESSAGES = "anthropic_messages"
_TOOL_CHANGES_FLAG = "mid-conversation-tool-changes"
# Ours to say, or nobody's business upstream.
_FORWARDED = frozenset({"anthropic-beta", "anthropic-user-profile-id", "anthropic-workspace-id", "user-agent", "x-app"})
"""The client's headers that mean something to this API, or honestly say who asks; all others end here."""

_FORWARDED_TO_ITS_OWN = _FORWARDED | {"anthropic-version"}
"""The same of a client that speaks this API."""


class Anthropic:
    """One configured Anthropic endpoint; implements ``interfaces.Provider``.

    :param name: the configured name, the prefix of its model ids
    :param models: what is known of its models; ids of the form ``claude-…`` that are not among them are served too
    """

    dialect = _MESSAGES
    always_streams = False
    needs_credential = True

    def __init__(
        self, name: str, settings: ProviderSettings, oauth: AnthropicOAuthSettings, models: Sequence[ModelInfo] = ()
    ) -> None:
        self.name = name
        self._settings = settings
        self._oauth = oauth
        self._models = {info.id: info for info in models}
        self._is_anthropic = name == "anthropic"
        base = anthropic_root(settings.api_base or API_BASE)
        self._address = Address(f"{base}/v1/messages")
        parts = urlsplit(base)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._heads = Heads()
        self._flagged = any(_TOOL_CHANGES_FLAG in value for value in settings.headers.values())
        self._authenticated: tuple[Credential | None, Authentication | None] | None = None
        configured = authenticate(None, settings)
        self.needs_credential = configured is None
        self.subscription = settings.subscription if settings.subscription is not None else bool(configured and configured.oauth)

    def models(self) -> Sequence[ModelInfo]:
        """Models it is known to serve."""
        return tuple(self._models.values())

    def model_info(self, model: str) -> ModelInfo | None:
        """What is known of a model id; of an unlisted one, what is known of its nearest relative."""
        known = self._models.get(model)
        if known is not None:
            return known
        # Anthropic writes its versions with dashes; how others spell their ids is their own affair.
        name = model.replace(".", "-") if self._is_anthropic and model.startswith("claude-") else model
        if name in self._models:
            return self._models[name]
        if name.startswith("claude-") or not (self._is_anthropic or self._settings.models):
            return described(self.name, name, self._models.values())
        return None

    def prepare(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> EncodedRequest:
        """Apply the compatibility rules of subscription tokens; anything else passes unchanged."""
        authentication = self._authenticate(credential)
        if authentication is None or not authentication.oauth:
            return encoded
        body, names, notes = dict(encoded.body), dict(encoded.tool_names), list(encoded.notes)
        if self._oauth.system_in_messages:
            body = compatibility.move_system(body)
        if self._oauth.rename_tools:
            body, renamed = compatibility.rename_tools(body)
            if renamed:
                names = {**names, **{new: names.get(old, old) for new, old in renamed.items()}}
                notes.append(Note("mapped", "tools", "subscription tokens want PascalCase names; answers have the client's own"))
        return EncodedRequest(body, tuple(notes), names)

    def build_request(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> httpx.Request:
        """The HTTP request, headers and authentication included."""
        authentication = self._authenticate(credential)
        body, forwarded = encoded.body, _forwarded(request)
        flagged = self._flagged or _TOOL_CHANGES_FLAG in forwarded.get("anthropic-beta", "")
        unflagged = flagged and not _changes_tools(body)
        streams = bool(body.get("stream"))
        key = (unflagged, streams, *forwarded.items())
        head = self._heads.known(key) or self._heads.keep(key, self._head(forwarded, authentication, unflagged, streams))
        return Post(head, written(body))

    def _head(self, forwarded: Mapping[str, str], authentication: Authentication | None, unflagged: bool, streams: bool) -> Head:
        headers = self._with_authentication({"anthropic-version": API_VERSION, **forwarded}, authentication)
        if unflagged and _TOOL_CHANGES_FLAG in headers.get("anthropic-beta", ""):
            left = _without_flag(headers.pop("anthropic-beta"), _TOOL_CHANGES_FLAG)
            headers.update({"anthropic-beta": left} if left else {})
        headers["content-type"] = "application/json"
        headers["accept"] = "text/event-stream" if streams else "application/json"
        return Head(self._address, headers)

    def list_requests(self, credential: Credential | None) -> Sequence[httpx.Request]:
        """GET the list of models, all on one page."""
        headers = {"anthropic-version": API_VERSION, "accept": "application/json"}
        headers.update(
            (name.lower(), value) for name, value in self._settings.headers.items() if name.lower() not in AUTH_HEADERS
        )
        authentication = authenticate(credential, self._settings)
        if authentication is not None:
            headers.update(authentication.headers())
            if authentication.oauth and self._oauth.beta_flags:
                headers["anthropic-beta"] = compatibility.merge_beta_flags(None)
        return [httpx.Request("GET", f"{self._address.shown.removesuffix('/messages')}/models?limit=1000", headers=headers)]

    def detail_request(self, model: str) -> httpx.Request | None:
        """The list says it all."""
        return None

    def usage_request(self, credential: Credential | None) -> httpx.Request | None:
        """See ``TellsUsage``; an API key has no windows."""
        authentication = authenticate(credential, self._settings)
        if authentication is None or not authentication.oauth:
            return None
        headers = self._with_authentication({"accept": "application/json"}, authentication)
        address = self._address.shown.removesuffix("/v1/messages")
        return httpx.Request("GET", f"{address}{usage.PATH}", headers=headers)

    def usage_headers(self, body: bytes) -> Mapping[str, str]:
        """See ``TellsUsage``."""
        return usage.usage_headers(body)

    def passes(self, path: str) -> bool:
        """Batches of messages, and files."""
        return path == "files" or path.startswith(("files/", "messages/batches"))

    def pass_through(self, request: PassedRequest, credential: Credential | None) -> httpx.Request:
        """The client's own request, with this endpoint's key."""
        url = self._address.url.copy_with(path=self._address.url.path.removesuffix("messages") + request.path)
        if request.query:
            url = url.copy_with(query=request.query.encode("ascii"))
        wanted = _FORWARDED | {"anthropic-version", "accept"}
        sent = {name: value for name, value in request.headers.items() if name in wanted}
        headers = self._with_authentication({"anthropic-version": API_VERSION, **sent}, authenticate(credential, self._settings))
        if request.content_type:
            headers["content-type"] = request.content_type
        return httpx.Request(request.method, url, headers=headers, content=request.body or None)

    def _authenticate(self, credential: Credential | None) -> Authentication | None:
        """Asked twice a request, of the same credential all the time."""
        if self._authenticated is None or self._authenticated[0] is not credential:
            self._authenticated = (credential, authenticate(credential, self._settings))
            self._heads = Heads()  # those it had hold another secret
        return self._authenticated[1]

    def _with_authentication(self, headers: dict[str, str], authentication: Authentication | None) -> dict[str, str]:
        headers.update(
            (name.lower(), value) for name, value in self._settings.headers.items() if name.lower() not in AUTH_HEADERS
        )
        if authentication is None:
            return headers
        headers.update(authentication.headers())
        if authentication.oauth:
            if self._oauth.beta_flags:
                headers["anthropic-beta"] = compatibility.merge_beta_flags(headers.get("anthropic-beta"))
            if self._oauth.user_agent:
                headers.update(compatibility.CLIENT_HEADERS)
        return headers


def _forwarded(request: ChatRequest) -> dict[str, str]:
    """The client's own headers; the API version only from a client that speaks this API."""
    wanted = _FORWARDED_TO_ITS_OWN if request.dialect == _MESSAGES else _FORWARDED
    return {name: value for name, value in request.headers.items() if name in wanted}


def _changes_tools(body: Mapping[str, Any]) -> bool:
    """Whether a system message of the conversation adds or removes a tool; models that know no such thing refuse the flag for it."""
    return any(
        isinstance(block, dict) and block.get("type") in TOOL_CHANGES
        for message in body["messages"]
        if message.get("role") == "system" and isinstance(message.get("content"), list)
        for block in message["content"]
    )


def _without_flag(flags: str, unwanted: str) -> str:
    return ",".join(flag for flag in flags.split(",") if not flag.strip().startswith(unwanted))
