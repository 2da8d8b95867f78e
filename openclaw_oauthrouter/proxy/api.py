"""The paths that are not hot: health, models, token counts, explanations; and what is said of unknown ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from quart import Blueprint, Response, g, request

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import ForbiddenError, InvalidRequestError, ModelNotFoundError
from openclaw_oauthrouter.interfaces import Recorder
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.policy.client_auth import DEFAULT_CLIENT
from openclaw_oauthrouter.proxy.answers import json_response
from openclaw_oauthrouter.proxy.client_catalogs import codex_models, for_claude_code
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.explain import explain_request
from openclaw_oauthrouter.proxy.models_list import anthropic_models, model_entries, named_entry, openai_models
from openclaw_oauthrouter.proxy.notices import notices_of
from openclaw_oauthrouter.proxy.openapi import openapi_document
from openclaw_oauthrouter.proxy.passed_routes import KEPT_BY_PROVIDERS, PASSED_FORMS, PASSED_THROUGH
from openclaw_oauthrouter.proxy.quart_requests import request_body, request_headers, speaks_messages
from openclaw_oauthrouter.runtime import Runtime

CurrentRuntime = Callable[[], Runtime]
"""The runtime that serves the present request; a new one after each change of the configuration."""


CLAUDE_CODES_LIMIT = "1000"
"""The largest page of Anthropic's list; Claude Code asks for it, and hardly anybody else."""


def api_blueprint(
    runtime: CurrentRuntime,
    paths: Callable[[], ClientPaths],
    recorder: Recorder,
    config_file: Callable[[], str | None],
    config_problem: Callable[[], str | None],
) -> Blueprint:
    """The routes, as a blueprint without a prefix.

    :param config_file: the configuration file the gateway was started from
    :param config_problem: why the configuration file is not in force as it is
    """
    routes = Blueprint("api", __name__)
    api = _Api(runtime, paths, recorder, config_file, config_problem)
    routes.add_url_rule("/health", "health", api.health)
    routes.add_url_rule("/debug/gateway", "gateway", api.gateway)
    routes.add_url_rule("/debug/notices", "notices", api.notices)
    routes.add_url_rule("/openapi.json", "openapi", api.openapi)
    routes.add_url_rule("/v1/models", "models", api.models)
    routes.add_url_rule("/v1/models/<path:name>", "model", api.model)
    routes.add_url_rule("/v1/messages/count_tokens", "count_tokens", api.count_tokens, methods=["POST"])
    routes.add_url_rule("/v1/route/explain", "explain", api.explain, methods=["POST"])
    return routes


@value(frozen=True, slots=True)
class _Api:
    runtime: CurrentRuntime
    paths: Callable[[], ClientPaths]
    recorder: Recorder
    config_file: Callable[[], str | None]
    config_problem: Callable[[], str | None]

    async def health(self) -> Response:
        """Whether the gateway answers, and whether ``auto`` can be answered; no secrets, no authentication."""
        runtime = self.runtime()
        usable = runtime.usable_providers()
        missing = runtime.why_not_ready()
        told = {
            "status": "ok",
            "version": __version__,
            "ready": missing is None,
            "missing": missing,
            "providers": usable,
            "demo": runtime.settings.demo,
        }
        return json_response(told)

    async def gateway(self) -> Response:
        """Which gateway this is, for commands on the same machine: where it keeps its files, and whether it is the demo."""
        settings = self.runtime().settings
        told = {"version": __version__, "home": str(settings.home), "demo": settings.demo}
        return json_response({**told, "config": self.config_file(), "configProblem": self.config_problem()})

    async def notices(self) -> Response:
        """What the user should know before it hurts."""
        runtime = self.runtime()
        spend = await runtime.spend.snapshot()
        found = await asyncio.get_running_loop().run_in_executor(None, notices_of, runtime, spend, time.time())
        return json_response({"notices": [notice.as_json() for notice in found]})

    async def openapi(self) -> Response:
        """What is served here."""
        return json_response(openapi_document(self.paths(), PASSED_THROUGH, PASSED_FORMS, KEPT_BY_PROVIDERS))

    async def models(self) -> Response:
        """What there is, in the shape of who asks: Codex CLI says its version, clients of Anthropic's API that of the API."""
        runtime = self.runtime()
        entries = model_entries(runtime)
        if "client_version" in request.args:
            return json_response(codex_models(entries))
        if not speaks_messages():
            return json_response(openai_models(entries))
        if request.args.get("limit") == CLAUDE_CODES_LIMIT:
            entries = for_claude_code(entries, runtime)
        return json_response(anthropic_models(entries, request.args, _today()))

    async def model(self, name: str) -> Response:
        entry = named_entry(model_entries(self.runtime()), name)
        if entry is None:
            raise ModelNotFoundError(
                f"no configured provider serves the model {name!r}; GET /v1/models lists what there is", param="model"
            )
        return json_response(entry.anthropic(_today()) if speaks_messages() else entry.openai())

    async def count_tokens(self) -> Response:
        """An estimate: no vendor publishes an offline tokenizer for these models."""
        body = parse_body(await request_body())
        body.setdefault("max_tokens", 1)
        runtime = self.runtime()
        decoded = runtime.pipeline.dialects["anthropic_messages"].decode_request(body, self.paths().forwarded(request_headers()))
        return json_response({"input_tokens": runtime.pipeline.router.estimate(decoded, ANY_MODEL).input_tokens})

    def _client(self, told: JsonObject) -> str:
        """Whose request is explained: the owner may ask for any client of his, the others for themselves."""
        asking: str = g.get("client") or DEFAULT_CLIENT  # the dashboard's page is the owner's
        named = told.get("client") if "body" in told else None
        if named is None or named == asking:
            return asking
        if asking != DEFAULT_CLIENT:
            raise ForbiddenError("only the main token may ask for another client", param="client")
        names = list(self.runtime().settings.server.client_keys)
        if named not in names:
            raise InvalidRequestError(f"there is no client {named!r}; there are {', '.join(names) or 'none'}", param="client")
        return str(named)

    async def explain(self) -> Response:
        body = parse_body(await request_body())
        client = self._client(body)
        return json_response(await explain_request(self.runtime().pipeline, self.paths(), body, request_headers(), client))


def _today() -> date:
    return datetime.now(UTC).date()


ANY_MODEL = ModelInfo("anthropic", "")
